/* learn: record a workload by phase, propose its profile, run it again under that. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/cves.h"
#include "core/json.h"
#include "core/learn.h"
#include "front.h"
#include "host/ctx.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/learn.h"
#include "host/look.h"
#include "launchjob.h"
#include "profiles.h"

#define QUIET_MS 2000
#define PATIENCE_S 60
#define DOCKER_NAMES 307 /* Docker's default with its default capabilities, for comparison */

/* "tcp:80", "file:/run/x", "quiet:3", "told". */
static int read_ready(const char *text, struct pst_learning *l, struct pst_err *err)
{
	uint64_t n;
	l->ready = PST_READY_QUIET;
	l->quiet_ms = QUIET_MS;
	if (text == NULL)
		return PST_OK;
	if (pst_starts(text, "tcp:") && pst_num_parse(text + 4, 10, 65535, &n) && n > 0) {
		l->ready = PST_READY_TCP;
		l->port = (unsigned)n;
		return PST_OK;
	}
	if (pst_starts(text, "file:/")) {
		l->ready = PST_READY_FILE;
		l->path = text + 5;
		return PST_OK;
	}
	if (pst_starts(text, "quiet:") && pst_num_parse(text + 6, 10, 3600, &n) && n > 0) {
		l->quiet_ms = (unsigned)n * 1000;
		return PST_OK;
	}
	if (strcmp(text, "told") == 0) {
		l->ready = PST_READY_TOLD;
		return PST_OK;
	}
	pst_fail(err, PST_E_USAGE, "", "--ready is none of the ways, \"%s\"", text);
	return pst_err_cure(err, "write tcp:PORT, file:/PATH, quiet:SECONDS or told");
}

static int read_seconds(const struct front *f, const char *flag, unsigned dflt, unsigned *ret,
			struct pst_err *err)
{
	uint64_t n;
	const char *text = pst_argv_value(&f->args, flag);
	*ret = dflt;
	if (text == NULL)
		return PST_OK;
	if (!pst_num_parse(text, 10, 86400, &n) || n == 0)
		return pst_fail(err, PST_E_USAGE, "", "--%s is a number of seconds, not \"%s\"", flag, text);
	*ret = (unsigned)n;
	return PST_OK;
}

static int read_flags(const struct front *f, struct pst_learning *l, struct pst_err *err)
{
	unsigned patience = 0;
	int rc = read_ready(pst_argv_value(&f->args, "ready"), l, err);
	if (rc == PST_OK)
		rc = read_seconds(f, "patience", PATIENCE_S, &patience, err);
	if (rc == PST_OK)
		rc = read_seconds(f, "for", 0, &l->seconds, err);
	l->patience_ms = patience * 1000;
	l->exercise = pst_argv_value(&f->args, "exercise");
	if (rc == PST_OK && l->exercise != NULL && l->seconds > 0)
		rc = pst_fail(err, PST_E_USAGE, "", "--exercise and --for exclude each other");
	return rc;
}

static int write_file(const char *path, const json_t *j, struct pst_err *err)
{
	pst_auto_buf text = {0};
	int rc = pst_json_dump(j, PST_JSON_PRETTY, &text, err);
	if (rc != PST_OK)
		return rc;
	pst_buf_char(&text, '\n');
	return pst_io_replace(AT_FDCWD, path, text.data, text.len, 0644, err);
}

/* Add the files of --merge; the first one is the recording itself when there is none yet. */
static int add_recordings(const struct front *f, json_t **rec, struct pst_err *err)
{
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < f->args.nflags; i++) {
		const struct pst_arg *a = &f->args.flags[i];
		pst_auto_buf text = {0};
		pst_auto_json *more = NULL;
		if (a->flag == NULL || strcmp(a->flag->name, "merge") != 0)
			continue;
		rc = pst_io_read_file(AT_FDCWD, a->value, pst_json_oci.bytes, &text, err);
		if (rc == PST_OK)
			rc = pst_json_parse(pst_buf_cstr(&text), text.len, a->value, &pst_json_oci, &more, err);
		if (rc == PST_OK)
			rc = *rec != NULL ? pst_learn_merge(*rec, more, err) : pst_learn_check(more, err);
		if (rc == PST_OK && *rec == NULL)
			*rec = PST_TAKE(more);
		if (rc != PST_OK)
			(void)pst_err_file(err, a->value);
	}
	return rc;
}

/* What was in force while it was recorded. */
struct in_force {
	char profile[256];
	bool complain; /* and only recorded, not enforced */
};

/* Of a container that runs: as its keeper knows it, else as the policy would have it. */
static int force_of(struct pst_ctx *ctx, const char *id, struct in_force *ret, struct pst_err *err)
{
	pst_auto_seen seen = PST_SEEN_NONE;
	pst_auto_json *tree = NULL;
	struct pst_plan plan = {0};
	int rc = pst_look(ctx, id, PST_LOCK_NONE, &seen, err);
	if (rc != PST_OK || !seen.found)
		return rc;
	rc = pst_look_plan(&seen, false, &tree, &plan, err);
	if (rc == PST_OK && plan.keeper) {
		ret->complain = plan.complain;
		rc = pst_keeper_profile(&seen.state, ret->profile, sizeof ret->profile, err);
	}
	pst_plan_done(&plan);
	return rc;
}

static int find_force(const struct front *f, const struct pst_learning *l, struct in_force *ret,
		      struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	int rc = pst_ctx_look(&f->g, &ctx, err);
	if (rc != PST_OK)
		return rc;
	const bool chosen = l->job != NULL && l->job->want.profile != NULL;
	snprintf(ret->profile, sizeof ret->profile, "%s",
		 chosen ? l->job->want.profile : ctx.policy.profile_default);
	ret->complain = ctx.policy.profile_mode == PST_MODE_COMPLAIN;
	return l->id == NULL ? PST_OK : force_of(&ctx, l->id, ret, err);
}

static int say_bugs(const json_t *profile, struct pst_err *err)
{
	pst_auto_scprof *p = NULL;
	size_t all = 0;
	struct pst_cve_view v = {.notify_denies = true};
	int rc = pst_scprof_parse(profile, "", NULL, &p, err);
	if (rc == PST_OK)
		rc = profile_caps(NULL, &v.caps, err);
	if (rc != PST_OK)
		return rc;
	v.p = p;
	const size_t open = pst_cve_count_open(&v, &all);
	fprintf(stderr, "known bugs %zu of %zu out of reach, %zu within (postern profile explain tells)\n",
		all - open, all, open);
	return PST_OK;
}

/* It stays inside the profile in force; inside what complain mode let through, where that is
 * what it was recorded under. */
static int propose(const struct front *f, const struct pst_learning *l, json_t *rec, json_t **ret,
		   struct pst_err *err)
{
	profile_auto_doc outer = {0};
	profile_auto_doc enforced = {0};
	pst_auto_buf text = {0};
	struct in_force in = {.complain = false};
	const char *name = pst_argv_value(&f->args, "name");
	int rc = find_force(f, l, &in, err);
	if (rc == PST_OK)
		rc = profile_load(in.profile, &enforced, err);
	if (rc == PST_OK)
		rc = profile_load(in.complain ? PST_COMPLAIN_BOUND : in.profile, &outer, err);
	if (rc == PST_OK)
		rc = pst_learn_propose(rec, outer.obj, name != NULL ? name : "learned", ret, err);
	if (rc == PST_OK)
		rc = pst_learn_text(rec, *ret, enforced.obj, &text, err);
	if (rc != PST_OK)
		return rc;
	fputs(pst_buf_cstr(&text), stderr);
	fprintf(stderr, "compare    Docker's default allows %d\n", DOCKER_NAMES);
	return say_bugs(*ret, err);
}

/* The same run, with the proposal as the caller's own profile. */
static int verify(const struct front *f, const struct pst_learning *l, const struct pst_learned *first,
		  const json_t *profile, struct pst_err *err)
{
	struct pst_learning again = *l;
	struct pst_launch_job job = *l->job;
	struct pst_learned r = {0};
	pst_auto_json *bare = pst_json_copy(profile);
	if (bare == NULL)
		return pst_fail_nomem(err);
	(void)json_object_del(bare, "postern");
	job.want.seccomp = bare;
	again.job = &job;
	again.record = false;
	int rc = pst_learn_run(&f->g, &again, &r, err);
	if (rc != PST_OK)
		return pst_err_prefix(err, "under the proposed profile");
	if (r.exercised != first->exercised || r.status != first->status) {
		pst_fail(err, PST_E_STATE, "", "under the proposed profile the workload ended with %d, its exercise with "
			 "%d; while it was recorded with %d and %d", r.status, r.exercised, first->status,
			 first->exercised);
		rc = pst_err_cure(err, "see `postern denials`; record more of what it does with --merge");
	} else {
		fprintf(stderr, "verified   the same run under the proposed profile: status %d, exercise %d\n", r.status,
			r.exercised);
	}
	pst_learned_done(&r);
	return rc;
}

static int output(const struct front *f, const json_t *rec, const json_t *profile, struct pst_err *err)
{
	const char *rec_file = pst_argv_value(&f->args, "recording");
	const char *out = pst_argv_value(&f->args, "out");
	int rc = rec_file == NULL ? PST_OK : write_file(rec_file, rec, err);
	if (rc == PST_OK)
		rc = out != NULL ? write_file(out, profile, err) : profile_print(profile, err);
	return rc;
}

static int learn(const struct front *f, struct pst_learning *l, struct pst_err *err)
{
	struct pst_learned r = {0};
	pst_auto_json *profile = NULL;
	const bool runs = l->job != NULL || l->id != NULL;
	int rc = runs ? pst_learn_run(&f->g, l, &r, err) : PST_OK;
	if (rc == PST_OK && r.exercised != 0) {
		pst_fail(err, PST_E_STATE, "", "the exercise failed with status %d", r.exercised);
		rc = pst_err_cure(err, "a recording of it would lack what it could not do");
	}
	if (rc == PST_OK)
		rc = add_recordings(f, &r.recording, err);
	if (rc == PST_OK)
		rc = propose(f, l, r.recording, &profile, err);
	if (rc == PST_OK)
		rc = output(f, r.recording, profile, err);
	if (rc == PST_OK && l->job != NULL && !pst_argv_on(&f->args, "no-verify"))
		rc = verify(f, l, &r, profile, err);
	pst_learned_done(&r);
	return rc;
}

/* The words after -- are launch's. */
static int learn_launch(struct front *f, struct pst_learning *l, struct pst_err *err)
{
	char **words = f->argv + f->args.consumed;
	const int n = f->argc - f->args.consumed;
	pst_auto_argv a = {0};
	PST_CLEANUP(launch_job_done) struct launch_job j = {0};
	int rc = pst_argv_verb(pst_verb_find("launch"), n, words, &a, err);
	if (rc == PST_OK)
		rc = launch_job_read(&a, &j, err);
	if (rc != PST_OK)
		return rc;
	l->job = &j.job;
	l->title = j.job.want.ncmd > 0 ? j.job.want.cmd[0] : j.job.image;
	if (l->title == NULL)
		l->title = "a launch";
	return learn(f, l, err);
}

int verb_learn(struct front *f)
{
	struct pst_err err = {0};
	struct pst_learning l = {.record = true};
	int rc = read_flags(f, &l, &err);
	const bool files = f->args.nargs == 0 && pst_argv_has(&f->args, "merge");
	if (rc == PST_OK && f->args.nargs == 0 && !files)
		rc = pst_fail(&err, PST_E_USAGE, "", "usage: postern learn [flags] %s", f->verb->usage);
	if (rc != PST_OK)
		return front_report(f, &err);
	if (files) {
		rc = learn(f, &l, &err);
	} else if (f->args.nargs == 1 && f->args.args[0][0] != '-') {
		l.id = l.title = f->args.args[0];
		rc = learn(f, &l, &err);
	} else {
		rc = learn_launch(f, &l, &err);
	}
	return rc == PST_OK ? 0 : front_report(f, &err);
}

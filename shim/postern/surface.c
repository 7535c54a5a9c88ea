/* surface, and profile explain: what a profile or a container leaves reachable. */
#include "core/surface.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/profiles.h"
#include "core/scnotify.h"
#include "front.h"
#include "host/io.h"
#include "host/look.h"
#include "host/policyload.h"
#include "profiles.h"
#include "profileverbs.h"

#define DOCKER "docker-default"

/* Everything a surface borrows from. */
struct subject {
	struct profile_doc doc; /* of a profile */
	json_t *spec, *plan;    /* of a container */
	struct pst_scprof *p;
	struct pst_scprof *docker;
	bool *used;
	struct pst_surface_in in;
};

static void subject_done(struct subject *x)
{
	profile_doc_done(&x->doc);
	json_decref(x->spec);
	json_decref(x->plan);
	pst_scprof_free(x->p);
	pst_scprof_free(x->docker);
	free(x->used);
}

#define auto_subject PST_CLEANUP(subject_done) struct subject

static int of_profile(const struct front *f, const char *what, struct subject *x,
		      struct pst_err *err)
{
	int rc = profile_load(what, &x->doc, err);
	if (rc == PST_OK)
		rc = profile_parse(&x->doc, what, NULL, &x->p, err);
	if (rc == PST_OK) /* Docker's default is looked at with what Docker gives beside it */
		rc = profile_caps(pst_argv_has(&f->args, "caps") ? pst_argv_value(&f->args, "caps")
				  : strcmp(what, DOCKER) == 0    ? "docker"
								 : NULL,
				  &x->in.caps, err);
	x->in.name = what;
	x->in.p = x->p;
	x->in.meta = x->doc.obj != NULL ? json_object_get(x->doc.obj, "postern") : NULL;
	return rc;
}

static pst_capset caps_of(const json_t *spec)
{
	static const char *const sets[] = {"bounding", "effective", "permitted", "inheritable",
					   "ambient"};
	pst_capset all = 0;
	for (size_t i = 0; i < PST_NELEM(sets); i++) {
		pst_capset one = 0;
		const json_t *caps = pst_json_at(spec, "/process/capabilities");
		if (pst_caps_parse(json_object_get(caps, sets[i]), "", &one, NULL, NULL) == PST_OK)
			all |= one;
	}
	return all;
}

/* The record of a container of ours; *ret_found is false when it is none. */
static int of_container(const struct front *f, const char *id, struct subject *x, bool *ret_found,
			struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	pst_auto_buf text = {0};
	struct pst_plan plan = {0};
	*ret_found = false;
	/* without a runtime or state there is no container to speak of: it may be a profile */
	if (pst_ctx_look(&f->g, &ctx, NULL) != PST_OK)
		return PST_OK;
	int rc = pst_look(&ctx, id, PST_LOCK_NONE, &seen, err);
	if (rc != PST_OK || !seen.found)
		return rc;
	*ret_found = true;
	rc = pst_look_plan(&seen, true, &x->plan, &plan, err);
	if (rc == PST_OK)
		rc = pst_io_read_file(seen.state.fd, "bundle/config.json", PST_BUF_CAP / 2, &text,
				      err);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, "config.json", &pst_json_oci,
				    &x->spec, err);
	x->p = plan.filter;
	plan.filter = NULL;
	x->in.notify_denies = plan.keeper && !plan.complain;
	pst_plan_done(&plan);
	if (rc != PST_OK)
		return rc;
	x->in.name = id;
	x->in.p = x->p;
	x->in.caps = caps_of(x->spec);
	x->in.spec = x->spec;
	x->in.steps = json_object_get(x->plan, "steps");
	return PST_OK;
}

/* The policy's own choice, when nothing is named. */
static int of_policy(const struct front *f, struct subject *x, char name[64], struct pst_err *err)
{
	struct pst_policy p;
	const int rc =
		pst_policy_load(f->g.policy_file, f->g.policy_required, f->g.class_name, &p, err);
	if (rc != PST_OK)
		return rc;
	snprintf(name, 64, "%s", p.profile_default);
	pst_policy_done(&p);
	return of_profile(f, name, x, err);
}

static bool mark(struct subject *x, const char *name)
{
	const struct pst_sc *sc = pst_sctable_name(name);
	if (sc == NULL || sc->nr < 0)
		return false;
	x->used[sc->slot] = true;
	return true;
}

/* Names a list of calls holds: as strings, as the members' names, or as "name" or "call". */
static void mark_list(struct subject *x, json_t *list)
{
	const char *key;
	json_t *v;
	size_t i;
	json_array_foreach(list, i, v)
	{
		static const char *const in[] = {"name", "call"};
		if (pst_json_str(v) != NULL)
			(void)mark(x, pst_json_str(v));
		for (size_t k = 0; k < PST_NELEM(in); k++)
			if (pst_json_str(json_object_get(v, in[k])) != NULL)
				(void)mark(x, pst_json_str(json_object_get(v, in[k])));
	}
	if (json_is_object(list))
		json_object_foreach(list, key, v)(void) mark(x, key);
}

/* Every list of calls in a recording, at any depth: learn's phases, or a profile. */
static void mark_tree(struct subject *x, json_t *j)
{
	static const char *const lists[] = {"syscalls", "calls", "names"};
	const char *key;
	json_t *v;
	size_t i;
	json_array_foreach(j, i, v) mark_tree(x, v);
	if (!json_is_object(j))
		return;
	json_object_foreach(j, key, v)
	{
		for (size_t k = 0; k < PST_NELEM(lists); k++)
			if (strcmp(key, lists[k]) == 0)
				mark_list(x, v);
		mark_tree(x, v);
	}
}

/* A recording: JSON, or one name a line. */
static int read_used(const char *file, struct subject *x, struct pst_err *err)
{
	pst_auto_buf text = {0};
	pst_auto_json *j = NULL;
	int rc = pst_io_read_file(AT_FDCWD, file, pst_json_oci.bytes, &text, err);
	if (rc != PST_OK)
		return rc;
	x->used = calloc(PST_SC_NATIVE, sizeof *x->used);
	pst_auto_free char *copy = strdup(pst_buf_cstr(&text));
	if (x->used == NULL || copy == NULL)
		return pst_fail_nomem(err);
	x->in.used = x->used;
	if (copy[strspn(copy, " \t\r\n")] == '{' || copy[strspn(copy, " \t\r\n")] == '[') {
		rc = pst_json_parse(copy, text.len, file, &pst_json_oci, &j, err);
		if (rc == PST_OK)
			mark_tree(x, j);
		return rc;
	}
	size_t n = 0;
	char *rest = copy;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		n++;
		line[strcspn(line, " \t\r#")] = '\0';
		if (line[0] == '\0' || mark(x, line))
			continue;
		pst_fail(err, PST_E_USAGE, "",
			 "line %zu of the recording names no system call: \"%s\"", n, line);
		(void)pst_err_file(err, file);
		return pst_err_cure(err, "one name a line, or a recording of `postern learn`");
	}
	return PST_OK;
}

/* What Docker would give: there in every build that ships the profile. */
static int with_docker(struct subject *x, struct pst_err *err)
{
	int rc = profile_caps("docker", &x->in.docker_caps, err);
	if (rc == PST_OK)
		rc = profile_rules(DOCKER, NULL, &x->docker, err);
	x->in.docker = x->docker;
	return rc;
}

static int print_text(const struct pst_surface *s, bool all, struct pst_err *err)
{
	pst_auto_buf out = {0};
	pst_surface_text(s, all, &out);
	if (!pst_buf_ok(&out))
		return pst_fail_nomem(err);
	fputs(pst_buf_cstr(&out), stdout);
	return PST_OK;
}

static int print_json(const struct pst_surface *s, struct pst_err *err)
{
	pst_auto_json *j = pst_surface_json(s);
	return profile_print(j, err);
}

/* Of a profile that is enforced with recording. */
static void print_unrecorded(const json_t *lacks)
{
	printf("\nDenials that are not recorded (postern-denials(1))\n");
	for (size_t i = 0; i < json_array_size(lacks); i++) {
		const json_t *one = json_array_get(lacks, i);
		const char *call = pst_json_str(json_object_get(one, "call"));
		printf("  %s%s%s\n", call, call[0] == '\0' ? "" : ": ", pst_json_str(json_object_get(one, "why")));
	}
	printf("  calls of foreign ABIs, and those of the fixed list put on before the runtime runs\n");
}

static int explain(const struct pst_surface *s, const json_t *lacks, bool json, struct pst_err *err)
{
	if (!json) {
		const int rc = print_text(s, true, err);
		if (rc == PST_OK)
			print_unrecorded(lacks);
		return rc;
	}
	pst_auto_json *j = pst_surface_json(s);
	if (j == NULL || json_object_set(j, "unrecorded", (json_t *)(uintptr_t)lacks) != 0)
		return pst_fail_nomem(err);
	return profile_print(j, err);
}

int profile_explain(const struct front *f, const char *what, struct pst_err *err)
{
	auto_subject x = {0};
	struct pst_surface s;
	bool json = false;
	int rc = profile_format(pst_argv_value(&f->args, "format"), &json, err);
	if (rc == PST_OK)
		rc = of_profile(f, what, &x, err);
	if (rc == PST_OK)
		rc = with_docker(&x, err);
	if (rc != PST_OK)
		return rc;
	pst_surface_make(&x.in, &s);
	pst_auto_scprof *asked = NULL;
	rc = profile_parse(&x.doc, what, NULL, &asked, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_json *lacks = pst_scnotify_lacks(asked);
	return lacks == NULL ? pst_fail_nomem(err) : explain(&s, lacks, json, err);
}

static int write_html(const struct pst_surface *s, const char *file, struct pst_err *err)
{
	pst_auto_buf out = {0};
	pst_surface_html(s, &out);
	if (!pst_buf_ok(&out))
		return pst_fail_nomem(err);
	FILE *to = strcmp(file, "-") == 0 ? stdout : fopen(file, "we");
	if (to == NULL)
		return pst_fail_sys(err, "cannot write %s", file);
	const bool whole = fwrite(pst_buf_cstr(&out), 1, out.len, to) == out.len && fflush(to) == 0;
	if (to != stdout && (fclose(to) != 0 || !whole))
		return pst_fail_sys(err, "cannot write %s", file);
	return whole ? PST_OK : pst_fail_sys(err, "cannot write the page");
}

static int find(const struct front *f, struct subject *x, char name[64], struct pst_err *err)
{
	bool found = false;
	if (f->args.nargs == 0)
		return of_policy(f, x, name, err);
	const char *what = f->args.args[0];
	int rc = strchr(what, '/') != NULL ? PST_OK : of_container(f, what, x, &found, err);
	if (rc != PST_OK || found)
		return rc;
	rc = of_profile(f, what, x, err);
	if (rc == PST_E_USAGE && err->file[0] == '\0' && x->doc.tree == NULL) {
		pst_fail(err, PST_E_USAGE, "",
			 "\"%s\" is no container of postern's, no built-in profile and no file",
			 what);
		return pst_err_cure(err, "see `postern list` and `postern profile list`");
	}
	return rc;
}

int verb_surface(struct front *f)
{
	auto_subject x = {0};
	struct pst_err err = {0};
	struct pst_surface s;
	char name[64];
	bool json = false;
	const char *html = pst_argv_value(&f->args, "html");
	const char *used = pst_argv_value(&f->args, "used");
	int rc = profile_format(pst_argv_value(&f->args, "format"), &json, &err);
	if (rc == PST_OK)
		rc = find(f, &x, name, &err);
	if (rc == PST_OK && used != NULL)
		rc = read_used(used, &x, &err);
	if (rc == PST_OK) {
		pst_surface_make(&x.in, &s);
		if (html != NULL)
			rc = write_html(&s, html, &err);
		else
			rc = json ? print_json(&s, &err) : print_text(&s, false, &err);
	}
	return rc == PST_OK ? 0 : front_report(f, &err);
}

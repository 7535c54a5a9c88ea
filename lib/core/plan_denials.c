/* Whether denials are recorded, and what the listener has to know. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/oneline.h"
#include "core/plan_priv.h"
#include "core/podname.h"
#include "core/scmeet.h"
#include "core/scnotify.h"

/* A socket's name, linux/un.h sun_path. */
#define LISTENER_MAX 107

static const char *why_not(const struct pst_work *w)
{
	const struct pst_plan *p = w->plan;
	if (!w->facts->rt_notify)
		return "this runtime cannot hand a filter's listener over";
	if (w->facts->listener[0] == '\0' || strlen(w->facts->listener) > LISTENER_MAX)
		return "there is no place for the listener's socket";
	if (p->filter->listener_path != NULL)
		return "the caller's filter has a listener of its own, and a chain has one";
	return NULL;
}

static void header(struct pst_buf *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	pst_buf_fmt(out, "%s\t", key);
	pst_oneline(out, value);
	pst_buf_char(out, '\n');
}

static const char *annotation(const struct pst_work *w, const char *key)
{
	return pst_json_str(json_object_get(w->spec->annotations, key));
}

/* The file `kubectl describe` shows: bound at a fixed place, below a root of volumes, so
 * that no other file of the host is ever written to. */
static const char *message_file(const struct pst_work *w)
{
	const char *dst = annotation(w, "io.kubernetes.container.terminationMessagePath");
	const struct pst_mount *m = pst_spec_mount_at(w->spec, dst != NULL ? dst
									  : "/dev/termination-log");
	if (m == NULL || !m->bind || m->readonly)
		return NULL;
	const struct pst_src_fact f = pst_facts_mount(w->facts, m->index);
	if (!f.known || f.kind != PST_SRC_FILE)
		return NULL;
	for (size_t i = 0; i < w->policy->volume_roots.n; i++)
		if (pst_path_under(f.path, w->policy->volume_roots.v[i]))
			return f.path;
	return NULL;
}

void pst_plan_headers(const struct pst_work *w, struct pst_buf *out)
{
	header(out, "profile", w->plan->profile);
	for (enum pst_podname i = 0; i < PST_POD_NAMES; i++)
		header(out, pst_podname_keys[i], pst_podname(w->spec->annotations, i));
	header(out, "message", message_file(w));
}

/* What complain mode may not let through: the caller's denials and Docker's default's. */
static int outer_bound(struct pst_work *w, const struct pst_scprof *caller, struct pst_scprof **ret,
		       struct pst_err *err)
{
	const struct pst_scmeet_opts o = {0};
	pst_auto_scprof *docker = NULL;
	const json_t *tree = w->in->profile(PST_COMPLAIN_BOUND, w->in->profile_arg);
	if (tree == NULL)
		return pst_fail(err, PST_E_BUG, "", "the profile " PST_COMPLAIN_BOUND " is missing");
	int rc = pst_scprof_parse(tree, "", NULL, &docker, err);
	if (rc == PST_OK)
		rc = pst_plan_disk_filter(w, docker, NULL, err);
	return rc == PST_OK ? pst_scmeet(caller, docker, &o, NULL, ret, err) : rc;
}

int pst_plan_denials(struct pst_work *w, const struct pst_scprof *caller,
		     const struct pst_scprof *ours, const json_t *reasons, struct pst_err *err)
{
	struct pst_plan *p = w->plan;
	const bool complain = w->policy->profile_mode == PST_MODE_COMPLAIN;
	const char *rule = complain ? "/profile/mode" : "/denials/record";
	if (!complain && !w->policy->denials_record)
		return PST_OK;
	const char *not = why_not(w);
	if (not != NULL) {
		pst_note_add(&p->notes, "/linux/seccomp", pst_work_source(w, rule),
			     "denials are not recorded: %s%s", not,
			     complain ? "; the profile is enforced" : "");
		return PST_OK;
	}
	pst_auto_scprof *bound = NULL;
	pst_auto_buf rules = {0};
	pst_auto_json *words = reasons == NULL ? NULL : pst_json_copy(reasons);
	int rc = complain ? outer_bound(w, caller, &bound, err) : PST_OK;
	const struct pst_scnotify how = {
		.caller = caller,
		.ours = ours,
		.bound = bound,
		.reasons = words,
		.listener = w->facts->listener,
		.notes = &p->notes,
	};
	pst_plan_headers(w, &rules);
	pst_buf_fmt(&rules, "rate\t%u\n", w->policy->denials_rate);
	pst_buf_fmt(&rules, "default\t%u\n", p->filter->def & SECCOMP_RET_DATA);
	if (rc == PST_OK)
		rc = pst_scnotify(p->filter, &how, &rules, err);
	if (rc != PST_OK)
		return rc;
	p->denials = pst_buf_take(&rules);
	p->keeper = true;
	p->complain = complain;
	if (complain)
		pst_note_add(&p->notes, "/linux/seccomp", pst_work_source(w, rule),
			     "COMPLAIN: what only profile %s would deny is let through and recorded",
			     w->profile_name);
	return p->denials == NULL ? pst_fail_nomem(err) : PST_OK;
}

#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/plan_priv.h"

int pst_work_step(struct pst_work *w, const char *step, json_t *arg, struct pst_err *err)
{
	json_t *s = arg == NULL ? NULL : json_pack("{s:s, s:o}", "step", step, "arg", arg);
	if (json_array_append_new(w->plan->steps, s) != 0)
		return pst_fail_nomem(err);
	return PST_OK;
}

/* Behind the runtime's hooks, some of which connect the container; ahead of its start. */
static int net_step(struct pst_work *w, struct pst_err *err)
{
	const uint64_t *bits = w->plan->net.bits;
	if (bits[PST_NET_EGRESS] == 0 && bits[PST_NET_INGRESS] == 0)
		return PST_OK;
	return pst_work_step(w, "netshape",
			     json_pack("{s:o, s:o}", "egress", pst_json_from_u64(bits[PST_NET_EGRESS]),
				       "ingress", pst_json_from_u64(bits[PST_NET_INGRESS])),
			     err);
}

int pst_plan_steps(struct pst_work *w, struct pst_err *err)
{
	int rc = PST_OK;
	if (w->plan->keeper || w->plan->watch != NULL)
		rc = pst_work_step(w, "keeper", json_object(), err);
	if (rc == PST_OK && w->moved)
		rc = pst_work_step(w, "stdio", json_pack("{s:I}", "base", (json_int_t)w->plan->base), err);
	if (rc == PST_OK)
		rc = pst_work_step(w, "bundle", json_object(), err);
	if (rc == PST_OK)
		rc = pst_work_step(w, "runtime", json_object(), err);
	if (rc == PST_OK)
		rc = pst_work_step(w, "verify", json_object(), err);
	if (rc == PST_OK)
		rc = net_step(w, err);
	if (rc == PST_OK && w->plan->watch != NULL)
		rc = pst_work_step(w, "limits", json_object(), err);

	/* Hooks run under the runtime: they may need what the fixed list denies. */
	w->plan->safety_net = w->policy->safety_net && !w->spec->hooks && !w->privileged;
	if (w->spec->hooks && w->policy->safety_net)
		pst_note_add(&w->plan->notes, "/hooks", "spec /hooks",
			     "the spec has hooks: the runtime runs without the fixed pre-exec filter");
	return rc;
}

/* What the workload asks of its own confinement comes first: it can only tighten. */
static int read_request(struct pst_work *w, struct pst_err *err)
{
	const int rc = pst_annotations_read(w->spec->annotations, w->policy, &w->tighten, err);
	if (rc != PST_OK)
		return rc;
	w->exempt = w->tighten.exempt;
	if (w->tighten.profile != NULL)
		w->profile_name = w->tighten.profile;
	return PST_OK;
}

int pst_plan_limits(struct pst_work *w, struct pst_err *err)
{
	const int rc = pst_limits_spec(w->spec->tree, w->policy, &w->tighten, w->facts->tree,
				       &w->plan->edits, err);
	return rc == PST_OK ? pst_limits_disk(w->spec->tree, w->policy, &w->tighten, w->facts->tree,
					      &w->plan->edits, &w->plan->notes, err)
			    : rc;
}

static int decide(struct pst_work *w, struct pst_err *err)
{
	static int (*const decisions[])(struct pst_work *, struct pst_err *) = {
		pst_plan_ids,  pst_plan_rootfs,	  pst_plan_mounts,  pst_plan_caps,
		pst_plan_syscalls, pst_plan_limits, pst_plan_disk, pst_plan_devices,
		pst_plan_paths, pst_plan_net,	  pst_plan_netlimit,
	};
	int rc = read_request(w, err);
	for (size_t i = 0; rc == PST_OK && i < PST_NELEM(decisions); i++)
		rc = decisions[i](w, err);
	return rc;
}

static int apply_edits(struct pst_plan *p, const json_t *tree, struct pst_err *err)
{
	p->spec = pst_json_copy(tree);
	if (p->spec == NULL)
		return pst_fail_nomem(err);
	return pst_edits_apply(&p->edits, p->spec, err);
}

int pst_plan_make(const struct pst_plan_input *in, struct pst_plan *ret, struct pst_err *err)
{
	struct pst_plan p = {.steps = json_array()};
	struct pst_work w = {
		.in = in,
		.spec = in->spec,
		.policy = in->policy,
		.facts = in->facts,
		.plan = &p,
		.profile_name = in->policy->profile_default,
	};
	int rc = p.steps == NULL ? pst_fail_nomem(err) : decide(&w, err);
	if (rc == PST_OK)
		rc = apply_edits(&p, in->spec->tree, err);
	if (rc == PST_OK)
		rc = pst_plan_watch(&w, err);
	if (rc == PST_OK)
		rc = pst_plan_steps(&w, err);
	if (rc == PST_OK && p.notes.bad)
		rc = pst_fail_nomem(err);
	if (rc != PST_OK) {
		pst_plan_done(&p);
		return rc;
	}
	*ret = p;
	return PST_OK;
}

void pst_plan_done(struct pst_plan *p)
{
	pst_edits_done(&p->edits);
	pst_notes_done(&p->notes);
	json_decref(p->steps);
	pst_scprof_free(p->filter);
	json_decref(p->spec);
	free(p->profile);
	free(p->denials);
	free(p->watch);
	free(p->headers);
	*p = (struct pst_plan){0};
}

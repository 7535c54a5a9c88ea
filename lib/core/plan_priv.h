/* core/plan_priv.h - shared by plan*.c only: one decision in the making. */
#pragma once

#include "core/annotations.h"
#include "core/plan.h"

struct pst_work {
	const struct pst_plan_input *in;
	const struct pst_spec *spec;
	const struct pst_policy *policy;
	const struct pst_facts *facts;
	struct pst_plan *plan;
	bool exempt;     /* the pod's namespace is exempt: grants are `pass` */
	bool privileged; /* asked for and passed: no trimming */
	bool moved;      /* ids are MAP or JOIN: the container's root is not the host's */
	struct pst_tighten tighten;
	const char *profile_name;
	uint64_t size; /* most bytes in the container's own layer */
	char size_source[320];
	const char *size_path; /* where the keeper is to look; NULL: it is not */
	bool size_grown;       /* what is there at the start does not count */
	char src[320]; /* last text of pst_work_source */
};

/* What policy says of a grant, exemptions counted in. */
enum pst_grant pst_work_grant(const struct pst_work *w, enum pst_grant_kind k);

/*
 * The container asks for something that needs a grant, at `pointer`. PST_OK if
 * it may (and a note is left), else the PST_E_POLICY refusal: `what` is a clause
 * such as "joins the host's network", `cure` how to ask for less.
 */
PST_CHECKED int pst_work_need(struct pst_work *w, enum pst_grant_kind k, const char *pointer,
			      const char *what, const char *cure, struct pst_err *err);

/* Is the container's namespace of this kind the host's, or of somebody who is not confined? */
bool pst_work_hosts_ns(const struct pst_work *w, enum pst_ns_kind k);

/* Text of where a policy value comes from; valid until the next call. */
const char *pst_work_source(struct pst_work *w, const char *policy_pointer);

/* Append a step; `arg` is stolen, NULL is out of memory. */
PST_CHECKED int pst_work_step(struct pst_work *w, const char *step, json_t *arg,
			      struct pst_err *err);

/* The decisions, in the order of the design. */
PST_CHECKED int pst_plan_ids(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_rootfs(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_mounts(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_net(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_netlimit(struct pst_work *w, struct pst_err *err);
/* plan_netlimit.c, for plan_watch.c: lines of core/limitwatch.h. */
void pst_plan_net_watch(struct pst_work *w, struct pst_buf *out);
PST_CHECKED int pst_plan_caps(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_syscalls(struct pst_work *w, struct pst_err *err);
/* plan_denials.c, part of it: p->filter is decided; caller may be NULL, reasons too. */
PST_CHECKED int pst_plan_denials(struct pst_work *w, const struct pst_scprof *caller,
				 const struct pst_scprof *ours, const json_t *reasons,
				 struct pst_err *err);
/* What the keeper says of the container, whatever it looks after. */
void pst_plan_headers(const struct pst_work *w, struct pst_buf *out);
PST_CHECKED int pst_plan_limits(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_disk(struct pst_work *w, struct pst_err *err);
/* plan_disk.c, for plan_trust.c: what a profile must not let through, since it would leave the
 * layer whose size is limited; `reasons` of the profile (may be NULL) get theirs. */
PST_CHECKED int pst_plan_disk_filter(const struct pst_work *w, struct pst_scprof *p, json_t *reasons,
				     struct pst_err *err);
/* plan_disk.c, for plan_watch.c: lines of core/limitwatch.h. */
void pst_plan_size_watch(const struct pst_work *w, struct pst_buf *out);
PST_CHECKED int pst_plan_devices(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_paths(struct pst_work *w, struct pst_err *err);
/* plan_watch.c: p->spec is hardened; the limits of it that the keeper looks after. */
PST_CHECKED int pst_plan_watch(struct pst_work *w, struct pst_err *err);
PST_CHECKED int pst_plan_steps(struct pst_work *w, struct pst_err *err);

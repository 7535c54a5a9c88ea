/* host/apply_priv.h - shared by apply*.c and steps*.c only. */
#pragma once

#include "host/apply.h"

struct pst_step_kind {
	const char *name;
	/* `note` starts NULL; what undo wants to know beyond `arg` may be put there. */
	int (*run)(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
	/* NULL: nothing outlives the process or the container's directory. note may be NULL. */
	int (*undo)(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);
};

/* steps.c: staging, rootfs, volumes */
int pst_step_stage(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_stage_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);
int pst_step_rootfs(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_rootfs_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);
int pst_step_volume(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);

/* stepsns.c: what is set up from the host side of a namespace, devices, stdio */
int pst_step_sysfs(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_devices(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_netsysctl(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_netsysctl_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);
int pst_step_stdio(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
/* A failed create gives the caller its descriptors back as they were. */
void pst_step_stdio_restore(struct pst_apply *a);

/* stepsns.c too: the listener of denied calls */
int pst_step_keeper(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_keeper_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);

/* stepsquota.c: the size of the container's own layer */
int pst_step_quota(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_quota_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);

/* stepsrun.c: bundle, runtime, verification */
int pst_step_bundle(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_runtime(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_runtime_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);
int pst_step_verify(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);

/* stepslimits.c: tell the keeper which limits there are */
int pst_step_limits(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
/* stepsnet.c: limits of its links; each link is journalled for itself, as "netlink" */
int pst_step_netshape(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err);
int pst_step_netlink_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);

/* lease.c's undo, written by create.c before there is a plan */
int pst_step_lease_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err);

/* A member of a step's argument, "" if it is missing. */
const char *pst_step_text(const json_t *arg, const char *key);

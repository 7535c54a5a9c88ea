/*
 * containerd/cgroup.h - the cgroup of a container, found once from its first process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

enum pst_cgroup_kind {
	PST_CGROUP_CPU, /* cpu and cpuacct */
	PST_CGROUP_MEMORY,
	PST_CGROUP_PIDS,
	PST_CGROUP_BLKIO,
	PST_CGROUP_KINDS
};

struct pst_cgroup {
	int version; /* 0: not found yet; 1, also for a hybrid tree; 2 */
	char *path[PST_CGROUP_KINDS]; /* absolute; on version 2 only the first, else NULL
					 where the controller is not there */
};

/* From /proc/PID/cgroup (cgroups(7)). A host without any controller is no error. */
PST_CHECKED PST_NONNULL(2)
int pst_cgroup_find(pid_t pid, struct pst_cgroup *ret, struct pst_err *err);
void pst_cgroup_done(struct pst_cgroup *cg);

/* The directory that holds `kind`'s files, or NULL. */
PST_CHECKED const char *pst_cgroup_dir(const struct pst_cgroup *cg, enum pst_cgroup_kind kind);

/* Is it still there? */
PST_CHECKED bool pst_cgroup_exists(const struct pst_cgroup *cg);

/* Every process in it and below. *ret is freed by the caller; a cgroup that is gone has
 * none. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_cgroup_pids(const struct pst_cgroup *cg, pid_t **ret, size_t *n, struct pst_err *err);

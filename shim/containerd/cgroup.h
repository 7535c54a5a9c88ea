/*
 * containerd/cgroup.h - the cgroup of a container, found once from its first process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/cgpath.h"

/* From /proc/PID/cgroup. A host without any controller is no error. */
PST_CHECKED PST_NONNULL(2)
int pst_cgroup_find(pid_t pid, struct pst_cgroup *ret, struct pst_err *err);

/* Is it still there? */
PST_CHECKED bool pst_cgroup_exists(const struct pst_cgroup *cg);

/* Every process in it and below. *ret is freed by the caller; a cgroup that is gone has
 * none. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_cgroup_pids(const struct pst_cgroup *cg, pid_t **ret, size_t *n, struct pst_err *err);

/*
 * host/cgroupof.h - the cgroup of a process, and its numbers.
 */
#pragma once

#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/cgnum.h"
#include "core/cgpath.h"

/* From /proc/PID/cgroup; free with pst_cgroup_done. */
PST_CHECKED PST_NONNULL(2)
int pst_cgroup_of(pid_t pid, struct pst_cgroup *ret, struct pst_err *err);

/* All numbers there are; those that cannot be read are PST_CGNUM_NONE. */
PST_NONNULL(1, 2) void pst_cgroup_numbers(const struct pst_cgroup *cg, struct pst_cgnum *ret);

/*
 * containerd/shimcgroup.h - the option ShimCgroup.
 */
#pragma once

#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* Put `pid` into cgroup `path` of every hierarchy; made where it is missing. */
PST_CHECKED PST_NONNULL(1)
int pst_shimcgroup_join(const char *path, pid_t pid, struct pst_err *err);

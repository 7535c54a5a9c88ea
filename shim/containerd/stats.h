/*
 * containerd/stats.h - a container's figures, as the metrics message of its host's
 * cgroup version.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "containerd/cgroup.h"
#include "proto/task.pb-c.h"

/* Fill `any`: type_url is constant, value.data is freed by the caller. Controllers and
 * files that are missing are left out. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_stats_pack(const struct pst_cgroup *cg, Pst__Any *any, struct pst_err *err);

/*
 * containerd/oom.h - be told when the kernel kills in a container for want of memory.
 *
 * cgroup v1: an eventfd on memory.oom_control (memory.rst, section 10); v2: inotify on
 * memory.events, where oom_kill grows. Nothing wakes up otherwise.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "containerd/cgroup.h"

struct pst_oom;

/* hit(ctx) runs from the loop. The cgroup is not kept. A container without a memory
 * cgroup gives PST_OK and NULL. */
PST_CHECKED PST_NONNULL(1, 2, 4)
int pst_oom_watch(const struct pst_cgroup *cg, void (*hit)(void *ctx), void *ctx,
		  struct pst_oom **ret, struct pst_err *err);
void pst_oom_free(struct pst_oom *o);

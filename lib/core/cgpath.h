/*
 * core/cgpath.h - the cgroup of a process, as /proc/PID/cgroup tells it. Pure.
 *
 * Source: cgroups(7) "/proc/pid/cgroup". One line a hierarchy, ID:CONTROLLERS:PATH; the
 * unified one has number 0 and no controllers.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_CGROUP_ROOT "/sys/fs/cgroup"

enum pst_cgroup_kind {
	PST_CGROUP_CPU,    /* quota and throttling */
	PST_CGROUP_CPUACCT,
	PST_CGROUP_MEMORY,
	PST_CGROUP_PIDS,
	PST_CGROUP_BLKIO,
	PST_CGROUP_KINDS
};

/* "cpu", "cpuacct", ...: the controllers' names of version 1. */
extern const char *const pst_cgroup_names[PST_CGROUP_KINDS];

struct pst_cgroup {
	int version; /* 0: no controller anywhere; 1, also for a hybrid tree; 2 */
	char *path[PST_CGROUP_KINDS]; /* absolute; on version 2 only the first; NULL where the
					 controller is not there. malloc'd, owned */
};

#define pst_auto_cgroup PST_CLEANUP(pst_cgroup_done) struct pst_cgroup

/*
 * text     of /proc/PID/cgroup; changed while it is read
 * unified  PST_CGROUP_ROOT is of version 2 itself: a unified tree beside those of version 1
 *          has no controllers, and its line is passed over. True, and the lines of
 *          version 1 are
 *
 * A host without any controller is no error. PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_cgroup_parse(char *text, bool unified, struct pst_cgroup *ret, struct pst_err *err);
void pst_cgroup_done(struct pst_cgroup *cg);

/* The directory that holds `kind`'s files, or NULL. */
PST_CHECKED const char *pst_cgroup_dir(const struct pst_cgroup *cg, enum pst_cgroup_kind kind);

/* The same as the kernel's log names it: without the mount point. */
PST_CHECKED const char *pst_cgroup_inside(int version, enum pst_cgroup_kind kind, const char *dir);

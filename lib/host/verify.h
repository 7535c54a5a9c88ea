/*
 * host/verify.h - is the container that the runtime made the one that was planned?
 *
 * Read from the kernel, not from the runtime: /proc/PID/uid_map, gid_map and
 * status (proc(5)), and the loaded syscall filter itself (ptrace(2),
 * PTRACE_SECCOMP_GET_FILTER), evaluated against the plan. (I-4)
 */
#pragma once

#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/plan.h"

/*
 * Compare the waiting init process `pid` with p->expect. PST_E_STATE with what
 * was expected and what was found. pst_verify_ids looks at the id maps alone.
 */
PST_CHECKED int pst_verify_ids(pid_t pid, const struct pst_plan *p, struct pst_err *err);
PST_CHECKED int pst_verify(pid_t pid, const struct pst_plan *p, struct pst_err *err);

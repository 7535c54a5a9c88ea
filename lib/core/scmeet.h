/*
 * core/scmeet.h - the intersection of two system call profiles (I-1).
 *
 * Pure. For each call and each set of arguments the result takes the stronger of
 * the two actions, exactly, conditions included. What cannot be said exactly in
 * one OCI profile becomes stricter, and a note tells it.
 *
 * The errno of a denial does not make it weaker or stronger; in order: the
 * caller's rule, our rule, the caller's default, our default (so that the ENOSYS
 * and EAFNOSUPPORT that libraries fall back on survive a plain default).
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/note.h"
#include "core/scprof.h"

struct pst_scmeet_opts {
	bool compat_abi;             /* keep X86 and X32 where the caller lists them */
	bool no_flags;               /* runc 1.1 refuses any flag: write an empty list */
	bool refuse_caller_listener; /* deny what the caller would have notified */
	bool allow_userns;           /* clone, unshare and setns are the caller's to decide */
};

/*
 * caller   NULL: unconfined.
 * ours     the profile of the policy.
 * o        not NULL.
 * notes    NULL: nowhere.
 * ret      a new profile (pst_scprof_free). meet(meet(a, b), b) emits the same
 *          bytes as meet(a, b) (I-7).
 *
 * PST_E_SPEC: the caller notifies without listenerPath; or the result would allow
 * by default while denying a name nobody knows (it would stay open). PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(2, 3, 5)
int pst_scmeet(const struct pst_scprof *caller, const struct pst_scprof *ours,
	       const struct pst_scmeet_opts *o, struct pst_notes *notes, struct pst_scprof **ret,
	       struct pst_err *err);

/*
 * core/scnotify.h - a profile whose denials are asked about, and what to answer.
 *
 * Pure. The denied calls of a profile become SCMP_ACT_NOTIFY, so that a listener can
 * record each with its process before it answers the errno the profile had. Allowed
 * calls are untouched and keep the kernel's bitmap. Without a listener the kernel
 * answers ENOSYS: denied stays denied (seccomp_unotify(2)).
 *
 * Left in the kernel: clone3 (each new thread tries it), calls the kernel itself
 * makes user space do (uprobe, uretprobe), TRAP, KILL and TRACE, the compat ABIs, and
 * of a call with argument rules what would need more than PST_SCNOTIFY_MAX boxes.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/note.h"
#include "core/scprof.h"

/* Extra boxes for the rest of one call with argument rules: some 40 cost libseccomp
 * half a millisecond, and a denied call some 20 instructions. */
#define PST_SCNOTIFY_MAX 48

struct pst_scnotify {
	const struct pst_scprof *caller; /* NULL: unconfined */
	const struct pst_scprof *ours;
	/* Complain mode: what this denies stays denied, all else is let through and
	 * recorded. NULL: enforce. */
	const struct pst_scprof *bound;
	const json_t *reasons; /* "postern" member of our profile, or NULL */
	const char *listener;  /* absolute path of the listener's socket */
	struct pst_notes *notes;
};

/*
 * Change `p`, the profile that would be enforced, and append to `rules` what the
 * listener has to know, one line a region, fields divided by tabs, calls in order of
 * their numbers (docs/formats.md "denials.rules"):
 *
 *   deny  NR NAME ARGS ERRNO WHO WHY   the errno the profile gives; the first that
 *                                      matches counts. WHO: profile, caller, both
 *   pass  NR NAME ARGS                 complain mode: let through
 *
 * ARGS is "-" for all, else INDEX:MASK:VALUE in hex, divided by commas.
 *
 * PST_OK without a change when `p` allows by default or has a listener already.
 * PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_scnotify(struct pst_scprof *p, const struct pst_scnotify *how, struct pst_buf *rules,
		 struct pst_err *err);

/*
 * Which denials of `p` would not be asked about, in words: {"call", "why"} each, call "" for
 * what is no single call. `p` is changed. New reference; NULL without memory.
 */
PST_CHECKED PST_NONNULL(1) json_t *pst_scnotify_lacks(struct pst_scprof *p);

/* A caller's profile that brings our own listener is one we wrote: what it would ask about
 * was denied, and is again (I-7; the same sets, perhaps in other boxes). The listener goes. */
PST_NONNULL(1) void pst_scnotify_undo(struct pst_scprof *p);

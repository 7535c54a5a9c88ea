/*
 * host/aside.h - run one function in a short-lived child process.
 *
 * For work that changes what cannot be changed back: entering a namespace,
 * probing mounts. The child shares the caller's mount namespace unless the
 * function leaves it, and ends with _exit, so no exit handler of the caller
 * runs twice. The caller must be single-threaded (or the function restricted to
 * async-signal-safe calls): the child is made by fork(2).
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* Largest `io`: with the error it must fit one atomic write to a pipe. */
#define PST_ASIDE_IO_MAX ((size_t)2048)

/* What runs in the child: PST_OK or a negative code with err filled. `io` is the
 * child's copy of the caller's bytes; what it leaves there travels back. */
typedef int (*pst_aside_fn)(void *arg, void *io, struct pst_err *err);

/*
 * Fork, run fn(arg, io, err) in the child, wait for it, and hand its result,
 * its error and (on success only) its `size` bytes at `io` back.
 *
 * arg   reaches the child as it is; changes are not seen by the caller
 * io    NULL with size 0, else at most PST_ASIDE_IO_MAX bytes
 *
 * Returns what fn returned; PST_E_HOST if the child could not be made or died
 * without a result. Always reaps the child. Costs one fork, about 0.1 ms.
 */
PST_CHECKED PST_NONNULL(1)
int pst_aside_run(pst_aside_fn fn, void *arg, void *io, size_t size, struct pst_err *err);

/*
 * host/fdpath.h - the path of an open descriptor, and "/proc/self/fd/N".
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* Room for "/proc/self/fd/" and a number. */
#define PST_FDPATH_MAX 32

/* Write "/proc/self/fd/FD": a path that leads to just what is open, for calls
 * that take no descriptor (mount(2), umount2(2)). Returns buf. */
PST_NONNULL(2) const char *pst_fdpath_proc(int fd, char buf[PST_FDPATH_MAX]);

/*
 * The canonical path of what `fd` has open, as the kernel tells it (proc(5),
 * /proc/PID/fd): absolute, no links, no dots. Malloc'd into *ret.
 *
 * Returns PST_OK; PST_E_HOST when it was removed or lies outside the caller's
 * root; PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(2) int pst_fdpath_get(int fd, char **ret, struct pst_err *err);

/*
 * host/wirefile.h - read and change an engine's configuration files, and change them back.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/wireplan.h"

/*
 * Read `path`; *there is false when there is no such file, which is no error. PST_E_STATE for
 * a symbolic link, with the cure: what it leads to may be shared, or not be writable; and
 * PST_E_POLICY for a file that others than root can write (pst_io_read_trusted).
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_wirefile_read(const char *path, struct pst_buf *out, bool *there, struct pst_err *err);

/* Is there a folder of that name? */
PST_CHECKED PST_NONNULL(1) bool pst_wirefile_folder(const char *path);

/*
 * Change every file of the plan, in order; owner and mode stay, new files are root's, 0644.
 * PST_E_STATE when a file is not as the plan read it. On failure the files changed so far
 * are as before.
 */
PST_CHECKED PST_NONNULL(1) int pst_wirefile_apply(const struct pst_wireplan *p, struct pst_err *err);

/* Put every file of an applied plan back. PST_E_HOST names the first one that could not be. */
PST_CHECKED PST_NONNULL(1) int pst_wirefile_revert(const struct pst_wireplan *p, struct pst_err *err);

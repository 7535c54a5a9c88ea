/*
 * host/mounttab.h - the mount table of this process, read and parsed.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/mountinfo.h"

/* Read /proc/self/mountinfo. `ret` is freed by the caller (pst_mounttab_done).
 * PST_E_HOST, PST_E_NOMEM. Cost: linear in the number of mounts. */
PST_CHECKED PST_NONNULL(1) int pst_mounttab_read(struct pst_mounttab *ret, struct pst_err *err);

/* Id of the mount through which `fd` was opened, as mountinfo counts (proc(5),
 * /proc/PID/fdinfo). PST_E_HOST. */
PST_CHECKED PST_NONNULL(2)
int pst_mounttab_id(int fd, uint64_t *ret, struct pst_err *err);

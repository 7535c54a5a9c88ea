/*
 * host/livemap.h - the id ranges living processes are mapped to.
 *
 * user_namespaces(7): each line of /proc/PID/uid_map is `inside outside count`,
 * outside as seen from the reader's user namespace. A line with inside ==
 * outside gives nobody new ids and is not counted (the initial namespace itself,
 * `PrivateUsers=full` of systemd); everything else is held.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "core/idrange.h"

/*
 * Add every slot to which uid_map or gid_map of a living process maps to `set`.
 * Cost: one readlink for a process (about 4 us), two files for each distinct
 * user namespace. A process that ends meanwhile is skipped; one that cannot be
 * read is not: PST_E_HOST, because what it holds is unknown (I-3).
 */
PST_CHECKED PST_NONNULL(1) int pst_livemap_scan(struct pst_idset *set, struct pst_err *err);

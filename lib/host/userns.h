/*
 * host/userns.h - a user namespace as a bare id map.
 *
 * The kernel takes the map of an id-mapped mount from a user namespace
 * (mount_setattr(2), MOUNT_ATTR_IDMAP). Ours holds no process: a child makes it,
 * the parent writes the maps and opens it, the child ends. The descriptor alone
 * keeps it alive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/idrange.h"

/* Kernel bound on lines of a map is 340 (user_namespaces(7)); a write is one page. */
#define PST_USERNS_MAX_EXTRA 64

/*
 * Make a user namespace whose uid_map and gid_map are "0 base size" and one
 * line for each of `extra`.
 *
 * base, size  host block; size > 0
 * extra, n    at most PST_USERNS_MAX_EXTRA; may be NULL with n 0
 * ret_fd      close-on-exec descriptor, owned by the caller; untouched on failure
 *
 * Returns PST_OK; PST_E_HOST (no privilege, user.max_user_namespaces reached,
 * overlapping map: EINVAL); PST_E_BUG for size 0 or too many extras.
 * About 0.15 ms. Needs CAP_SETUID and CAP_SETGID in the caller's namespace.
 */
PST_CHECKED PST_NONNULL(5)
int pst_userns_open(uint32_t base, uint32_t size, const struct pst_idextra *extra, size_t n,
		    int *ret_fd, struct pst_err *err);

/*
 * The host id of a container id in such a map; false if it has none.
 */
PST_CHECKED PST_NONNULL(6)
bool pst_userns_host_id(uint32_t base, uint32_t size, const struct pst_idextra *extra, size_t n,
			uint32_t id, uint32_t *ret);

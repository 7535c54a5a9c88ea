/*
 * host/stdfd.h - give the caller's pipes to the container.
 *
 * A process whose ids are a block's cannot reopen /dev/stdout when it is a pipe
 * of host root (mode 0600). So pipes, fifos, sockets and pty slaves get the new
 * owner before the runtime starts. Never a regular file (a log stays root's),
 * never a block device, never any other character device: an old crun once gave
 * the host's /dev/null away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Owner before the change; `given` false: was left alone. */
struct pst_stdfd_old {
	bool given;
	uint32_t uid;
	uint32_t gid;
};

/* Would pst_stdfd_give change the owner of `fd`? A closed one: no. */
PST_CHECKED bool pst_stdfd_takes(int fd);

/*
 * Give `n` descriptors to host ids uid:gid. Those of another type, closed ones
 * and those that have the owner already are skipped.
 *
 * old  n entries, always filled up to a failure; pass them to the undo
 *
 * Returns PST_OK, or PST_E_HOST after having put back those already given.
 */
PST_CHECKED PST_NONNULL(1, 5)
int pst_stdfd_give(const int fd[], size_t n, uint32_t uid, uint32_t gid,
		   struct pst_stdfd_old old[], struct pst_err *err);

/* The undo, last first (two may be one pipe). Goes on after a failure and
 * reports the first. Skips a descriptor that no longer takes owners. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_stdfd_restore(const int fd[], size_t n, const struct pst_stdfd_old old[],
		      struct pst_err *err);

/*
 * base/fd.h - file descriptors as scoped values.
 *
 * Only ownership lives here; every call that touches the machine stands in
 * host/hostops.h. An empty descriptor is -1.
 */
#pragma once

#include "base/attr.h"

/* close(2), keeping errno; -1 is ignored. */
void pst_fd_close(int fd);

static inline void pst_cleanup_fd(int *fd)
{
	pst_fd_close(*fd);
}

/* An int holding a descriptor, closed at end of scope; initialise with -1. */
#define pst_auto_fd PST_CLEANUP(pst_cleanup_fd) int

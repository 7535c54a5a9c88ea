/*
 * host/devnode.h - device nodes for a container that may not make its own.
 *
 * mknod(2) of a device fails in a user namespace, and the runtime would bind the
 * host's node with the host's owner. So nodes are made on a small tmpfs with the
 * owner and mode that the spec asks for, and bound from there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_devnode {
	const char *name; /* one path part, file name on the tmpfs */
	char type;        /* 'c', 'u' (the same), 'b', 'p', as in linux.devices[].type */
	uint32_t major;
	uint32_t minor;
	uint32_t mode; /* permission bits; a type in it is ignored */
	uint32_t uid;  /* host id: already shifted by the caller */
	uint32_t gid;
};

#define PST_DEVNODE_MAX 1024

/*
 * Mount a tmpfs at STAGE/name (root 0755 of base:base; nosuid, noexec) holding
 * `v`. On failure nothing stays mounted.
 *
 * Returns PST_OK, PST_E_SPEC (type or name), PST_E_HOST.
 */
PST_CHECKED PST_NONNULL(2)
int pst_devnode_make(int stage, const char *name, uint32_t base, const struct pst_devnode v[],
		     size_t n, struct pst_err *err);

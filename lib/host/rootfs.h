/*
 * host/rootfs.h - what a bundle's root.path is.
 *
 * Looked at once and kept by descriptor: a plain directory (one id-mapped clone
 * will do) or the root of an overlay somebody mounted (to be rebuilt by
 * host/overlay.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ovl.h"
#include "host/idmap.h"

enum pst_rootfs_kind {
	PST_ROOTFS_PLAIN,   /* a directory, perhaps a mount point, not an overlay's root */
	PST_ROOTFS_OVERLAY, /* root of an overlay mount; `layout` says of what */
	PST_ROOTFS_OTHER,   /* cannot be rebuilt; layout.unsupported says why */
};

struct pst_rootfs {
	int fd;     /* O_PATH on the directory; -1 in an empty value */
	char *path; /* canonical: no link in it */
	enum pst_rootfs_kind kind;
	struct pst_ovl_layout layout; /* of OVERLAY, paths absolute */
	uint64_t mount_id;            /* mount it lies on */
	uint32_t magic;               /* statfs(2) f_type */
	bool readonly;                /* the mount is */
	bool submounts;               /* mounts hang below it */
};

/* An empty value for initialising. */
#define PST_ROOTFS_EMPTY ((struct pst_rootfs){.fd = -1})

/* Closes and frees; accepts an empty value. */
void pst_rootfs_done(struct pst_rootfs *r);
#define pst_auto_rootfs PST_CLEANUP(pst_rootfs_done) struct pst_rootfs

/*
 * Open root.path of a bundle as runc reads it: a relative path starts at the
 * bundle, "." and ".." are taken as text, and then no part may be a symbolic
 * link (runc refuses with "not an absolute path, or a symlink"). The bundle
 * directory itself may be reached through links.
 *
 * bundle  path of the bundle directory
 * path    root.path of config.json
 * ret     on success to be freed with pst_rootfs_done; untouched on failure
 *
 * Returns PST_OK; PST_E_SPEC with pointer /root/path for a missing directory, a
 * link or a file (err->sys has errno); PST_E_HOST, PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_rootfs_open(const char *bundle, const char *path, struct pst_rootfs *ret,
		    struct pst_err *err);

/*
 * The id-mapped clone of a PLAIN root, recursive or else flat.
 *
 * fd       O_PATH descriptor of the directory in the present mount namespace
 * userns   the id map
 * ret_kind how far it reaches; never PST_IDMAP_NONE
 * ret_mnt  detached mount, owned by the caller
 *
 * Returns PST_OK, or PST_E_HOST when the file system cannot be mapped.
 */
PST_CHECKED PST_NONNULL(3, 4)
int pst_rootfs_clone(int fd, int userns, enum pst_idmap_kind *ret_kind, int *ret_mnt,
		     struct pst_err *err);

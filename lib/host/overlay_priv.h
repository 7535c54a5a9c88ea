/*
 * host/overlay_priv.h - shared by host/overlay*.c only.
 *
 * The parts of an overlay as id-mapped clones, and the two ways of mounting them.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "host/overlay.h"

/* All descriptors are owned. rw, upper and work are -1 without an upper layer. */
struct pst_overlay_parts {
	int *lower; /* mapped, read-only clones, topmost first */
	size_t n;
	int rw;    /* mapped clone of the common parent of upper and work */
	int upper; /* O_PATH, both inside rw: overlayfs wants them on one mount */
	int work;
};

#define PST_OVERLAY_PARTS_EMPTY ((struct pst_overlay_parts){.rw = -1, .upper = -1, .work = -1})

void pst_overlay_parts_done(struct pst_overlay_parts *p);

/* Open and clone every directory of `l`; see pst_overlay_build for errors. */
PST_CHECKED
int pst_overlay_parts_open(const struct pst_ovl_layout *l, const struct pst_overlay_how *how,
			   struct pst_overlay_parts *ret, struct pst_err *err);

/* Mount the parts with overlayfs; the caller has set fsuid and fsgid. */
PST_CHECKED
int pst_overlay_mount_fd(const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
			 const char *source, int *ret_mnt, struct pst_err *err);
PST_CHECKED
int pst_overlay_mount_attached(const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
			       const char *source, int scratch, int *ret_mnt, struct pst_err *err);

/* A detached tmpfs for scratch use or a probe. */
PST_CHECKED int pst_overlay_tmpfs(int *ret_mnt, struct pst_err *err);

/* Run `fn` with fsuid = fsgid = base and all capabilities, and come back. Returns
 * fn's result; PST_E_BUG when the process could not come back. */
PST_CHECKED
int pst_overlay_as(uint32_t base, int (*fn)(void *arg, struct pst_err *err), void *arg,
		   struct pst_err *err);

/*
 * host/overlay.h - an overlay anew, from id-mapped clones of its directories.
 *
 * Each lower directory, and the common parent of upper and work, is cloned with
 * the id map; the overlay is made of the clones by a caller whose fsuid and fsgid
 * are the block's first id while its capabilities stay. Then what a container
 * writes as id 0 is stored as id 0 (I-10) and nothing needs a chown.
 *
 * Made with fsuid 0 instead, the kernel cannot create its work directory
 * (EOVERFLOW), mounts read-only and reports success: every result is checked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ovl.h"

/* How layers can be handed to this kernel's overlayfs. */
enum pst_overlay_form {
	PST_OVERLAY_NONE,     /* no id-mapped layers at all (before 5.19) */
	PST_OVERLAY_ATTACHED, /* layers must hang in the mount tree while mounting */
	PST_OVERLAY_FD,       /* detached layers by descriptor (6.15) */
};

/* "none", "attached", "fd"; and back (false for another word). */
const char *pst_overlay_form_name(enum pst_overlay_form form);
PST_CHECKED PST_NONNULL(1, 2)
bool pst_overlay_form_parse(const char *name, enum pst_overlay_form *ret);

/*
 * Find the best form by trying it in a child with a mount namespace of its own,
 * on tmpfs; nothing is visible outside. About 1 ms; the caller keeps the answer
 * in its facts. The last resort for a kernel whose tmpfs cannot be mapped
 * (before 6.3) is PST_OVERLAY_ATTACHED if mount_setattr(2) exists: the build
 * itself then tells.
 *
 * Returns PST_OK or PST_E_HOST (no child, no privilege).
 */
PST_CHECKED PST_NONNULL(1)
int pst_overlay_probe(enum pst_overlay_form *ret, struct pst_err *err);

struct pst_overlay_how {
	enum pst_overlay_form form; /* from pst_overlay_probe */
	uint32_t base;              /* first host id of the block */
	int userns;                 /* from host/userns.h, maps 0 to base */
	const char *source;         /* text for the mount table, e.g. "postern"; <= 255 bytes */
	int scratch;                /* form ATTACHED: a directory a tmpfs may cover for a
				     * moment, else -1. In a private mount namespace
				     * nobody sees it */
	bool owned;                 /* what is in upper belongs to the map's host ids already:
				     * only the lower directories are mapped, and the
				     * mounter is root. `base` is not looked at */
	bool live;                  /* the same upper is mounted by somebody else right now */
};

/*
 * Build the overlay of `layout` as a detached mount.
 *
 * A layout without upper, or marked readonly, gives a read-only mount; one lower
 * alone and no upper gives a mapped clone of it, since the kernel refuses an
 * overlay of one. Layout paths must be absolute (pst_overlay_resolve). Each path
 * is resolved once, links followed as the first mounter's kernel did.
 *
 * ret_mnt  descriptor of the mount, owned by the caller; untouched on failure.
 *
 * Returns PST_OK; PST_E_SPEC for a layout that is `unsupported`, relative or
 * `userxattr`; PST_E_HOST when a layer's file system cannot be mapped
 * (err->sys EINVAL, the layer is named), or the mount would be read-only
 * though asked writable (err->sys EROFS).
 * On every path the process has its own fsuid, fsgid and securebits again; if
 * the kernel refuses that, PST_E_BUG, and the caller must end.
 * About 0.35 ms for one lower, 0.5 ms for 20. The process must be root with
 * CAP_SETPCAP, CAP_SETUID, CAP_SETGID and CAP_SYS_ADMIN.
 * With `live` a work directory of our own, PST_OVERLAY_WORK, is made beside the
 * first mount's. Sharing that one would empty it, after which the first mount can
 * no longer remove or rename (ENOENT), and a volatile one refuses to be shared.
 * pst_overlay_forget takes it away again.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_overlay_build(const struct pst_ovl_layout *layout, const struct pst_overlay_how *how,
		      int *ret_mnt, struct pst_err *err);

#define PST_OVERLAY_WORK "postern-work"

/*
 * Remove the work directory that a build with `live` made for `layout`, once its
 * overlay is unmounted. One that is not there, and a layout whose directories are
 * gone, are success (I-5). Never enters another mount.
 * Returns PST_OK or PST_E_HOST.
 */
PST_CHECKED PST_NONNULL(1)
int pst_overlay_forget(const struct pst_ovl_layout *layout, struct pst_err *err);

/*
 * Make the relative paths of `layout` absolute. The mounter had changed
 * directory to shorten its options, and nothing records where to; so the
 * ancestors of the upper directory and of the mount point are tried, and one is
 * believed only if a name at the top of a relative layer has there the inode the
 * merged view shows. (Same inode numbers need all layers on one file system.)
 *
 * layout  changed in place on success only
 * merged  O_PATH descriptor of the mounted overlay's root
 * point   its path, clean and absolute
 *
 * Returns PST_OK (also when nothing is relative), PST_E_HOST when no candidate
 * passes, PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_overlay_resolve(struct pst_ovl_layout *layout, int merged, const char *point,
			struct pst_err *err);

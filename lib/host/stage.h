/*
 * host/stage.h - the staging directory, and mounts put in place.
 *
 * STAGE is where the runtime finds what we prepared: STAGE/root, STAGE/v0, ...
 * It is a directory of mode 0700 owned by the block's first id (the runtime's
 * init enters as that id), below a parent of mode 0711 owned by root. Mounts are
 * attached in a private mount namespace, so the host's table has none of them
 * and they end with the container; the empty directories stay visible to the
 * host, which `runc exec` needs for its working directory.
 *
 * Names in STAGE are single path parts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Make `parent`/`name` for the block starting at `base`. A missing last part of
 * `parent` is made (0711 root); an existing one must be a directory owned by
 * root that others cannot write. An existing STAGE is an error (PST_E_STATE).
 *
 * ret_dfd  O_PATH|O_DIRECTORY descriptor of STAGE, owned by the caller
 *
 * Returns PST_OK, PST_E_POLICY (untrustworthy parent), PST_E_STATE, PST_E_HOST.
 * On failure nothing it made remains, an existing STAGE aside.
 */
PST_CHECKED PST_NONNULL(1, 2, 4)
int pst_stage_make(const char *parent, const char *name, uint32_t base, int *ret_dfd,
		   struct pst_err *err);

/* O_PATH descriptor of an existing STAGE as the present mount namespace sees it.
 * Needed again after pst_stage_private: the old one names the host's mount. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_stage_open(const char *parent, const char *name, int *ret_dfd, struct pst_err *err);

/*
 * Remove STAGE and what is in it, first detaching mounts of the present mount
 * namespace at STAGE/entry. Never follows links, never enters a mount. A STAGE that
 * does not exist is success (I-5).
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_stage_remove(const char *parent, const char *name, struct pst_err *err);

/*
 * Put this process into a mount namespace of its own in which everything is
 * MS_SLAVE: mounts of the host still arrive, ours do not leave.
 */
PST_CHECKED int pst_stage_private(struct pst_err *err);

/*
 * Make the mount point STAGE/name: a directory, or an empty file for what is not
 * one. One that exists with the right type is kept.
 */
PST_CHECKED PST_NONNULL(2)
int pst_stage_slot(int stage, const char *name, bool directory, struct pst_err *err);

/*
 * Attach a detached mount at STAGE/name (made as needed, directory or file as
 * fits the mount's root). `mnt` stays open and owned by the caller; it names the
 * attached mount afterwards.
 */
PST_CHECKED PST_NONNULL(2)
int pst_stage_attach(int stage, const char *name, int mnt, struct pst_err *err);

/* Detach the topmost mount at STAGE/name; no mount there is success. */
PST_CHECKED PST_NONNULL(2)
int pst_stage_detach(int stage, const char *name, struct pst_err *err);

/* How we know a mount of ours again. Fixed size: it goes into the journal. */
struct pst_cover {
	uint32_t major; /* of the superblock */
	uint32_t minor;
	char source[64]; /* as given to pst_overlay_build */
};

/*
 * Put our overlay over somebody else's at the same path, in the caller's mount
 * namespace (the host's), so that an engine's own tools see what the container
 * sees; and hand out a second, detached copy of the same mount for STAGE/root.
 *
 * path       mount point, canonical
 * under_fd   O_PATH descriptor of the root of what is to be covered: `path` must
 *            still lead there, else PST_E_STATE
 * mnt        detached mount; attached afterwards, still owned by the caller
 * ret        recorded for the undo
 * ret_clone  detached second copy, owned by the caller
 *
 * On failure nothing is left attached.
 */
PST_CHECKED PST_NONNULL(1, 4, 5)
int pst_stage_cover(const char *path, int under_fd, int mnt, struct pst_cover *ret,
		    int *ret_clone, struct pst_err *err);

/*
 * Take the cover off if the topmost mount at `path` is still ours (a mark without
 * device numbers is known by its source alone, which is unique per container); anything else
 * there, or nothing, is left alone. `ret_removed` (may be NULL) says whether it
 * was. Returns PST_OK or PST_E_HOST.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_stage_uncover(const char *path, const struct pst_cover *mark, bool *ret_removed,
		      struct pst_err *err);

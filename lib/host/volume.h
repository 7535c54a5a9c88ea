/*
 * host/volume.h - the source of a bind mount, opened once.
 *
 * The path is resolved a single time, links followed as the runtime would; from
 * then on only the descriptor is used, so nobody can swap the source between
 * the decision and the mount.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/err.h"
#include "host/idmap.h"

enum pst_volume_kind {
	PST_VOLUME_DIR,
	PST_VOLUME_FILE,
	PST_VOLUME_SOCKET,
	PST_VOLUME_CHAR,
	PST_VOLUME_BLOCK,
	PST_VOLUME_FIFO,
};

/* "directory", "file", "socket", "char", "block", "fifo". */
const char *pst_volume_kind_name(enum pst_volume_kind kind);

struct pst_volume {
	int fd; /* O_PATH; -1 in an empty value */
	enum pst_volume_kind kind;
	char *path;     /* canonical, no links in it */
	struct stat st; /* owner, mode, device and inode */
	uint32_t magic; /* statfs(2) f_type of its file system */
	bool readonly;  /* its mount or file system is */
	bool searchable; /* others may search every directory above it (mode o+x) */
};

#define PST_VOLUME_EMPTY ((struct pst_volume){.fd = -1})

/* Closes and frees; accepts an empty value. */
void pst_volume_done(struct pst_volume *v);
#define pst_auto_volume PST_CLEANUP(pst_volume_done) struct pst_volume

/*
 * Open a bind source.
 *
 * dfd     directory for relative paths (the bundle), or AT_FDCWD
 * source  as in mounts[].source
 * ret     on success freed by the caller with pst_volume_done
 *
 * Returns PST_OK; PST_E_SPEC when it does not exist or cannot be reached
 * (err->sys ENOENT, ENOTDIR, ELOOP); PST_E_HOST; PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_volume_open(int dfd, const char *source, struct pst_volume *ret, struct pst_err *err);

/*
 * Open again by the recorded path in the present mount namespace and insist on
 * the same device, inode and type: for a descriptor taken before
 * pst_stage_private. PST_E_STATE if something else stands there now.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_volume_reopen(const struct pst_volume *v, struct pst_volume *ret, struct pst_err *err);

/*
 * A detached clone for the container: mapped as far as the file system lets.
 *
 * how       userns -1 for a plain clone (sockets of host daemons)
 * ret_kind  how far the map reaches, PST_IDMAP_NONE if not at all; the plan has
 *           decided beforehand whether that will do (pst_idmap_probe on v->fd)
 * ret_mnt   owned by the caller; goes to pst_stage_attach
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4)
int pst_volume_clone(const struct pst_volume *v, const struct pst_idmap_how *how,
		     enum pst_idmap_kind *ret_kind, int *ret_mnt, struct pst_err *err);

/*
 * host/statedir.h - the directory that holds all state, opened once and trusted.
 *
 *   ROOT/          0711  passed in; /run/postern unless built otherwise
 *     ids/         0700  leases (host/lease.h)
 *     c/KEY/       0700  one container (host/state.h)
 *     making/      0700  one link per container being made or removed, so that a
 *                        sweep looks at few, not at all (host/state.h)
 *     stage/       0711  staging directories of the applier, one per container
 *     denials/     0700  what was refused, one file per container; outlives it
 *     net/         0700  one record per limited network link (host/netshape.h)
 *     quota/       0700  one record per limited subvolume (host/quotahold.h)
 *
 * Trust (design 7): each directory must be a directory (no symbolic link),
 * owned by root or by us, and not writable by group or others; it is then used
 * by descriptor and never resolved again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum pst_subdir { PST_DIR_IDS, PST_DIR_C, PST_DIR_MAKING, PST_DIR_STAGE, PST_DIR_DENIALS, PST_DIR_NET, PST_DIR_QUOTA, PST_NDIRS };

struct pst_statedir {
	char path[256];     /* as opened, for messages and for paths others need */
	int fd;             /* ROOT */
	int sub[PST_NDIRS]; /* opened by pst_statedir_sub; -1 until then */
};

#define PST_STATEDIR_NONE {.fd = -1, .sub = {-1, -1, -1, -1, -1, -1, -1}}

/* A struct pst_statedir on the stack; initialise with PST_STATEDIR_NONE. */
#define pst_auto_statedir PST_CLEANUP(pst_statedir_close) struct pst_statedir

/*
 * Open ROOT at `path` (absolute, shorter than 256 bytes), making it if it is
 * not there; its parent must exist. PST_E_POLICY when it cannot be trusted,
 * PST_E_HOST with the cure when it cannot be made (read-only, full).
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_statedir_open(const char *path, struct pst_statedir *out, struct pst_err *err);

/* Like pst_statedir_open, but a missing ROOT is PST_E_HOST with sys ENOENT:
 * for verbs that only look. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_statedir_look(const char *path, struct pst_statedir *out, struct pst_err *err);

/* The descriptor of a sub directory, made if missing; borrowed, valid until
 * pst_statedir_close. Same errors as pst_statedir_open. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_statedir_sub(struct pst_statedir *sd, enum pst_subdir which, int *ret, struct pst_err *err);

/* The same directory opened anew and locked (flock(2)), for the caller to close, which unlocks it unless
 * a child holds the description too. Waits for whoever has the lock. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_statedir_lock(struct pst_statedir *sd, enum pst_subdir which, int *ret, struct pst_err *err);

/* Closes everything; accepts PST_STATEDIR_NONE. */
void pst_statedir_close(struct pst_statedir *sd);

/*
 * Add to a PST_E_HOST error of a write below the state directory what to do
 * about it (ENOSPC, EDQUOT: full; EROFS: read-only; EACCES, EPERM: not root).
 * Returns err->code; accepts NULL.
 */
int pst_statedir_cure(const struct pst_statedir *sd, struct pst_err *err);

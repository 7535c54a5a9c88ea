/*
 * core/mountinfo.h - the mount table as the kernel prints it.
 *
 * Pure: the caller reads /proc/PID/mountinfo and hands the text over. Format:
 * proc(5), "mountinfo"; fields escape space, tab, newline and backslash as
 * three octal digits (kernel fs/seq_file.c, mangle_path).
 *
 * Paths are text as the reading process sees them, clean and absolute.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* One mount. All strings belong to the table, octal escapes undone except in
 * `super`, whose commas could not be told apart afterwards (see core/ovl.h). */
struct pst_mountinfo {
	uint64_t id;
	uint64_t parent;
	uint32_t major; /* st_dev of files on it */
	uint32_t minor;
	const char *root;   /* directory of the file system that is its root */
	const char *point;  /* where it is mounted */
	const char *opts;   /* per-mount options, "rw,nosuid,..." */
	const char *fstype; /* "ext4", "overlay", "fuse.fuse-overlayfs" */
	const char *source; /* free text of whoever mounted */
	const char *super;  /* per-superblock options, still escaped */
	bool shared;        /* member of a peer group */
	bool slave;         /* receives mounts from one */
	bool readonly;      /* by its own options or its superblock's */
};

struct pst_mounttab {
	struct pst_mountinfo *v; /* in the kernel's order */
	size_t n;
	char *text; /* what the strings point into */
};

/* Frees the table; accepts an empty one. */
void pst_mounttab_done(struct pst_mounttab *t);

/* A struct pst_mounttab on the stack; initialise with {0}. */
#define pst_auto_mounttab PST_CLEANUP(pst_mounttab_done) struct pst_mounttab

/*
 * Parse `len` bytes of mountinfo text.
 *
 * ret  filled on success, freed by the caller with pst_mounttab_done.
 *
 * Returns PST_OK, PST_E_HOST (a line that is not mountinfo; the message has its
 * number) or PST_E_NOMEM. A last line without newline is read too.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_mountinfo_parse(const char *text, size_t len, struct pst_mounttab *ret,
			struct pst_err *err);

/*
 * The mount in which `path` lies, as a lookup would find it: of several mounts
 * at one place the topmost, and never one that is hidden by a later mount over
 * one of its parents. `path` need not exist. NULL only if the table has no
 * mount above it. Borrowed from the table.
 */
PST_NONNULL(1, 2)
const struct pst_mountinfo *pst_mountinfo_of(const struct pst_mounttab *t, const char *path);

/* Does the mount itself carry this option ("ro", "nosuid")? */
PST_NONNULL(1, 2)
bool pst_mountinfo_has(const struct pst_mountinfo *m, const char *option);

/* The topmost mount whose mount point is exactly `path`; NULL if `path` is not
 * a mount point, or one that a lookup no longer reaches. */
PST_NONNULL(1, 2)
const struct pst_mountinfo *pst_mountinfo_at(const struct pst_mounttab *t, const char *path);

/* Is a mount point of the table strictly below `path`? (submounts of a bind) */
PST_CHECKED PST_NONNULL(1, 2)
bool pst_mountinfo_below(const struct pst_mounttab *t, const char *path);

/* Undo the kernel's octal escapes in place; what is not \ooo stays. */
PST_NONNULL(1) void pst_mountinfo_unescape(char *s);

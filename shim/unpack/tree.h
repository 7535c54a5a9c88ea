/*
 * unpack/tree.h - the directory a layer is unpacked into, and how names in it
 * are reached.
 *
 * Every parent is opened with openat2(2) beneath the tree's root and through no
 * symbolic link, so that an entry cannot be led elsewhere by one that came
 * before it. Nobody else writes to the tree meanwhile: it lies under a 0700
 * directory of root, named .tmp-*, under its own lock (cache.h).
 *
 * What is found out on the way and can only be done later or by others is
 * collected here: directories whose time must be set last, directories to be
 * marked opaque, and directories no entry described.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct tree {
	int root;
	char parent[PATH_MAX]; /* the directory opened last, kept open */
	int parent_fd;
	struct pst_buf times;  /* "path\0" and a struct timespec each */
	struct pst_buf opaque; /* "path\0" each */
	void *implicit;        /* tsearch(3) of malloc'd paths */
	uint64_t made;         /* files and directories so far */
	uint64_t max_made;
	bool root_described;
};

#define TREE_EMPTY                          \
	{                                   \
		.root = -1, .parent_fd = -1 \
	}

void tree_done(struct tree *t);

/* The directory `dir` ("" is the root), made with its parents if missing (0755
 * root:root, noted as implicit). Borrowed until the next call. A link or a
 * file on the way is PST_E_SPEC naming `entry`. */
PST_CHECKED PST_NONNULL(1, 2, 3, 4) int tree_parent(struct tree *t, const char *dir,
						    const char *entry, int *ret,
						    struct pst_err *err);

/* Like tree_parent, but nothing is made: for the target of a hard link. */
PST_CHECKED PST_NONNULL(1, 2, 3, 4) int tree_existing(struct tree *t, const char *dir,
						      const char *entry, int *ret,
						      struct pst_err *err);

/* What stands at pfd/base is in the way of `entry`: remove it. A directory that
 * is not empty is PST_E_SPEC. *ret_whiteout: it was a whiteout. */
PST_CHECKED PST_NONNULL(1, 3, 4) int tree_clear(struct tree *t, int pfd, const char *base,
						const char *entry, bool *ret_whiteout,
						struct pst_err *err);

/* An entry described directory `path`: open it, making it if need be. */
PST_CHECKED PST_NONNULL(1, 2, 3, 4, 5) int tree_dir(struct tree *t, const char *dir,
						    const char *base, const char *entry, int *ret,
						    struct pst_err *err);

/* One more file or directory; PST_E_SPEC above the limit. */
PST_CHECKED int tree_count(struct tree *t, struct pst_err *err);

void tree_note_time(struct tree *t, const char *dir, const char *base, struct timespec when);
void tree_note_opaque(struct tree *t, const char *dir, const char *base);

/* Set the noted times, then write the two lists as files `opaque` and `implicit`
 * of directory `where`. */
PST_CHECKED int tree_finish(struct tree *t, int where, struct pst_err *err);

PST_CHECKED bool tree_is_whiteout(const struct stat *st);

/* Write `len` bytes as new file where/name. */
PST_CHECKED int tree_list_write(int where, const char *name, const struct pst_buf *list,
				struct pst_err *err);

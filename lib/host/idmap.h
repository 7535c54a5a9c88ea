/*
 * host/idmap.h - detached, id-mapped copies of a directory or file.
 *
 * A clone is a mount that is attached nowhere; closing its descriptor ends it.
 * Container id 0 is disk id 0 through it (I-10). Which file systems allow it is
 * asked of the kernel each time, never looked up by name.
 *
 * A source descriptor must lie in the caller's present mount namespace: one
 * opened before unshare(CLONE_NEWNS) names a mount of the old namespace and
 * gets EINVAL from open_tree(2). Clones already made survive the change.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* How far the map reaches. */
enum pst_idmap_kind {
	PST_IDMAP_NONE,      /* not mapped: the file system refuses */
	PST_IDMAP_FLAT,      /* the mount itself; mounts below it are left out */
	PST_IDMAP_RECURSIVE, /* the mount and all mounts below it */
};

/* "none", "flat", "recursive". */
const char *pst_idmap_kind_name(enum pst_idmap_kind kind);

struct pst_idmap_how {
	int userns;     /* from host/userns.h; -1 makes a plain clone, not mapped */
	bool recursive; /* with the mounts below */
	bool readonly;
	bool slave;     /* keep receiving mounts from the source (MS_SLAVE); else private */
};

/*
 * Clone what `fd` stands for, exactly as told.
 *
 * fd       descriptor of a file or directory, O_PATH is enough
 * ret_mnt  descriptor of the detached mount, owned by the caller
 *
 * Returns PST_OK or PST_E_HOST; err->sys is EINVAL when the file system (or, with
 * recursive, one below it) cannot be mapped, EPERM when it is mapped already.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_idmap_clone(int fd, const struct pst_idmap_how *how, int *ret_mnt, struct pst_err *err);

/*
 * Clone as far as the kernel lets: with how->recursive mapped recursively, else
 * mapped flat, else plain (recursive as asked). `ret_kind` says which. A caller
 * that must not have an unmapped mount looks at ret_kind and closes it.
 *
 * Returns PST_OK, or PST_E_HOST when not even a plain clone can be made.
 */
PST_CHECKED PST_NONNULL(2, 3, 4)
int pst_idmap_clone_best(int fd, const struct pst_idmap_how *how, enum pst_idmap_kind *ret_kind,
			 int *ret_mnt, struct pst_err *err);

/*
 * What pst_idmap_clone_best would reach for `fd`, with no effect anybody sees.
 * With `recursive` false the best answer is PST_IDMAP_FLAT.
 */
PST_CHECKED
enum pst_idmap_kind pst_idmap_probe(int fd, int userns, bool recursive);

/*
 * host/dirents.h - the names in a directory, without readdir(3)'s allocation.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* Called with each name; a code other than PST_OK ends the walk. */
typedef int pst_dirents_fn(void *arg, const char *name, struct pst_err *err);

/*
 * Call `fn` with each name in the open directory `fd` except "." and "..", in
 * the file system's order (no order at all). The offset is rewound first.
 * Names that come or go meanwhile may be seen or not (readdir(3)).
 */
PST_CHECKED PST_NONNULL(2)
int pst_dirents_each(int fd, pst_dirents_fn *fn, void *arg, struct pst_err *err);

/* Names, sorted bytewise; {0} is the empty list. */
struct pst_dirnames {
	char **v;
	size_t n;
	size_t cap;
};

/* All names of the open directory `fd`. `out` must be empty; on failure it stays so. */
PST_CHECKED PST_NONNULL(2)
int pst_dirnames_read(int fd, struct pst_dirnames *out, struct pst_err *err);

/* Frees the list and empties it. */
void pst_dirnames_done(struct pst_dirnames *l);

#define pst_auto_dirnames PST_CLEANUP(pst_dirnames_done) struct pst_dirnames

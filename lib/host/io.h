/*
 * host/io.h - whole-file reads and writes over the table of host operations.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* write(2) until all is written, EINTR and short writes handled. 0, or -1 with errno. */
PST_CHECKED int pst_io_write_all(int fd, const void *data, size_t len);

/* Read from the current offset to end of file into `out`, at most `max` bytes
 * (more is PST_E_SPEC naming `name`). */
PST_CHECKED int pst_io_read_fd(int fd, size_t max, const char *name, struct pst_buf *out,
			       struct pst_err *err);

/*
 * Open `path` under `dfd` (AT_FDCWD for none) and read it whole. Last part may
 * not be a symbolic link; must be a regular file (a pipe or a device in place
 * of a document would block or lie). ENOENT is PST_E_HOST with err->sys ENOENT.
 */
PST_CHECKED int pst_io_read_file(int dfd, const char *path, size_t max, struct pst_buf *out,
				 struct pst_err *err);

/* Like pst_io_read_file, but a file trusted with policy: owned by root and not
 * writable by group or others, else PST_E_POLICY with the cure (design 7). */
PST_CHECKED int pst_io_read_trusted(int dfd, const char *path, size_t max, struct pst_buf *out,
				    struct pst_err *err);

/* Read a small procfs/sysfs file into buf (size bytes, NUL-terminated); returns
 * its length or -1 with errno. For files whose st_size is 0. */
PST_CHECKED ssize_t pst_io_read_small(int dfd, const char *path, char *buf, size_t size);

/*
 * Write `len` bytes as `dfd`/`name` so that a reader sees all or nothing:
 * temporary file, then rename. State lives where a boot empties it, so there is no fsync:
 * a killed process leaves the old file or the new one. The temporary is removed on failure.
 */
PST_CHECKED int pst_io_replace(int dfd, const char *name, const void *data, size_t len,
			       mode_t mode, struct pst_err *err);

/*
 * The same for a file that stays: with the owner and mode of `like` (a struct stat of the file
 * replaced, or made up for a new one), and on the disk before it takes the old one's place,
 * so that a power failure leaves the old file or the new one.
 */
struct stat;
PST_CHECKED PST_NONNULL(1, 2, 4)
int pst_io_replace_like(const char *path, const void *data, size_t len, const struct stat *like,
			struct pst_err *err);

/* Write a string to an existing file (sysctl style), one write(2). */
PST_CHECKED int pst_io_put(int dfd, const char *path, const char *text, struct pst_err *err);

/* Remove a tree below dfd/name without following links or crossing mounts.
 * A missing tree is success. Bounded depth 64. */
PST_CHECKED int pst_io_remove_tree(int dfd, const char *name, struct pst_err *err);

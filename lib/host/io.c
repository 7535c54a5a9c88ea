#include "host/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/hostops.h"

int pst_io_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		const ssize_t n = pst_host->write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int pst_io_read_fd(int fd, size_t max, const char *name, struct pst_buf *out, struct pst_err *err)
{
	char chunk[16384];
	for (;;) {
		const ssize_t n = pst_host->read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			pst_fail_sys(err, "cannot read %s", name);
			return pst_err_file(err, name), PST_E_HOST;
		}
		if (n == 0)
			return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
		if (out->len + (size_t)n > max) {
			pst_fail(err, PST_E_SPEC, "", "%s is larger than %zu bytes", name, max);
			pst_err_file(err, name);
			return PST_E_SPEC;
		}
		pst_buf_add(out, chunk, (size_t)n);
	}
}

static int open_regular(int dfd, const char *path, struct stat *st, int *ret, struct pst_err *err)
{
	/* O_NONBLOCK: a fifo put in place of a document must not block the open. */
	pst_auto_fd fd = pst_host->openat(
		dfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		pst_fail_sys(err, "cannot open %s", path);
		pst_err_file(err, path);
		return PST_E_HOST;
	}
	if (pst_host->fstat(fd, st) != 0)
		return pst_fail_sys(err, "cannot stat %s", path);
	if (!S_ISREG(st->st_mode)) {
		pst_fail(err, PST_E_SPEC, "", "%s is not a regular file", path);
		pst_err_file(err, path);
		return PST_E_SPEC;
	}
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

int pst_io_read_file(int dfd, const char *path, size_t max, struct pst_buf *out,
		     struct pst_err *err)
{
	pst_auto_fd fd = -1;
	struct stat st;
	const int rc = open_regular(dfd, path, &st, &fd, err);
	return rc != PST_OK ? rc : pst_io_read_fd(fd, max, path, out, err);
}

int pst_io_read_trusted(int dfd, const char *path, size_t max, struct pst_buf *out,
			struct pst_err *err)
{
	pst_auto_fd fd = -1;
	struct stat st;
	const int rc = open_regular(dfd, path, &st, &fd, err);
	if (rc != PST_OK)
		return rc;
	/* The caller may be an ordinary user trying a file of his own with `plan`. */
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		pst_fail(err, PST_E_POLICY, "",
			 "%s is owned by uid %u with mode %04o: others could have written it", path,
			 (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
		pst_err_file(err, path);
		return pst_err_cure(err, "chown root %s && chmod go-w %s", path, path);
	}
	return pst_io_read_fd(fd, max, path, out, err);
}

ssize_t pst_io_read_small(int dfd, const char *path, char *buf, size_t size)
{
	pst_auto_fd fd = pst_host->openat(dfd, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	size_t len = 0;
	while (len + 1 < size) {
		const ssize_t n = pst_host->read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

/* Write the temporary file: `like` NULL is no file to resemble, and no need to reach the disk. */
static int fill(int fd, const char *tmp, const void *data, size_t len, const struct stat *like,
		struct pst_err *err)
{
	if (pst_io_write_all(fd, data, len) != 0)
		return pst_fail_sys(err, "cannot write %s", tmp);
	if (like == NULL)
		return PST_OK;
	if (pst_host->fchown(fd, like->st_uid, like->st_gid) != 0 ||
	    pst_host->fchmod(fd, like->st_mode & 07777) != 0)
		return pst_fail_sys(err, "cannot give %s the owner and mode of the file it replaces", tmp);
	return pst_host->fsync(fd) == 0 ? PST_OK : pst_fail_sys(err, "cannot write %s to the disk", tmp);
}

static int replace(int dfd, const char *name, const void *data, size_t len, mode_t mode,
		   const struct stat *like, struct pst_err *err)
{
	char tmp[512];
	const int n = snprintf(tmp, sizeof tmp, "%s.%ld.tmp", name, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof tmp)
		return pst_fail(err, PST_E_BUG, "", "file name too long: %s", name);

	pst_auto_fd fd = pst_host->openat(dfd, tmp,
					  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return pst_fail_sys(err, "cannot create %s", tmp);
	int rc = fill(fd, tmp, data, len, like, err);
	if (rc == PST_OK && pst_host->renameat(dfd, tmp, dfd, name) != 0)
		rc = pst_fail_sys(err, "cannot rename %s to %s", tmp, name);
	if (rc != PST_OK)
		(void)pst_host->unlinkat(dfd, tmp, 0);
	return rc;
}

int pst_io_replace(int dfd, const char *name, const void *data, size_t len, mode_t mode,
		   struct pst_err *err)
{
	return replace(dfd, name, data, len, mode, NULL, err);
}

int pst_io_replace_like(const char *path, const void *data, size_t len, const struct stat *like,
			struct pst_err *err)
{
	return replace(AT_FDCWD, path, data, len, 0600, like, err);
}

int pst_io_put(int dfd, const char *path, const char *text, struct pst_err *err)
{
	pst_auto_fd fd = pst_host->openat(dfd, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s", path);
	const size_t len = strlen(text);
	if (pst_host->write(fd, text, len) != (ssize_t)len)
		return pst_fail_sys(err, "cannot write \"%s\" to %s", text, path);
	return PST_OK;
}

struct dirent64_raw { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

#define REMOVE_DEPTH 64
#define REMOVE_TRIES 8

static int remove_at(int dfd, const char *name, unsigned depth, struct pst_err *err);

static int remove_entries(int fd, unsigned depth, struct pst_err *err)
{
	_Alignas(struct dirent64_raw) char buf[8192];
	ssize_t n;
	while ((n = pst_host->getdents64(fd, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64_raw *d = (const void *)(buf + at);
			at += d->reclen;
			if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
				continue;
			const int rc = remove_at(fd, d->name, depth + 1, err);
			if (rc != PST_OK)
				return rc;
		}
	}
	return n == 0 ? PST_OK : pst_fail_sys(err, "cannot list a directory to remove");
}

static int remove_at(int dfd, const char *name, unsigned depth, struct pst_err *err)
{
	if (pst_host->unlinkat(dfd, name, 0) == 0 || errno == ENOENT)
		return PST_OK;
	if (errno != EISDIR && errno != EPERM)
		return pst_fail_sys(err, "cannot remove %s", name);
	if (depth >= REMOVE_DEPTH)
		return pst_fail(err, PST_E_HOST, "", "cannot remove %s: too deep", name);

	/* Not by comparing devices: a bind mount of the same file system has the same
	 * one, and behind it lie somebody's data. */
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH,
	};
	pst_auto_fd fd = pst_host->openat2(dfd, name, &how, sizeof how);
	if (fd < 0 && errno == EXDEV)
		return pst_fail(err, PST_E_HOST, "", "cannot remove %s: a mount is still there", name);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s to remove it", name);

	/* Again, when somebody put something in meanwhile. */
	for (unsigned left = REMOVE_TRIES; left > 0; left--) {
		const int rc = remove_entries(fd, depth, err);
		if (rc != PST_OK)
			return rc;
		if (pst_host->unlinkat(dfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return PST_OK;
		if (errno != ENOTEMPTY || pst_host->lseek(fd, 0, SEEK_SET) != 0)
			break;
	}
	return pst_fail_sys(err, "cannot remove %s", name);
}

int pst_io_remove_tree(int dfd, const char *name, struct pst_err *err)
{
	/* The way to the tree may cross mounts, the last step may not. */
	const char *slash = strrchr(name, '/');
	if (slash == NULL)
		return remove_at(dfd, name, 0, err);
	pst_auto_free char *parent = strndup(name, slash == name ? 1 : (size_t)(slash - name));
	if (parent == NULL)
		return pst_fail_nomem(err);
	pst_auto_fd fd = pst_host->openat(dfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return errno == ENOENT ? PST_OK : pst_fail_sys(err, "cannot open %s", parent);
	return remove_at(fd, slash + 1, 0, err);
}

#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "stages.h"

#define TMP ".tmp-"
#define LOCK ".lock-"
#define OPAQUE_MARK "trusted.overlay.opaque" /* kernel: filesystems/overlayfs.rst */

/* Remove the tree LAYERS/name. fts(3) walks by chdir, so any depth is reached,
 * follows no link and leaves other mounts alone. What fails stays for the next. */
static void remove_tree(int dir, const char *name)
{
	char path[120];
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
	char *const paths[] = {path, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
	for (const FTSENT *e; walk != NULL && (e = fts_read(walk)) != NULL;)
		if (e->fts_info == FTS_DP)
			(void)unlinkat(AT_FDCWD, e->fts_accpath, AT_REMOVEDIR);
		else if (e->fts_info != FTS_D)
			(void)unlinkat(AT_FDCWD, e->fts_accpath, 0);
	if (walk != NULL)
		fts_close(walk);
}

/* Take the lock file `name`, or with LOCK_NB fail with EWOULDBLOCK. A file that
 * was unlinked by its holder while we waited is no lock any more. */
static int take_lock(int dir, const char *name, int flags)
{
	for (;;) {
		pst_auto_fd fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		struct stat st;
		if (fd < 0)
			return -1;
		while (flock(fd, LOCK_EX | flags) != 0)
			if (errno != EINTR)
				return -1;
		if (fstat(fd, &st) == 0 && st.st_nlink > 0)
			return PST_TAKE_FD(fd);
	}
}

static void sweep_one(int dir, const char *hex)
{
	char lock[80], tmp[80];
	snprintf(lock, sizeof lock, LOCK "%.64s", hex);
	snprintf(tmp, sizeof tmp, TMP "%.64s", hex);
	pst_auto_fd fd = take_lock(dir, lock, LOCK_NB);
	if (fd < 0)
		return; /* its maker lives */
	remove_tree(dir, tmp);
	unlinkat(dir, lock, 0);
}

static void sweep(int dir)
{
	const int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (d == NULL)
		return;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (pst_starts(e->d_name, TMP) || pst_starts(e->d_name, LOCK))
			sweep_one(dir, strchr(e->d_name, '-') + 1);
	closedir(d);
}

static int open_layers(const char *layers, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = open(layers, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot open the layer cache %s", layers);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		pst_fail(err, PST_E_POLICY, "", "layer cache %s is open to others than its owner",
			 layers);
		pst_err_cure(err, "chown 0:0 %s && chmod 0700 %s", layers, layers);
		return PST_E_POLICY;
	}
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

static int make_tmp(struct cache *c, struct pst_err *err)
{
	char fs[96];
	snprintf(fs, sizeof fs, "%.72s/fs", c->tmp);
	if (mkdirat(c->dir, c->tmp, 0700) != 0 || mkdirat(c->dir, fs, 0755) != 0)
		return pst_fail_sys(err, "cannot make a directory in the layer cache");
	return PST_OK;
}

int cache_begin(struct cache *c, const char *layers, const char *hex, bool *ret_known,
		struct pst_err *err)
{
	char lock[80];
	struct stat st;
	int rc = open_layers(layers, &c->dir, err);
	if (rc != PST_OK)
		return rc;
	*ret_known = fstatat(c->dir, hex, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (*ret_known) /* even where nothing can be written */
		return PST_OK;
	snprintf(c->name, sizeof c->name, "%s", hex);
	snprintf(lock, sizeof lock, LOCK "%.64s", hex);
	sweep(c->dir);
	c->lock = take_lock(c->dir, lock, 0);
	if (c->lock < 0)
		return pst_fail_sys(err, "cannot lock the layer cache %s", layers);
	*ret_known = fstatat(c->dir, hex, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (*ret_known) { /* made while we waited */
		unlinkat(c->dir, lock, 0);
		return PST_OK;
	}
	snprintf(c->tmp, sizeof c->tmp, TMP "%.64s", hex);
	if (snprintf(c->path, sizeof c->path, "%s/%s", layers, c->tmp) >= (int)sizeof c->path)
		return pst_fail(err, PST_E_USAGE, "", "path of the layer cache is too long");
	remove_tree(c->dir, c->tmp);
	return make_tmp(c, err);
}

static int mark(int fs, const char *path, struct pst_err *err)
{
	const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	pst_auto_fd fd =
		(int)syscall(SYS_openat2, fs, path[0] == '\0' ? "." : path, &how, sizeof how);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return PST_OK; /* a later entry took its place */
	if (fd < 0 || fsetxattr(fd, OPAQUE_MARK, "y", 1, 0) != 0)
		return pst_fail_sys(err, "cannot mark directory \"%.200s\" opaque", path);
	return PST_OK;
}

static int read_list(int dir, const char *path, struct pst_buf *out, struct pst_err *err)
{
	static char chunk[STAGE_BUFFER];
	pst_auto_fd fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = -1;
	while (fd >= 0 && (n = stage_read(fd, chunk, sizeof chunk)) > 0)
		pst_buf_add(out, chunk, (size_t)n);
	if (fd < 0 || n < 0)
		return pst_fail_sys(err, "cannot read the list %s", path);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

int cache_commit(struct cache *c, struct pst_err *err)
{
	char path[96];
	pst_auto_buf list = {0};
	snprintf(path, sizeof path, "%.72s/opaque", c->tmp);
	int rc = read_list(c->dir, path, &list, err);
	if (rc != PST_OK)
		return rc;
	snprintf(path, sizeof path, "%.72s/fs", c->tmp);
	pst_auto_fd fs = openat(c->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return pst_fail_sys(err, "cannot open the unpacked layer");
	for (size_t at = 0; rc == PST_OK && at < list.len; at += strlen(list.data + at) + 1)
		rc = mark(fs, list.data + at, err);
	if (rc != PST_OK)
		return rc;
	if (renameat(c->dir, c->tmp, c->dir, c->name) != 0)
		return pst_fail_sys(err, "cannot name layer %s", c->name);
	c->tmp[0] = '\0';
	snprintf(path, sizeof path, LOCK "%.64s", c->name);
	unlinkat(c->dir, path, 0);
	return PST_OK;
}

void cache_done(struct cache *c)
{
	char lock[80];
	if (c->tmp[0] != '\0') {
		remove_tree(c->dir, c->tmp);
		snprintf(lock, sizeof lock, LOCK "%.64s", c->name);
		unlinkat(c->dir, lock, 0);
	}
	pst_fd_close(c->lock);
	pst_fd_close(c->dir);
	*c = (struct cache)CACHE_EMPTY;
}

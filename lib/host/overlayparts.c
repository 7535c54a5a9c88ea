#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/fdpath.h"
#include "host/hostops.h"
#include "host/idmap.h"
#include "host/io.h"
#include "host/overlay_priv.h"

void pst_overlay_parts_done(struct pst_overlay_parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		pst_fd_close(p->lower[i]);
	free(p->lower);
	pst_fd_close(p->upper);
	pst_fd_close(p->work);
	pst_fd_close(p->rw);
	*p = PST_OVERLAY_PARTS_EMPTY;
}

static int open_dir(const char *path, int *ret, struct pst_err *err)
{
	const int fd = pst_host->openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open overlay directory %s", path);
	*ret = fd;
	return PST_OK;
}

static int map_failed(struct pst_err *err)
{
	if (err != NULL && err->sys == EINVAL)
		pst_err_cure(err, "its file system does not support id-mapped mounts; keep the "
				  "layer on ext4, xfs, btrfs or tmpfs");
	return PST_E_HOST;
}

static int clone_lower(const char *path, int userns, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	const int rc = open_dir(path, &fd, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_idmap_how how = {.userns = userns, .readonly = true};
	return pst_idmap_clone(fd, &how, ret, err) == PST_OK ? PST_OK : map_failed(err);
}

/* Length of the directory that two clean absolute paths share; 0 for "/". */
static size_t common_len(const char *a, const char *b)
{
	size_t last = 0, i = 0;
	for (; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '/')
			last = i;
	const bool whole = (a[i] == '\0' || a[i] == '/') && (b[i] == '\0' || b[i] == '/');
	return whole ? i : last;
}

/* What is left of `path` below its first `len` bytes, as a relative path. */
static const char *below(const char *path, size_t len)
{
	path += len;
	path += strspn(path, "/");
	return *path != '\0' ? path : ".";
}

/* Reopen, inside the clone, the directory that `orig` has open: same inode, else
 * something is mounted on the way and the clone shows what lies underneath. */
static int reopen(int clone, const char *rel, int orig, int *ret, struct pst_err *err)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	pst_auto_fd fd = pst_host->openat2(clone, rel, &how, sizeof how);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s in the clone of its parent", rel);
	struct stat a, b;
	if (pst_host->fstat(fd, &a) != 0 || pst_host->fstat(orig, &b) != 0)
		return pst_fail_sys(err, "cannot stat %s", rel);
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return pst_fail(err, PST_E_HOST, "", "%s lies on another mount than its parent", rel);
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

/* Descriptors and canonical paths of upper and work as the host sees them. */
struct pair {
	int upper, work;
	char *upath, *wpath;
};

static void pair_done(struct pair *p)
{
	pst_fd_close(p->upper);
	pst_fd_close(p->work);
	free(p->upath);
	free(p->wpath);
}

/* A work directory of our own beside the first mount's, which stays in use. */
static int own_work(struct pair *p, struct pst_err *err)
{
	pst_auto_fd parent = pst_host->openat(p->work, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (parent < 0)
		return pst_fail_sys(err, "cannot open the parent of %s", p->wpath);
	const int rc = pst_io_remove_tree(parent, PST_OVERLAY_WORK, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->mkdirat(parent, PST_OVERLAY_WORK, 0700) != 0)
		return pst_fail_sys(err, "cannot make %s beside %s", PST_OVERLAY_WORK, p->wpath);
	pst_fd_close(p->work);
	p->work = pst_host->openat(parent, PST_OVERLAY_WORK,
				   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (p->work < 0)
		return pst_fail_sys(err, "cannot open %s beside %s", PST_OVERLAY_WORK, p->wpath);
	char *path = NULL;
	const int rc2 = pst_fdpath_get(p->work, &path, err);
	if (rc2 != PST_OK)
		return rc2;
	free(p->wpath);
	p->wpath = path;
	return PST_OK;
}

int pst_overlay_forget(const struct pst_ovl_layout *layout, struct pst_err *err)
{
	if (layout->work == NULL || layout->work[0] != '/')
		return PST_OK;
	pst_auto_fd work =
		pst_host->openat(AT_FDCWD, layout->work, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (work < 0)
		return errno == ENOENT ? PST_OK : pst_fail_sys(err, "cannot open %s", layout->work);
	pst_auto_fd parent = pst_host->openat(work, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (parent < 0)
		return pst_fail_sys(err, "cannot open the parent of %s", layout->work);
	return pst_io_remove_tree(parent, PST_OVERLAY_WORK, err);
}

static int open_pair(const struct pst_ovl_layout *l, bool live, struct pair *p, struct pst_err *err)
{
	int rc = open_dir(l->upper, &p->upper, err);
	if (rc == PST_OK)
		rc = open_dir(l->work, &p->work, err);
	if (rc == PST_OK)
		rc = pst_fdpath_get(p->upper, &p->upath, err);
	if (rc == PST_OK)
		rc = pst_fdpath_get(p->work, &p->wpath, err);
	if (rc == PST_OK && live)
		rc = own_work(p, err);
	return rc;
}

static int clone_rw(const struct pst_ovl_layout *l, const struct pst_overlay_how *how,
		    struct pst_overlay_parts *ret, struct pst_err *err)
{
	struct pair PST_CLEANUP(pair_done) p = {.upper = -1, .work = -1};
	int rc = open_pair(l, how->live, &p, err);
	if (rc != PST_OK)
		return rc;

	const size_t len = common_len(p.upath, p.wpath);
	pst_auto_free char *parent = strndup(p.upath, len > 0 ? len : 1);
	pst_auto_fd fd = -1;
	if (parent == NULL)
		return pst_fail_nomem(err);
	rc = open_dir(parent, &fd, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_idmap_how plain = {.userns = how->owned ? -1 : how->userns};
	if (pst_idmap_clone(fd, &plain, &ret->rw, err) != PST_OK)
		return map_failed(err);
	rc = reopen(ret->rw, below(p.upath, len), p.upper, &ret->upper, err);
	return rc != PST_OK ? rc : reopen(ret->rw, below(p.wpath, len), p.work, &ret->work, err);
}

int pst_overlay_parts_open(const struct pst_ovl_layout *l, const struct pst_overlay_how *how,
			   struct pst_overlay_parts *ret, struct pst_err *err)
{
	struct pst_overlay_parts PST_CLEANUP(pst_overlay_parts_done) p = PST_OVERLAY_PARTS_EMPTY;
	p.lower = calloc(l->n + 1, sizeof *p.lower);
	if (p.lower == NULL)
		return pst_fail_nomem(err);

	for (; p.n < l->n; p.n++) {
		p.lower[p.n] = -1;
		const int rc = clone_lower(l->lower[p.n], how->userns, &p.lower[p.n], err);
		if (rc != PST_OK)
			return rc;
	}
	if (l->upper != NULL) {
		const int rc = clone_rw(l, how, &p, err);
		if (rc != PST_OK)
			return rc;
	}
	*ret = p;
	p = PST_OVERLAY_PARTS_EMPTY;
	return PST_OK;
}

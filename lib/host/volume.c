#include "host/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "host/fdpath.h"
#include "host/hostops.h"

#define FS_RDONLY 1 /* ST_RDONLY of statfs(2) f_flags */

const char *pst_volume_kind_name(enum pst_volume_kind kind)
{
	static const char *const names[] = {"directory", "file", "socket", "char", "block", "fifo"};
	return names[kind];
}

void pst_volume_done(struct pst_volume *v)
{
	pst_fd_close(v->fd);
	free(v->path);
	*v = PST_VOLUME_EMPTY;
}

static bool kind_of(mode_t mode, enum pst_volume_kind *ret)
{
	static const struct {
		mode_t type;
		enum pst_volume_kind kind;
	} map[] = {
		{S_IFDIR, PST_VOLUME_DIR},    {S_IFREG, PST_VOLUME_FILE}, {S_IFSOCK, PST_VOLUME_SOCKET},
		{S_IFCHR, PST_VOLUME_CHAR},   {S_IFBLK, PST_VOLUME_BLOCK}, {S_IFIFO, PST_VOLUME_FIFO},
	};
	for (size_t i = 0; i < PST_NELEM(map); i++) {
		if ((mode & S_IFMT) == map[i].type) {
			*ret = map[i].kind;
			return true;
		}
	}
	return false;
}

/* May a user who owns nothing here walk down to `path`? Links play no part: the
 * path is canonical. */
static bool others_may_search(const char *path)
{
	pst_auto_free char *dir = strdup(path);
	if (dir == NULL)
		return false;
	for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
		struct stat st;
		slash[slash == dir ? 1 : 0] = '\0';
		if (pst_host->fstatat(AT_FDCWD, dir, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    (st.st_mode & S_IXOTH) == 0)
			return false;
		if (slash == dir)
			return true;
	}
	return true;
}

static int open_failed(const char *source, struct pst_err *err)
{
	const int e = errno;
	if (e != ENOENT && e != ENOTDIR && e != ELOOP && e != ENAMETOOLONG)
		return pst_fail_sys(err, "cannot open the mount source %s", source);
	pst_fail(err, PST_E_SPEC, "", "the mount source %s cannot be reached: %s", source, strerror(e));
	if (err != NULL)
		err->sys = e;
	return PST_E_SPEC;
}

static int fill(const char *source, struct pst_volume *v, struct pst_err *err)
{
	struct statfs fs;
	if (pst_host->fstat(v->fd, &v->st) != 0 || pst_host->fstatfs(v->fd, &fs) != 0)
		return pst_fail_sys(err, "cannot stat the mount source %s", source);
	if (!kind_of(v->st.st_mode, &v->kind))
		return pst_fail(err, PST_E_SPEC, "", "the mount source %s is of an unknown type", source);
	v->magic = (uint32_t)fs.f_type;
	v->readonly = ((unsigned long)fs.f_flags & FS_RDONLY) != 0;
	const int rc = pst_fdpath_get(v->fd, &v->path, err);
	if (rc == PST_OK)
		v->searchable = others_may_search(v->path);
	return rc;
}

int pst_volume_open(int dfd, const char *source, struct pst_volume *ret, struct pst_err *err)
{
	pst_auto_volume v = PST_VOLUME_EMPTY;
	v.fd = pst_host->openat(dfd, source, O_PATH | O_CLOEXEC, 0);
	if (v.fd < 0)
		return open_failed(source, err);
	const int rc = fill(source, &v, err);
	if (rc != PST_OK)
		return rc;
	*ret = v;
	v = PST_VOLUME_EMPTY;
	return PST_OK;
}

int pst_volume_reopen(const struct pst_volume *v, struct pst_volume *ret, struct pst_err *err)
{
	pst_auto_volume again = PST_VOLUME_EMPTY;
	/* no link may have come into a path that had none */
	again.fd = pst_host->openat(AT_FDCWD, v->path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (again.fd < 0)
		return open_failed(v->path, err);
	const int rc = fill(v->path, &again, err);
	if (rc != PST_OK)
		return rc;
	if (again.st.st_dev != v->st.st_dev || again.st.st_ino != v->st.st_ino || again.kind != v->kind)
		return pst_fail(err, PST_E_STATE, "", "the mount source %s was replaced meanwhile", v->path);
	*ret = again;
	again = PST_VOLUME_EMPTY;
	return PST_OK;
}

int pst_volume_clone(const struct pst_volume *v, const struct pst_idmap_how *how,
		     enum pst_idmap_kind *ret_kind, int *ret_mnt, struct pst_err *err)
{
	const int rc = pst_idmap_clone_best(v->fd, how, ret_kind, ret_mnt, err);
	return rc == PST_OK ? rc : pst_err_prefix(err, "volume");
}

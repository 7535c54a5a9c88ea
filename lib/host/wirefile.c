#include "host/wirefile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "host/hostops.h"
#include "host/io.h"

#define FILE_BYTES ((size_t)4 << 20)

int pst_wirefile_read(const char *path, struct pst_buf *out, bool *there, struct pst_err *err)
{
	struct pst_err why = {0};
	const int rc = pst_io_read_trusted(AT_FDCWD, path, FILE_BYTES, out, &why);
	*there = rc == PST_OK;
	if (rc == PST_OK || (rc == PST_E_HOST && why.sys == ENOENT))
		return PST_OK;
	if (err != NULL)
		*err = why;
	if (rc != PST_E_HOST || why.sys != ELOOP)
		return rc;
	pst_fail(err, PST_E_STATE, "", "%s is a symbolic link", path);
	pst_err_cure(err, "name the file it leads to with --config, if the engine reads that one alone");
	return pst_err_file(err, path);
}

bool pst_wirefile_folder(const char *path)
{
	struct stat st;
	return pst_host->fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* The folder a file is in. malloc'd, or NULL. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL || slash == path ? NULL : strndup(path, (size_t)(slash - path));
}

static int put(const struct pst_wirefile *f, const char *text, size_t len, struct pst_err *err)
{
	struct stat like = {.st_mode = 0644};
	pst_auto_free char *dir = folder_of(f->path);
	if (text == NULL) {
		if (pst_host->unlinkat(AT_FDCWD, f->path, 0) != 0 && errno != ENOENT)
			return pst_fail_sys(err, "cannot remove %s", f->path);
		/* Somebody else's files may be in it by now. */
		if (f->folder && dir != NULL)
			(void)pst_host->unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
		return PST_OK;
	}
	if (f->folder && dir != NULL && pst_host->mkdirat(AT_FDCWD, dir, 0755) != 0 && errno != EEXIST)
		return pst_fail_sys(err, "cannot make the folder %s", dir);
	if (pst_host->fstatat(AT_FDCWD, f->path, &like, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
		return pst_fail_sys(err, "cannot stat %s", f->path);
	return pst_io_replace_like(f->path, text, len, &like, err);
}

static int unchanged(const struct pst_wirefile *f, struct pst_err *err)
{
	pst_auto_buf now = {0};
	bool there;
	const int rc = pst_wirefile_read(f->path, &now, &there, err);
	if (rc != PST_OK)
		return rc;
	if (there == (f->before != NULL) && now.len == f->before_len &&
	    (now.len == 0 || memcmp(now.data, f->before, now.len) == 0))
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "%s was changed by somebody else just now", f->path);
	pst_err_cure(err, "run it again");
	return pst_err_file(err, f->path);
}

static int revert(const struct pst_wireplan *p, size_t n, struct pst_err *err)
{
	int rc = PST_OK;
	for (size_t i = n; i > 0; i--) {
		const struct pst_wirefile *f = &p->v[i - 1];
		const int one = put(f, f->before, f->before_len, rc == PST_OK ? err : NULL);
		if (rc == PST_OK)
			rc = one;
	}
	return rc;
}

int pst_wirefile_apply(const struct pst_wireplan *p, struct pst_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		int rc = unchanged(&p->v[i], err);
		if (rc == PST_OK)
			rc = put(&p->v[i], p->v[i].after, p->v[i].after_len, err);
		if (rc != PST_OK) {
			(void)!revert(p, i, NULL);
			return rc;
		}
	}
	return PST_OK;
}

int pst_wirefile_revert(const struct pst_wireplan *p, struct pst_err *err)
{
	return revert(p, p->n, err);
}

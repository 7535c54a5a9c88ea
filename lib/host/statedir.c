#include "host/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/hostops.h"

static const struct {
	const char *name;
	mode_t mode;
} subdirs[PST_NDIRS] = {
	[PST_DIR_IDS] = {"ids", 0700},
	[PST_DIR_C] = {"c", 0700},
	[PST_DIR_MAKING] = {"making", 0700},
	[PST_DIR_STAGE] = {"stage", 0711}, /* the owner of a block passes through */
	[PST_DIR_DENIALS] = {"denials", 0700},
	[PST_DIR_NET] = {"net", 0700},
	[PST_DIR_QUOTA] = {"quota", 0700},
};

int pst_statedir_cure(const struct pst_statedir *sd, struct pst_err *err)
{
	if (err == NULL)
		return PST_E_BUG;
	switch (err->sys) {
	case ENOSPC:
	case EDQUOT:
		return pst_err_cure(err, "make room on the file system of %s", sd->path);
	case EROFS:
		return pst_err_cure(err, "mount the file system of %s writable", sd->path);
	case EACCES:
	case EPERM:
		return pst_err_cure(err, "run as root, who owns %s", sd->path);
	default:
		return err->code;
	}
}

/* `name` is for messages; the descriptor is what is judged and used. */
static int check_trust(int fd, const char *name, struct pst_err *err)
{
	struct stat st;
	if (pst_host->fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot stat %s", name);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "", "%s is owned by uid %u with mode %04o: others could write it",
		 name, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	pst_err_file(err, name);
	pst_err_cure(err, "see who made it, then chown root %s && chmod go-w %s", name, name);
	return PST_E_POLICY;
}

static int open_dir(int dfd, const char *at, const char *name, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = pst_host->openat(
		dfd, at, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		pst_fail(err, PST_E_POLICY, "", "%s is not a directory, or reached by a link", name);
		pst_err_file(err, name);
		pst_err_cure(err, "see who made %s and remove it", name);
		return PST_E_POLICY;
	}
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s", name);
	const int rc = check_trust(fd, name, err);
	if (rc == PST_OK)
		*ret = PST_TAKE_FD(fd);
	return rc;
}

/* Open, and where it is missing make first. Two makers at once are fine. */
static int open_or_make(int dfd, const char *at, const char *name, mode_t mode, int *ret,
			struct pst_err *err)
{
	struct pst_err first = {0};
	int rc = open_dir(dfd, at, name, ret, &first);
	if (rc != PST_E_HOST || first.sys != ENOENT) {
		if (rc != PST_OK && err != NULL)
			*err = first;
		return rc;
	}
	const bool made = pst_host->mkdirat(dfd, at, mode) == 0;
	if (!made && errno != EEXIST)
		return pst_fail_sys(err, "cannot create %s", name);
	int fd = -1;
	rc = open_dir(dfd, at, name, &fd, err);
	if (rc != PST_OK)
		return rc;
	if (made && pst_host->fchmod(fd, mode) != 0) { /* whatever the umask was */
		pst_fail_sys(err, "cannot set the mode of %s", name);
		pst_fd_close(fd);
		return PST_E_HOST;
	}
	*ret = fd;
	return PST_OK;
}

static int open_root(const char *path, bool make, struct pst_statedir *out, struct pst_err *err)
{
	struct pst_statedir sd = PST_STATEDIR_NONE;
	const int n = snprintf(sd.path, sizeof sd.path, "%s", path);
	if (path[0] != '/' || n < 0 || (size_t)n >= sizeof sd.path)
		return pst_fail(err, PST_E_USAGE, "",
				"state directory %.64s is not an absolute path below %zu bytes",
				path, sizeof sd.path);
	const int rc = make ? open_or_make(AT_FDCWD, path, path, 0711, &sd.fd, err)
			    : open_dir(AT_FDCWD, path, path, &sd.fd, err);
	if (rc != PST_OK) {
		pst_statedir_cure(&sd, err);
		return rc;
	}
	*out = sd;
	return PST_OK;
}

int pst_statedir_open(const char *path, struct pst_statedir *out, struct pst_err *err)
{
	return open_root(path, true, out, err);
}

int pst_statedir_look(const char *path, struct pst_statedir *out, struct pst_err *err)
{
	return open_root(path, false, out, err);
}

int pst_statedir_sub(struct pst_statedir *sd, enum pst_subdir which, int *ret, struct pst_err *err)
{
	if (sd->sub[which] < 0) {
		char name[sizeof sd->path + 16];
		snprintf(name, sizeof name, "%s/%s", sd->path, subdirs[which].name);
		const int rc = open_or_make(sd->fd, subdirs[which].name, name, subdirs[which].mode,
					    &sd->sub[which], err);
		if (rc != PST_OK) {
			pst_statedir_cure(sd, err);
			return rc;
		}
	}
	*ret = sd->sub[which];
	return PST_OK;
}

int pst_statedir_lock(struct pst_statedir *sd, enum pst_subdir which, int *ret, struct pst_err *err)
{
	int dir;
	const int rc = pst_statedir_sub(sd, which, &dir, err);
	if (rc != PST_OK)
		return rc;
	/* A description of its own: flock(2) locks those, not descriptors. */
	pst_auto_fd fd = pst_host->openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s/%s", sd->path, subdirs[which].name);
	while (pst_host->flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return pst_fail_sys(err, "cannot lock %s/%s", sd->path, subdirs[which].name);
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

void pst_statedir_close(struct pst_statedir *sd)
{
	for (size_t i = 0; i < PST_NDIRS; i++)
		pst_fd_close(sd->sub[i]);
	pst_fd_close(sd->fd);
	*sd = (struct pst_statedir)PST_STATEDIR_NONE;
}

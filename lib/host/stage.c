#include "host/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/stage_priv.h"

/* MS_SLAVE | MS_REC of mount(2); sys/mount.h collides with linux/mount.h. */
#define SLAVE_REC ((1ul << 19) | (1ul << 14))

int pst_stage_check_name(const char *name, struct pst_err *err)
{
	if (name[0] == '\0' || pst_streq(name, ".") || pst_streq(name, "..") ||
	    strchr(name, '/') != NULL)
		return pst_fail(err, PST_E_BUG, "", "\"%s\" is no name for a staging entry", name);
	return PST_OK;
}

static int open_parent(const char *parent, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = pst_host->openat(
		AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the staging parent %s", parent);
	struct stat st;
	if (pst_host->fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot stat the staging parent %s", parent);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		pst_fail(err, PST_E_POLICY, "", "the staging parent %s belongs to %u with mode %04o",
			 parent, st.st_uid, st.st_mode & 07777u);
		pst_err_cure(err, "make it owned by root and not writable by others");
		return PST_E_POLICY;
	}
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

static int make_parent(const char *parent, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	const bool made = pst_host->mkdirat(AT_FDCWD, parent, 0711) == 0;
	if (!made && errno != EEXIST)
		return pst_fail_sys(err, "cannot make the staging parent %s", parent);
	const int rc = open_parent(parent, &fd, err);
	if (rc != PST_OK)
		return rc;
	if (made && pst_host->fchmod(fd, 0711) != 0) /* whatever the umask was */
		return pst_fail_sys(err, "cannot set the mode of %s", parent);
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

/* Set owner and mode of the fresh directory by descriptor. */
static int fit(int dfd, const char *name, uint32_t base, struct pst_err *err)
{
	pst_auto_fd fd =
		pst_host->openat(dfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0 || pst_host->fchmod(fd, 0700) != 0 || pst_host->fchown(fd, base, base) != 0)
		return pst_fail_sys(err, "cannot give the staging directory %s to %u", name, base);
	return PST_OK;
}

static int open_in(int dfd, const char *name, int *ret, struct pst_err *err)
{
	const int fd =
		pst_host->openat(dfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the staging directory %s", name);
	*ret = fd;
	return PST_OK;
}

int pst_stage_make(const char *parent, const char *name, uint32_t base, int *ret_dfd,
		   struct pst_err *err)
{
	pst_auto_fd dfd = -1;
	int rc = pst_stage_check_name(name, err);
	if (rc == PST_OK)
		rc = make_parent(parent, &dfd, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->mkdirat(dfd, name, 0700) != 0) {
		if (errno != EEXIST)
			return pst_fail_sys(err, "cannot make the staging directory %s/%s", parent, name);
		return pst_fail(err, PST_E_STATE, "", "the staging directory %s/%s exists already", parent,
				name);
	}
	rc = fit(dfd, name, base, err);
	if (rc == PST_OK)
		rc = open_in(dfd, name, ret_dfd, err);
	if (rc != PST_OK)
		(void)pst_host->unlinkat(dfd, name, AT_REMOVEDIR);
	return rc;
}

int pst_stage_open(const char *parent, const char *name, int *ret_dfd, struct pst_err *err)
{
	pst_auto_fd dfd = -1;
	int rc = pst_stage_check_name(name, err);
	if (rc == PST_OK)
		rc = open_parent(parent, &dfd, err);
	return rc != PST_OK ? rc : open_in(dfd, name, ret_dfd, err);
}

int pst_stage_private(struct pst_err *err)
{
	if (pst_host->unshare(CLONE_NEWNS) != 0)
		return pst_fail_sys(err, "cannot make a mount namespace");
	if (pst_host->mount(NULL, "/", NULL, SLAVE_REC, NULL) != 0)
		return pst_fail_sys(err, "cannot make the mounts of the new namespace slaves");
	return PST_OK;
}

int pst_stage_slot(int stage, const char *name, bool directory, struct pst_err *err)
{
	const int rc = pst_stage_check_name(name, err);
	if (rc != PST_OK)
		return rc;
	const int made = directory ? pst_host->mkdirat(stage, name, 0755)
				   : pst_host->mknodat(stage, name, S_IFREG | 0600, 0);
	if (made == 0)
		return PST_OK;
	if (errno != EEXIST)
		return pst_fail_sys(err, "cannot make the mount point %s in the staging directory", name);
	struct stat st;
	if (pst_host->fstatat(stage, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return pst_fail_sys(err, "cannot stat %s in the staging directory", name);
	if (directory ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return pst_fail(err, PST_E_STATE, "", "%s in the staging directory is of another type", name);
	return PST_OK;
}

int pst_stage_attach(int stage, const char *name, int mnt, struct pst_err *err)
{
	struct stat st;
	if (pst_host->fstat(mnt, &st) != 0)
		return pst_fail_sys(err, "cannot stat the mount for %s", name);
	const int rc = pst_stage_slot(stage, name, S_ISDIR(st.st_mode), err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->move_mount(mnt, "", stage, name, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return pst_fail_sys(err, "cannot attach a mount at %s in the staging directory", name);
	return PST_OK;
}

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/fdpath.h"
#include "host/hostops.h"
#include "host/stage.h"
#include "host/stage_priv.h"

/* As many mounts as anything of ours stacks on one entry, and to spare. */
#define STACK_MAX 16

/* As getdents64(2) gives it. */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* 1: a mount was taken off; 0: there is none; -1 with errno. */
static int detach_one(int stage, const char *name)
{
	char path[PST_FDPATH_MAX];
	pst_auto_fd fd = pst_host->openat(stage, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (pst_host->umount2(pst_fdpath_proc(fd, path), PST_STAGE_DETACH) == 0)
		return 1;
	return errno == EINVAL ? 0 : -1; /* EINVAL: not the root of a mount */
}

int pst_stage_detach(int stage, const char *name, struct pst_err *err)
{
	const int rc = pst_stage_check_name(name, err);
	if (rc != PST_OK)
		return rc;
	if (detach_one(stage, name) < 0)
		return pst_fail_sys(err, "cannot detach the mount at %s in the staging directory", name);
	return PST_OK;
}

/* A mount point is an empty file or directory of ours. Never descend: if a mount
 * were still there, what lies behind it is somebody's data. */
static int remove_entry(int stage, const char *name, struct pst_err *err)
{
	int n = 1;
	for (int i = 0; n == 1 && i < STACK_MAX; i++)
		n = detach_one(stage, name);
	if (n < 0)
		return pst_fail_sys(err, "cannot detach the mount at %s in the staging directory", name);
	if (pst_host->unlinkat(stage, name, 0) == 0 || errno == ENOENT)
		return PST_OK;
	if (pst_host->unlinkat(stage, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return PST_OK;
	return pst_fail_sys(err, "cannot remove %s in the staging directory", name);
}

static int remove_entries(int stage, struct pst_err *err)
{
	_Alignas(struct dirent64) char buf[4096];
	ssize_t n;
	while ((n = pst_host->getdents64(stage, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buf + at);
			at += d->reclen;
			if (pst_streq(d->name, ".") || pst_streq(d->name, ".."))
				continue;
			const int rc = remove_entry(stage, d->name, err);
			if (rc != PST_OK)
				return rc;
		}
	}
	return n == 0 ? PST_OK : pst_fail_sys(err, "cannot list the staging directory");
}

int pst_stage_remove(const char *parent, const char *name, struct pst_err *err)
{
	const int rc = pst_stage_check_name(name, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd dfd =
		pst_host->openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (dfd < 0)
		return errno == ENOENT ? PST_OK
				       : pst_fail_sys(err, "cannot open the staging parent %s", parent);
	pst_auto_fd stage =
		pst_host->openat(dfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (stage < 0)
		return errno == ENOENT
			       ? PST_OK
			       : pst_fail_sys(err, "cannot open the staging directory %s/%s", parent, name);
	const int rc2 = remove_entries(stage, err);
	if (rc2 != PST_OK)
		return rc2;
	if (pst_host->unlinkat(dfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return pst_fail_sys(err, "cannot remove the staging directory %s/%s", parent, name);
	return PST_OK;
}

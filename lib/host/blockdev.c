#include "host/blockdev.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/ovl.h"
#include "host/btrfs.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

#define DEEPEST 8 /* loop on a file on dm on md on ... */

struct find {
	const struct pst_mounttab *tab;
	struct pst_blockdevs *ret;
	bool full;
	unsigned depth;
};

static void of_fd(struct find *f, int fd, const char *path);

/* "254:0\n" in FILE of a directory of sysfs. */
static bool read_dev(int dfd, const char *file, struct pst_blockdev *ret)
{
	char text[32];
	return pst_io_read_small(dfd, file, text, sizeof text) > 0 &&
	       sscanf(text, "%" SCNu32 ":%" SCNu32, &ret->major, &ret->minor) == 2;
}

static bool add(struct find *f, struct pst_blockdev d)
{
	struct pst_blockdevs *r = f->ret;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].major == d.major && r->v[i].minor == d.minor)
			return false;
	f->full = f->full || r->n == PST_NELEM(r->v);
	if (f->full)
		return false;
	r->v[r->n++] = d;
	return true;
}

static void device(struct find *f, struct pst_blockdev d);

/* A directory of sysfs whose entries lead to devices. */
struct members {
	struct find *f;
	int fd;
};

static int member(void *arg, const char *name, struct pst_err *err)
{
	const struct members *a = arg;
	char path[NAME_MAX + 8];
	struct pst_blockdev d;
	(void)err;
	snprintf(path, sizeof path, "%s/dev", name);
	if (read_dev(a->fd, path, &d))
		device(a->f, d);
	return PST_OK;
}

static void members(struct find *f, int dfd, const char *path)
{
	pst_auto_fd fd = pst_host->openat(dfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	struct members a = {f, fd};
	if (fd >= 0)
		(void)!pst_dirents_each(fd, member, &a, NULL);
}

/* What a device is made of: other devices, or a file of the host's. */
static void below(struct find *f, int sys)
{
	char backing[PATH_MAX];
	members(f, sys, "slaves");
	const ssize_t n = pst_io_read_small(sys, "loop/backing_file", backing, sizeof backing);
	if (n <= 1)
		return;
	backing[n - 1] = '\0';
	pst_auto_fd file = pst_host->openat(AT_FDCWD, backing, O_PATH | O_CLOEXEC, 0);
	if (file >= 0)
		of_fd(f, file, backing);
}

static void device(struct find *f, struct pst_blockdev d)
{
	char path[64];
	struct pst_blockdev disk;
	if (f->depth >= DEEPEST)
		return;
	snprintf(path, sizeof path, "/sys/dev/block/%" PRIu32 ":%" PRIu32, d.major, d.minor);
	pst_auto_fd sys = pst_host->openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	f->depth++;
	if (sys >= 0 && pst_host->fstatat(sys, "partition", &(struct stat){0}, 0) == 0 &&
	    read_dev(sys, "../dev", &disk))
		device(f, disk);
	else if (add(f, d) && sys >= 0)
		below(f, sys);
	f->depth--;
}

void pst_btrfs_uuid(const uint8_t u[16], char out[40])
{
	snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

/* The members of a btrfs: its files have a device number that no disk has. */
static void btrfs(struct find *f, int fd)
{
	struct pst_btrfs_fs_info info = {0};
	char path[128], uuid[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	pst_auto_fd real = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (real < 0 || pst_host->ioctl(real, PST_BTRFS_FS_INFO, &info) != 0)
		return;
	pst_btrfs_uuid(info.fsid, uuid);
	snprintf(path, sizeof path, "/sys/fs/btrfs/%s/devices", uuid);
	members(f, AT_FDCWD, path);
}

static void overlay(struct find *f, const struct pst_mountinfo *on)
{
	pst_auto_ovl l = {0};
	if (pst_ovl_from_super(on->super, &l, NULL) != PST_OK || l.upper == NULL ||
	    l.upper[0] != '/')
		return;
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, l.upper, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd >= 0)
		of_fd(f, fd, l.upper);
}

static void of_fd(struct find *f, int fd, const char *path)
{
	struct stat st;
	const struct pst_mountinfo *on = pst_mountinfo_of(f->tab, path);
	if (f->depth >= DEEPEST || pst_host->fstat(fd, &st) != 0)
		return;
	f->depth++;
	if (f->ret->fs[0] == '\0')
		snprintf(f->ret->fs, sizeof f->ret->fs, "%s", on == NULL ? "unknown" : on->fstype);
	if (major(st.st_dev) != 0)
		device(f, (struct pst_blockdev){major(st.st_dev), minor(st.st_dev)});
	else if (on != NULL && strcmp(on->fstype, "btrfs") == 0)
		btrfs(f, fd);
	else if (on != NULL && strcmp(on->fstype, "overlay") == 0)
		overlay(f, on);
	f->depth--;
}

void pst_blockdevs_of(int fd, const char *path, const struct pst_mounttab *tab,
		      struct pst_blockdevs *ret)
{
	struct find f = {.tab = tab, .ret = ret};
	*ret = (struct pst_blockdevs){0};
	of_fd(&f, fd, path);
	if (f.full)
		ret->n = 0;
	if (f.full)
		snprintf(ret->why, sizeof ret->why, "it is made of more than %d block devices",
			 PST_BLOCKDEVS_MAX);
	else if (ret->n == 0 && (strcmp(ret->fs, "tmpfs") == 0 || strcmp(ret->fs, "ramfs") == 0))
		snprintf(ret->why, sizeof ret->why, "%s is memory, no disk", ret->fs);
	else if (ret->n == 0)
		snprintf(ret->why, sizeof ret->why, "%s has no block device of this node that could be found",
			 ret->fs);
}

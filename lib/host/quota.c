#include "host/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/btrfs.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

/* A subvolume, open, and its quota group in sysfs. */
struct group {
	int fd;
	uint64_t id;
	uint8_t fsid[16];
	char name[64]; /* "UUID-ID", of all file systems */
	char sys[128];
};

#define GROUP_NONE {.fd = -1}

static void group_done(struct group *g)
{
	pst_fd_close(g->fd);
}

#define auto_group PST_CLEANUP(group_done) struct group

static uint64_t number(const struct group *g, const char *file)
{
	char path[192], text[32];
	uint64_t v = 0;
	snprintf(path, sizeof path, "%s/%s", g->sys, file);
	const ssize_t n = pst_io_read_small(AT_FDCWD, path, text, sizeof text);
	if (n <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return pst_num_parse(text, 0, UINT64_MAX, &v) ? v : 0;
}

/* The limit in force. The kernel keeps a number of flags that says which there are. */
static uint64_t limit_of(const struct group *g)
{
	return (number(g, "limit_flags") & PST_BTRFS_LIMIT_EXCLUSIVE) == 0 ? PST_QUOTA_NONE
									    : number(g, "max_exclusive");
}

/* The root directory of a subvolume below the first, whose file system counts; else why not. */
static bool open_group(const char *dir, struct group *ret, char *why, size_t size)
{
	struct stat st;
	struct statfs fs;
	struct pst_btrfs_fs_info info = {0};
	struct pst_btrfs_ino_lookup id = {.objectid = PST_BTRFS_SUBVOLUME_INO};
	char uuid[40];
	auto_group g = GROUP_NONE;
	g.fd = pst_host->openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (g.fd < 0 || pst_host->fstat(g.fd, &st) != 0 || pst_host->fstatfs(g.fd, &fs) != 0) {
		snprintf(why, size, "%.200s cannot be opened", dir);
		return false;
	}
	if ((uint64_t)fs.f_type != BTRFS_SUPER_MAGIC) {
		snprintf(why, size, "its file system has no quota of directories (btrfs has)");
		return false;
	}
	if (st.st_ino != PST_BTRFS_SUBVOLUME_INO || pst_host->ioctl(g.fd, PST_BTRFS_FS_INFO, &info) != 0 ||
	    pst_host->ioctl(g.fd, PST_BTRFS_INO_LOOKUP, &id) != 0 || id.treeid == PST_BTRFS_FIRST_TREE) {
		snprintf(why, size, "%.200s is no subvolume of its own", dir);
		return false;
	}
	g.id = id.treeid;
	memcpy(g.fsid, info.fsid, sizeof g.fsid);
	pst_btrfs_uuid(info.fsid, uuid);
	snprintf(g.sys, sizeof g.sys, "/sys/fs/btrfs/%s/qgroups/0_%llu", uuid,
		 (unsigned long long)id.treeid);
	snprintf(g.name, sizeof g.name, "%s-%llu", uuid, (unsigned long long)id.treeid);
	if (pst_host->fstatat(AT_FDCWD, g.sys, &st, 0) != 0) {
		snprintf(why, size, "quotas of its btrfs are not switched on (btrfs quota enable)");
		return false;
	}
	*ret = g;
	g.fd = -1;
	return true;
}

/* What lies in a subvolume further down has a quota group of its own. */
static bool holds_others(const struct group *g)
{
	struct pst_btrfs_rootref r = {0};
	return pst_host->ioctl(g->fd, PST_BTRFS_GET_SUBVOL_ROOTREF, &r) != 0 || r.n > 0;
}

/* What an engine keeps beside an upper directory. */
struct beside {
	const char *upper;
	bool other;
};

static int is_beside(void *arg, const char *name, struct pst_err *err)
{
	static const char *const known[] = {"work", "link", "lower", "merged", "empty"};
	struct beside *b = arg;
	bool found = pst_streq(name, b->upper);
	(void)err;
	for (size_t i = 0; i < PST_NELEM(known); i++)
		found = found || pst_streq(name, known[i]);
	b->other = b->other || !found;
	return PST_OK;
}

static bool found(const struct group *g, const char *dir, struct pst_quota *ret)
{
	if (holds_others(g)) {
		snprintf(ret->why, sizeof ret->why, "the subvolume %.200s has others inside", dir);
		return false;
	}
	return snprintf(ret->dir, sizeof ret->dir, "%s", dir) < (int)sizeof ret->dir;
}

bool pst_quota_find(const char *path, bool beside, struct pst_quota *ret)
{
	char parent[sizeof ret->dir];
	auto_group g = GROUP_NONE;
	*ret = (struct pst_quota){0};
	if (open_group(path, &g, ret->why, sizeof ret->why))
		return found(&g, path, ret);
	const char *slash = strrchr(path, '/');
	if (!beside || slash == NULL || slash == path || (size_t)(slash - path) >= sizeof parent)
		return false;
	snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
	struct beside b = {.upper = slash + 1};
	if (!open_group(parent, &g, ret->why, sizeof ret->why))
		return false;
	if (pst_dirents_each(g.fd, is_beside, &b, NULL) != PST_OK || b.other) {
		snprintf(ret->why, sizeof ret->why, "the subvolume %.200s holds other things too", parent);
		return false;
	}
	return found(&g, parent, ret);
}

/*
 * The request writes to the tree of its descriptor, and has to fit into that one's quota: by the
 * subvolume itself, a limit that is reached could not be raised. So by the directory it lies in.
 */
static int request_fd(const struct group *g)
{
	struct pst_btrfs_fs_info info = {0};
	pst_auto_fd up = pst_host->openat(g->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (up < 0 || pst_host->ioctl(up, PST_BTRFS_FS_INFO, &info) != 0 ||
	    memcmp(info.fsid, g->fsid, sizeof g->fsid) != 0)
		return -1;
	return PST_TAKE_FD(up);
}

static int put(const struct group *g, uint64_t bytes, struct pst_err *err)
{
	struct pst_btrfs_qgroup_limit a = {
		.id = g->id, .flags = PST_BTRFS_LIMIT_EXCLUSIVE, .max_exclusive = bytes};
	pst_auto_fd up = request_fd(g);
	return pst_host->ioctl(up < 0 ? g->fd : up, PST_BTRFS_QGROUP_LIMIT, &a) == 0
		       ? PST_OK
		       : pst_fail_sys(err, "cannot set the limit of a quota group");
}

int pst_quota_look(const char *dir, struct pst_quotanow *ret, struct pst_err *err)
{
	char why[300];
	auto_group g = GROUP_NONE;
	if (!open_group(dir, &g, why, sizeof why))
		return pst_fail(err, PST_E_HOST, "", "the size of %.200s cannot be limited any more: %s", dir,
				why);
	*ret = (struct pst_quotanow){.limit = limit_of(&g), .held = number(&g, "exclusive")};
	snprintf(ret->name, sizeof ret->name, "%s", g.name);
	return PST_OK;
}

int pst_quota_put(const char *dir, uint64_t bytes, struct pst_err *err)
{
	char why[300];
	auto_group g = GROUP_NONE;
	if (!open_group(dir, &g, why, sizeof why))
		return pst_fail(err, PST_E_HOST, "", "the size of %.200s cannot be limited any more: %s", dir,
				why);
	return put(&g, bytes, err);
}

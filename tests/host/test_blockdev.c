#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/blockdev.h"
#include "host/mounttab.h"
#include "host/quota.h"
#include "host/quotahold.h"

/* Loop devices are given back while they are in use: they then go with the last mount, and
 * that goes with the test's mount namespace. */
TestSuite(blockdev, .init = ground_enter, .fini = ground_leave, .timeout = 120);

static struct pst_blockdevs of(const char *path)
{
	char full[400];
	struct pst_blockdevs d;
	pst_auto_mounttab tab = {0};
	snprintf(full, sizeof full, "%s/%s", ground_dir, path);
	pst_auto_fd fd = open(full, O_PATH | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", full);
	cr_assert_eq(pst_mounttab_read(&tab, NULL), PST_OK);
	pst_blockdevs_of(fd, full, &tab, &d);
	return d;
}

static bool has(const struct pst_blockdevs *d, dev_t dev)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].major == major(dev) && d->v[i].minor == minor(dev))
			return true;
	return false;
}

/* The device a file of ours (named in a text) is; fails the test if there is none. */
static dev_t named(const char *file)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "%s", ground_read(file));
	path[strcspn(path, "\n")] = '\0';
	cr_assert_eq(stat(path, &st), 0, "%s", path);
	return st.st_rdev;
}

Test(blockdev, a_partition_is_its_disk_and_a_loop_is_more_than_one)
{
	struct stat st;
	if (ground_sh("command -v sfdisk mkfs.ext4 >/dev/null") != 0)
		cr_skip_test("needs sfdisk and mkfs.ext4");
	cr_assert_eq(ground_sh("truncate -s 64M p.img && echo ',,L' | sfdisk -q p.img &&"
			       "losetup -f --show p.img >disk && partx -a $(cat disk) && mkfs.ext4 -q $(cat disk)p1 && mkdir flat &&"
			       "mount $(cat disk)p1 flat"),
		     0);
	const struct pst_blockdevs d = of("flat");
	cr_expect_str_eq(d.fs, "ext4");
	cr_expect(has(&d, named("disk")), "the whole disk");
	cr_expect_eq(stat("flat", &st), 0);
	cr_expect_not(has(&d, st.st_dev), "the partition is refused by the kernel");
	cr_expect_eq(stat("p.img", &st), 0);
	cr_expect(has(&d, st.st_dev), "and the disk below the loop");
	cr_expect_eq(d.n, 2);
	/* Partitions stay with a loop device when it is given back. */
	cr_expect_eq(ground_sh("umount flat && partx -d $(cat disk) && losetup -d $(cat disk)"), 0);
}

Test(blockdev, a_btrfs_is_all_its_devices)
{
	if (ground_sh("command -v mkfs.btrfs >/dev/null") != 0)
		cr_skip_test("needs mkfs.btrfs");
	cr_assert_eq(ground_sh("truncate -s 120M a.img b.img && losetup -f --show a.img >one &&"
			       "losetup -f --show b.img >two && mkfs.btrfs -q $(cat one) $(cat two) &&"
			       "mkdir btrfs && mount $(cat one) btrfs && losetup -d $(cat one) $(cat two) &&"
			       "mkdir btrfs/d && : >btrfs/d/f"),
		     0);
	for (size_t i = 0; i < 2; i++) {
		const struct pst_blockdevs d = of(i == 0 ? "btrfs/d" : "btrfs/d/f");
		cr_expect_str_eq(d.fs, "btrfs");
		cr_expect(has(&d, named("one")) && has(&d, named("two")));
		cr_expect_eq(d.n, 3, "and the disk below both, once");
	}
}

Test(blockdev, an_overlay_is_where_its_upper_directory_is_and_memory_is_no_disk)
{
	struct stat st;
	cr_assert_eq(ground_sh("mkdir -p over/l over/u over/w over/m tmp && mount -t overlay overlay -o "
			       "lowerdir=$PWD/over/l,upperdir=$PWD/over/u,workdir=$PWD/over/w over/m &&"
			       "mount -t tmpfs tmpfs tmp"),
		     0);
	struct pst_blockdevs d = of("over/m");
	cr_assert_eq(stat("over/u", &st), 0);
	cr_expect(has(&d, st.st_dev));
	cr_expect_str_eq(d.fs, "overlay");
	d = of("tmp");
	cr_expect_eq(d.n, 0);
	cr_expect_str_eq(d.why, "tmpfs is memory, no disk");
	/* A file system of another kind has none either, and says so. */
	pst_auto_mounttab tab = {0};
	cr_assert_eq(pst_mounttab_read(&tab, NULL), PST_OK);
	pst_auto_fd proc = open("/proc", O_PATH | O_CLOEXEC);
	pst_blockdevs_of(proc, "/proc", &tab, &d);
	cr_expect_eq(d.n, 0);
	cr_expect(strstr(d.why, "proc") != NULL, "%s", d.why);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static uint64_t limit_now(const char *dir)
{
	struct pst_quotanow now = {0};
	cr_assert_eq(pst_quota_look(dir, &now, NULL), PST_OK);
	return now.limit;
}

/* Two containers on one root, in every order, and an administrator in between. */
static void hold_and_drop(const char *dir)
{
	char path[300];
	pst_auto_statedir sd = PST_STATEDIR_NONE;
	snprintf(path, sizeof path, "%s/state", ground_dir);
	cr_assert_eq(pst_statedir_open(path, &sd, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_set(&sd, A, dir, 8 << 20, false, NULL), PST_OK);
	cr_expect_neq(ground_sh("dd if=/dev/zero of=btrfs/s/fs/f bs=1M count=20 2>/dev/null && sync"), 0);
	cr_assert_eq(pst_quotahold_set(&sd, B, dir, 9 << 20, false, NULL), PST_OK);
	cr_expect_eq(limit_now(dir), 8 << 20, "the tighter counts");
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_expect_eq(limit_now(dir), 9 << 20, "the other one's is left");
	cr_assert_eq(pst_quotahold_set(&sd, A, dir, 7 << 20, false, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_drop(&sd, B, dir, NULL), PST_OK);
	cr_expect_eq(limit_now(dir), 7 << 20);
	/* What it holds is more than that by now: neither this nor the way back may fail of it. */
	cr_assert_eq(pst_quota_put(dir, 6 << 20, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_expect_eq(limit_now(dir), 6 << 20, "somebody else's change stays");
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_set(&sd, A, dir, 1 << 30, false, NULL), PST_OK);
	cr_expect_eq(limit_now(dir), 6 << 20, "a lower one stays");
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_assert_eq(pst_quota_put(dir, PST_QUOTA_NONE, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_set(&sd, A, dir, 8 << 20, false, NULL), PST_OK);
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_expect_eq(ground_sh("test -z \"$(ls state/quota)\""), 0);
	/* What a killed writer leaves goes; a damaged record of another is its own trouble. */
	cr_assert_eq(pst_quotahold_set(&sd, A, dir, 8 << 20, false, NULL), PST_OK);
	cr_assert_eq(ground_sh(": >state/quota/0-5.17.tmp && echo x >state/quota/0-6"), 0);
	cr_assert_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_OK);
	cr_expect_eq(ground_sh("test \"$(ls state/quota)\" = 0-6"), 0);
	cr_expect_eq(pst_quotahold_drop(&sd, A, dir, NULL), PST_E_STATE);
}

Test(blockdev, a_subvolume_of_its_own_can_be_limited_and_is_put_back)
{
	char path[400];
	struct pst_quota q;
	if (ground_sh("command -v mkfs.btrfs btrfs >/dev/null") != 0)
		cr_skip_test("needs mkfs.btrfs");
	cr_assert_eq(ground_sh("truncate -s 200M a.img && losetup -f --show a.img >one &&"
			       "mkfs.btrfs -q $(cat one) && mkdir btrfs && mount $(cat one) btrfs &&"
			       "losetup -d $(cat one) &&"
			       "btrfs -q subvolume create btrfs/s && mkdir -p btrfs/s/fs btrfs/s/work btrfs/d"),
		     0);
	snprintf(path, sizeof path, "%s/btrfs/s", ground_dir);
	cr_expect_not(pst_quota_find(path, false, &q));
	cr_expect(strstr(q.why, "btrfs quota enable") != NULL, "%s", q.why);
	cr_assert_eq(ground_sh("btrfs quota enable btrfs && btrfs -q quota rescan -w btrfs"), 0);
	cr_assert(pst_quota_find(path, false, &q), "%s", q.why);
	cr_expect_str_eq(q.dir, path);
	snprintf(path, sizeof path, "%s/btrfs/s/fs", ground_dir);
	cr_expect_not(pst_quota_find(path, false, &q), "a directory of it is not");
	cr_assert(pst_quota_find(path, true, &q), "%s", q.why);
	hold_and_drop(q.dir);
	cr_expect_eq(limit_now(q.dir), PST_QUOTA_NONE);
	cr_assert_eq(ground_sh("btrfs -q subvolume create btrfs/s/fs/inner"), 0);
	cr_expect_not(pst_quota_find(path, true, &q), "what lies in another subvolume would not count");
	cr_expect(strstr(q.why, "others inside") != NULL, "%s", q.why);
	cr_assert_eq(ground_sh("btrfs -q subvolume delete -c btrfs/s/fs/inner >/dev/null"), 0);
	/* With others beside it, or not a subvolume at all. */
	cr_assert_eq(ground_sh(": >btrfs/s/other"), 0);
	cr_expect_not(pst_quota_find(path, true, &q));
	snprintf(path, sizeof path, "%s/btrfs/d", ground_dir);
	cr_expect_not(pst_quota_find(path, true, &q), "its parent is the whole file system");
	cr_expect_not(pst_quota_find(ground_dir, false, &q));
}

/*
 * host/blockdev.h - the disks behind a file: where its reads and writes can be throttled.
 *
 * Sources: Documentation/admin-guide/cgroup-v1/blkio-controller.rst and cgroup-v2.rst
 * "IO" (devices are named by MAJOR:MINOR, and a partition is refused: its whole disk is
 * named), sysfs(5): /sys/dev/block, "partition", "slaves" (dm, md), "loop/backing_file",
 * /sys/fs/btrfs/UUID/devices.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/mountinfo.h"

#define PST_BLOCKDEVS_MAX 16

struct pst_blockdev {
	uint32_t major, minor;
};

struct pst_blockdevs {
	struct pst_blockdev v[PST_BLOCKDEVS_MAX];
	size_t n;
	char why[160]; /* n is 0: why there is none, "" with a file system in `fs` that is plainly none */
	char fs[32];   /* what the file lies on, for messages */
};

/*
 * The devices of the file system `fd` lies on, whole disks in place of partitions, and
 * below them all that dm, md and loop devices are made of: the container's bytes pass
 * each, so that two volumes on one disk share one limit there. More than the array holds
 * counts as none, with the reason.
 *
 * fd    O_PATH will do
 * path  of fd, canonical, to find its mount
 * tab   mount table, for the upper directory of an overlay
 */
PST_NONNULL(2, 3, 4)
void pst_blockdevs_of(int fd, const char *path, const struct pst_mounttab *tab,
		      struct pst_blockdevs *ret);

/*
 * host/btrfs.h - the few requests of btrfs that are ours: who it is, and limits of a
 * subvolume's quota group.
 *
 * Source: linux/btrfs.h and linux/btrfs_tree.h, which cannot be included beside
 * base/banned.h (a member there is called ctime). The layout is the kernel's promise.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

#define PST_BTRFS_SUBVOLUME_INO 256 /* the root directory of every subvolume */

struct pst_btrfs_fs_info {
	uint64_t max_id, num_devices;
	uint8_t fsid[16];
	uint8_t rest[992]; /* 1 KiB in all */
};
#define PST_BTRFS_FS_INFO _IOR(0x94, 31, struct pst_btrfs_fs_info)
_Static_assert(sizeof(struct pst_btrfs_fs_info) == 1024, "as the kernel has it");

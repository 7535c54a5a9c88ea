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
#define PST_BTRFS_FIRST_TREE 5       /* the subvolume that is the file system itself */

struct pst_btrfs_fs_info {
	uint64_t max_id, num_devices;
	uint8_t fsid[16];
	uint8_t rest[992]; /* 1 KiB in all */
};
#define PST_BTRFS_FS_INFO _IOR(0x94, 31, struct pst_btrfs_fs_info)
_Static_assert(sizeof(struct pst_btrfs_fs_info) == 1024, "as the kernel has it");

struct pst_btrfs_ino_lookup {
	uint64_t treeid; /* in: 0, out: the subvolume of the descriptor */
	uint64_t objectid;
	char name[4080];
};
#define PST_BTRFS_INO_LOOKUP _IOWR(0x94, 18, struct pst_btrfs_ino_lookup)
_Static_assert(sizeof(struct pst_btrfs_ino_lookup) == 4096, "as the kernel has it");

/* Subvolumes that lie in the one of the descriptor, the first of them. */
struct pst_btrfs_rootref {
	uint64_t min_treeid;
	uint64_t ref[255][2];
	uint8_t n; /* how many of ref there are */
	uint8_t align[7];
};
#define PST_BTRFS_GET_SUBVOL_ROOTREF _IOWR(0x94, 61, struct pst_btrfs_rootref)
_Static_assert(sizeof(struct pst_btrfs_rootref) == 4096, "as the kernel has it");

#define PST_BTRFS_LIMIT_EXCLUSIVE 2 /* a bit of flags */

struct pst_btrfs_qgroup_limit {
	uint64_t id; /* 0: the subvolume of the descriptor */
	uint64_t flags, max_referenced, max_exclusive, reserved[2]; /* a limit of all ones: none */
};
#define PST_BTRFS_QGROUP_LIMIT _IOR(0x94, 43, struct pst_btrfs_qgroup_limit)

/* The name of a file system in sysfs; `out` holds 37 bytes. */
void pst_btrfs_uuid(const uint8_t fsid[16], char out[40]);

/*
 * host/quota.h - the size of a directory tree, enforced by its file system.
 *
 * What can: btrfs, by the quota group of a subvolume (Documentation: btrfs(5),
 * "QUOTA GROUPS"; limits and usage in /sys/fs/btrfs/UUID/qgroups/0_ID). The limit is on
 * what the subvolume holds alone, so that a snapshot's first image is not counted.
 * Nothing is switched on here: quotas cost all who use the file system.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_QUOTA_NONE UINT64_MAX

/*
 * Can the tree at `path` be limited, and nothing else with it? It must be the root of a
 * subvolume of its own, or with `beside` (an overlay's upper directory) lie in one with
 * nothing but what belongs to it. Subvolumes inside it would not be counted: with any, it cannot.
 *
 * ret  on true the directory to give to pst_quota_put; on false one clause for messages
 *      that says why
 */
struct pst_quota {
	char dir[1024];
	char why[300];
};
PST_CHECKED PST_NONNULL(1, 3)
bool pst_quota_find(const char *path, bool beside, struct pst_quota *ret);

/* The subvolume at `dir` as it is. */
struct pst_quotanow {
	char name[64];  /* of the quota group, unlike any other's */
	uint64_t limit; /* in force, PST_QUOTA_NONE: none */
	uint64_t held;  /* bytes it holds alone */
};
PST_CHECKED PST_NONNULL(1, 2)
int pst_quota_look(const char *dir, struct pst_quotanow *ret, struct pst_err *err);

/* Limit what the subvolume at `dir` may hold alone; PST_QUOTA_NONE: not at all. */
PST_CHECKED PST_NONNULL(1) int pst_quota_put(const char *dir, uint64_t bytes, struct pst_err *err);

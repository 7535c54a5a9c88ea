/*
 * host/netside.h - work inside a namespace that the host owns.
 *
 * A container in a user namespace of its own has no rights in a network or ipc
 * namespace made by the host (CNI). What it needs there is done from the host
 * side by a child that enters that namespace alone; mounts land in the caller's
 * mount namespace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Identity of a namespace (ioctl_ns(2)): device and inode of its nsfs file. */
struct pst_nsid {
	uint64_t dev;
	uint64_t ino;
};

/* Identity of an open namespace. */
PST_CHECKED PST_NONNULL(2) int pst_netside_id(int nsfd, struct pst_nsid *ret, struct pst_err *err);

/* Identity of the user namespace that owns `nsfd` (NS_GET_USERNS). PST_E_HOST
 * with err->sys EPERM when it lies outside the caller's. */
PST_CHECKED PST_NONNULL(2)
int pst_netside_owner(int nsfd, struct pst_nsid *ret, struct pst_err *err);

/*
 * Is `nsfd` the machine's own namespace of that type? Compared with process 1;
 * where /proc/1/ns cannot be read, with the caller's own.
 * type  "net", "ipc", "uts", "pid", "mnt", "user", "cgroup"
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_netside_is_host(int nsfd, const char *type, bool *ret, struct pst_err *err);

/*
 * Mount sysfs as network namespace `netns` sees it (-1: the caller's) at
 * STAGE/name: read-only, no set-ids, devices or programs. Its class/net shows that
 * namespace's interfaces, and no cgroup tree of the host hangs below.
 */
PST_CHECKED PST_NONNULL(3)
int pst_netside_sysfs(int netns, int stage, const char *name, struct pst_err *err);

/* Mount the message queues of ipc namespace `ipcns` at STAGE/name, writable,
 * no set-ids, devices or programs. */
PST_CHECKED PST_NONNULL(3)
int pst_netside_mqueue(int ipcns, int stage, const char *name, struct pst_err *err);

#define PST_SYSCTL_VALUE_MAX 96

/* One kernel parameter of a network namespace. */
struct pst_sysctl {
	const char *key;                /* "net.ipv4.ip_forward"; sysctl(8) forms */
	const char *value;              /* to write; NULL only reads */
	char old[PST_SYSCTL_VALUE_MAX]; /* out: value before, newline cut */
};

/*
 * Read and write `v` in order inside `netns`, in one child. If a write fails,
 * those already done are put back.
 *
 * n  at most 16
 *
 * Returns PST_OK; PST_E_SPEC for a key that is not below net., has an empty part
 * or "..", or a value too long; PST_E_POLICY when `netns` is the machine's own
 * and something would be written; PST_E_HOST. `old` is filled on success only.
 */
PST_CHECKED PST_NONNULL(2)
int pst_netside_sysctl(int netns, struct pst_sysctl *v, size_t n, struct pst_err *err);

/*
 * Where a key lies below /proc/sys, after sysctl(8): the first separator tells,
 * a dotted key may have '/' for a dot inside a name ("net.ipv4.conf.eth0/1.mtu").
 * Writes at most `size` bytes with NUL. PST_E_SPEC as above.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_netside_sysctl_path(const char *key, char *path, size_t size, struct pst_err *err);

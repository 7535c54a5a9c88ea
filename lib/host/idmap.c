#include "host/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>

#include "base/fd.h"
#include "host/fdpath.h"
#include "host/hostops.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
/* Values of mount(2); sys/mount.h and linux/mount.h cannot both be included. */
#define PROPAGATE_PRIVATE (1u << 18)
#define PROPAGATE_SLAVE (1u << 19)

const char *pst_idmap_kind_name(enum pst_idmap_kind kind)
{
	static const char *const names[] = {"none", "flat", "recursive"};
	return names[kind];
}

/* 0 or -1 with errno; *ret_mnt is set on success only. */
static int clone_as(int fd, const struct pst_idmap_how *how, int *ret_mnt)
{
	const unsigned rec = how->recursive ? AT_RECURSIVE : 0;
	pst_auto_fd mnt = pst_host->open_tree(
		fd, "", (unsigned)OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | rec);
	if (mnt < 0)
		return -1;

	struct mount_attr at = {
		.attr_set = (how->userns >= 0 ? MOUNT_ATTR_IDMAP : 0) |
			    (how->readonly ? MOUNT_ATTR_RDONLY : 0),
		.propagation = how->slave ? PROPAGATE_SLAVE : PROPAGATE_PRIVATE,
		.userns_fd = how->userns >= 0 ? (uint32_t)how->userns : 0u,
	};
	if (pst_host->mount_setattr(mnt, "", AT_EMPTY_PATH | rec, &at, sizeof at) != 0)
		return -1;
	*ret_mnt = PST_TAKE_FD(mnt);
	return 0;
}

int pst_idmap_clone(int fd, const struct pst_idmap_how *how, int *ret_mnt, struct pst_err *err)
{
	if (clone_as(fd, how, ret_mnt) == 0)
		return PST_OK;
	const int e = errno;
	pst_auto_free char *path = NULL;
	(void)!pst_fdpath_get(fd, &path, NULL);
	errno = e;
	return pst_fail_sys(err, "cannot clone %s%s", path != NULL ? path : "a mount source",
			    how->userns >= 0 ? " with mapped ids" : "");
}

int pst_idmap_clone_best(int fd, const struct pst_idmap_how *how, enum pst_idmap_kind *ret_kind,
			 int *ret_mnt, struct pst_err *err)
{
	struct pst_idmap_how h = *how;
	if (h.userns >= 0) {
		if (h.recursive && clone_as(fd, &h, ret_mnt) == 0) {
			*ret_kind = PST_IDMAP_RECURSIVE;
			return PST_OK;
		}
		h.recursive = false;
		if (clone_as(fd, &h, ret_mnt) == 0) {
			*ret_kind = PST_IDMAP_FLAT;
			return PST_OK;
		}
		h.userns = -1;
		h.recursive = how->recursive;
	}
	const int rc = pst_idmap_clone(fd, &h, ret_mnt, err);
	if (rc == PST_OK)
		*ret_kind = PST_IDMAP_NONE;
	return rc;
}

enum pst_idmap_kind pst_idmap_probe(int fd, int userns, bool recursive)
{
	struct pst_idmap_how h = {.userns = userns, .recursive = recursive, .readonly = true};
	pst_auto_fd mnt = -1;
	if (recursive && clone_as(fd, &h, &mnt) == 0)
		return PST_IDMAP_RECURSIVE;
	h.recursive = false;
	return clone_as(fd, &h, &mnt) == 0 ? PST_IDMAP_FLAT : PST_IDMAP_NONE;
}

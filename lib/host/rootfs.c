#include "host/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "core/mountinfo.h"
#include "host/fdpath.h"
#include "host/hostops.h"
#include "host/mounttab.h"
#include "host/overlay.h"

void pst_rootfs_done(struct pst_rootfs *r)
{
	pst_fd_close(r->fd);
	free(r->path);
	pst_ovl_done(&r->layout);
	*r = PST_ROOTFS_EMPTY;
}

/* Canonical path of the bundle, the start of a relative root.path. */
static int bundle_path(const char *bundle, char **ret, struct pst_err *err)
{
	pst_auto_fd fd =
		pst_host->openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0) {
		pst_fail_sys(err, "cannot open the bundle %s", bundle);
		return PST_E_HOST;
	}
	return pst_fdpath_get(fd, ret, err);
}

/* The path in text, as runc cleans it before it looks. */
static int clean_path(const char *bundle, const char *path, char **ret, struct pst_err *err)
{
	pst_auto_buf b = {0};
	if (path[0] != '/') {
		pst_auto_free char *start = NULL;
		const int rc = bundle_path(bundle, &start, err);
		if (rc != PST_OK)
			return rc;
		pst_buf_fmt(&b, "%s/", start);
	}
	pst_buf_str(&b, path);
	if (!pst_buf_ok(&b))
		return pst_fail_nomem(err);
	char *clean = pst_path_clean(pst_buf_cstr(&b));
	if (clean == NULL)
		return pst_fail_nomem(err);
	*ret = clean;
	return PST_OK;
}

static int open_root(const char *path, int *ret, struct pst_err *err)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	const int fd = pst_host->openat2(AT_FDCWD, path, &how, sizeof how);
	if (fd >= 0) {
		*ret = fd;
		return PST_OK;
	}
	const int e = errno;
	if (e != ENOENT && e != ENOTDIR && e != ELOOP)
		return pst_fail_sys(err, "cannot open the root file system %s", path);
	if (e == ELOOP)
		pst_fail(err, PST_E_SPEC, "/root/path",
			 "the root file system %s is, or is reached through, a symbolic link", path);
	else
		pst_fail(err, PST_E_SPEC, "/root/path", "the root file system %s %s", path,
			 e == ENOENT ? "does not exist" : "is not a directory");
	if (err != NULL)
		err->sys = e;
	pst_err_cure(err, "let root.path name an existing directory without links");
	return PST_E_SPEC;
}

static int set_reason(struct pst_rootfs *r, const char *why, struct pst_err *err)
{
	r->kind = PST_ROOTFS_OTHER;
	if (r->layout.unsupported != NULL)
		return PST_OK;
	r->layout.unsupported = strdup(why);
	return r->layout.unsupported != NULL ? PST_OK : pst_fail_nomem(err);
}

/* The flags of the mount itself ("rw,nosuid") count like options of the overlay. */
static int add_mount_flags(struct pst_ovl_layout *l, const char *opts, struct pst_err *err)
{
	pst_auto_free char *text = strdup(opts);
	if (text == NULL)
		return pst_fail_nomem(err);
	for (char *p = text; p != NULL;) {
		char *comma = strchr(p, ',');
		if (comma != NULL)
			*comma++ = '\0';
		const int rc = pst_ovl_add(l, p, err);
		if (rc != PST_OK)
			return rc;
		p = comma;
	}
	return PST_OK;
}

static int read_overlay(const struct pst_mountinfo *m, struct pst_rootfs *r, struct pst_err *err)
{
	if (!pst_streq(m->root, "/"))
		return set_reason(r, "it is a directory inside an overlay, not its root", err);
	int rc = pst_ovl_from_super(m->super, &r->layout, err);
	if (rc == PST_OK)
		rc = add_mount_flags(&r->layout, m->opts, err);
	if (rc != PST_OK)
		return rc;
	if (r->layout.unsupported != NULL) {
		r->kind = PST_ROOTFS_OTHER;
		return PST_OK;
	}
	r->kind = PST_ROOTFS_OVERLAY;
	struct pst_err why = {0};
	rc = pst_overlay_resolve(&r->layout, r->fd, r->path, &why);
	if (rc == PST_E_HOST)
		return set_reason(r, why.msg, err);
	if (rc != PST_OK && err != NULL)
		*err = why;
	return rc;
}

static int classify(struct pst_rootfs *r, struct pst_err *err)
{
	pst_auto_mounttab tab = {0};
	uint64_t id;
	int rc = pst_mounttab_read(&tab, err);
	if (rc == PST_OK)
		rc = pst_mounttab_id(r->fd, &id, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_mountinfo *m = pst_mountinfo_of(&tab, r->path);
	if (m == NULL || id != m->id)
		return pst_fail(err, PST_E_HOST, "/root/path",
				"the mount that holds %s changed while it was looked at", r->path);
	r->mount_id = m->id;
	r->readonly = m->readonly;
	r->submounts = pst_mountinfo_below(&tab, r->path);
	if (pst_starts(m->fstype, "fuse"))
		return set_reason(r, "it is a FUSE file system", err);
	if (pst_streq(m->fstype, "overlay"))
		return pst_streq(m->point, r->path)
			       ? read_overlay(m, r, err)
			       : set_reason(r, "it is a directory inside an overlay, not its root", err);
	r->kind = PST_ROOTFS_PLAIN;
	return PST_OK;
}

int pst_rootfs_open(const char *bundle, const char *path, struct pst_rootfs *ret,
		    struct pst_err *err)
{
	pst_auto_rootfs r = PST_ROOTFS_EMPTY;
	if (path[0] == '\0')
		return pst_fail(err, PST_E_SPEC, "/root/path", "root.path is empty");
	int rc = clean_path(bundle, path, &r.path, err);
	if (rc == PST_OK)
		rc = open_root(r.path, &r.fd, err);
	if (rc != PST_OK)
		return rc;
	struct statfs fs;
	if (pst_host->fstatfs(r.fd, &fs) != 0)
		return pst_fail_sys(err, "cannot stat the root file system %s", r.path);
	r.magic = (uint32_t)fs.f_type;
	rc = classify(&r, err);
	if (rc != PST_OK)
		return rc;
	*ret = r;
	r = PST_ROOTFS_EMPTY;
	return PST_OK;
}

int pst_rootfs_clone(int fd, int userns, enum pst_idmap_kind *ret_kind, int *ret_mnt,
		     struct pst_err *err)
{
	struct pst_idmap_how how = {.userns = userns, .recursive = true};
	int mnt = -1;
	if (pst_idmap_clone(fd, &how, &mnt, NULL) == PST_OK) {
		*ret_kind = PST_IDMAP_RECURSIVE;
		*ret_mnt = mnt;
		return PST_OK;
	}
	how.recursive = false;
	const int rc = pst_idmap_clone(fd, &how, &mnt, err);
	if (rc != PST_OK) {
		if (err != NULL && err->sys == EINVAL)
			pst_err_cure(err, "its file system does not support id-mapped mounts; move the "
					  "root file system to ext4, xfs, btrfs or tmpfs");
		return rc;
	}
	*ret_kind = PST_IDMAP_FLAT;
	*ret_mnt = mnt;
	return PST_OK;
}

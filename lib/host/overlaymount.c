#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "host/fdpath.h"
#include "host/hostops.h"
#include "host/overlay_priv.h"

#define DETACH 2             /* MNT_DETACH of umount2(2); see hostops.c on sys/mount.h */
#define MOUNT_DATA_MAX 4095u /* mount(2) takes one page of options */

/* The file system context keeps the kernel's own words for the failure: each
 * read(2) gives one message, "e overlay: ...". */
static int fail_with_log(int fs, const char *what, struct pst_err *err)
{
	const int e = errno;
	char log[256];
	const ssize_t n = pst_host->read(fs, log, sizeof log - 1);
	log[n > 0 ? n : 0] = '\0';
	log[strcspn(log, "\n")] = '\0';
	errno = e;
	return pst_fail_sys(err, "cannot mount the id-mapped overlay (%s%s%s)", what,
			    log[0] != '\0' ? ": " : "", log);
}

static int set_string(int fs, const char *key, const char *value, struct pst_err *err)
{
	if (pst_host->fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) != 0)
		return fail_with_log(fs, key, err);
	return PST_OK;
}

static int set_fd(int fs, const char *key, int fd, struct pst_err *err)
{
	if (pst_host->fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd) != 0)
		return fail_with_log(fs, key, err);
	return PST_OK;
}

static int set_options(int fs, const struct pst_ovl_layout *l, struct pst_err *err)
{
	for (size_t i = 0; i < l->nopt; i++) {
		const struct pst_ovl_opt *o = &l->opt[i];
		const unsigned cmd = o->value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
		if (pst_host->fsconfig(fs, cmd, o->key, o->value, 0) != 0)
			return fail_with_log(fs, o->key, err);
	}
	/* Said aloud: with index=on, which may be the kernel's default, a second mount
	 * of an upper directory is refused. */
	return set_string(fs, "index", "off", err);
}

static int set_parts(int fs, const struct pst_overlay_parts *p, struct pst_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const int rc = set_fd(fs, "lowerdir+", p->lower[i], err);
		if (rc != PST_OK)
			return rc;
	}
	if (p->rw < 0)
		return PST_OK;
	const int rc = set_fd(fs, "upperdir", p->upper, err);
	return rc != PST_OK ? rc : set_fd(fs, "workdir", p->work, err);
}

int pst_overlay_mount_fd(const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
			 const char *source, int *ret_mnt, struct pst_err *err)
{
	pst_auto_fd fs = pst_host->fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return pst_fail_sys(err, "cannot open the overlay file system");
	int rc = set_string(fs, "source", source, err);
	if (rc == PST_OK)
		rc = set_options(fs, l, err);
	if (rc == PST_OK)
		rc = set_parts(fs, p, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return fail_with_log(fs, "create", err);
	const int mnt = pst_host->fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return fail_with_log(fs, "fsmount", err);
	*ret_mnt = mnt;
	return PST_OK;
}

int pst_overlay_tmpfs(int *ret_mnt, struct pst_err *err)
{
	pst_auto_fd fs = pst_host->fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || pst_host->fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) != 0 ||
	    pst_host->fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return pst_fail_sys(err, "cannot make a tmpfs");
	const int mnt = pst_host->fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mnt < 0)
		return pst_fail_sys(err, "cannot make a tmpfs");
	*ret_mnt = mnt;
	return PST_OK;
}

static void add_path(struct pst_buf *b, const char *key, char sep, int fd)
{
	char path[PST_FDPATH_MAX];
	pst_buf_fmt(b, "%s%c%s", key, sep, pst_fdpath_proc(fd, path));
}

/* The options of a classic mount(2), directories as /proc/self/fd/N. */
static int mount_data(const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
		      struct pst_buf *b, struct pst_err *err)
{
	pst_buf_str(b, "index=off,lowerdir");
	for (size_t i = 0; i < p->n; i++)
		add_path(b, "", i == 0 ? '=' : ':', p->lower[i]);
	if (p->rw >= 0) {
		add_path(b, ",upperdir", '=', p->upper);
		add_path(b, ",workdir", '=', p->work);
	}
	for (size_t i = 0; i < l->nopt; i++) {
		const char *v = l->opt[i].value;
		const bool quote = v != NULL && strchr(v, ',') != NULL; /* an LSM label */
		pst_buf_fmt(b, ",%s%s%s%s%s", l->opt[i].key, v != NULL ? "=" : "", quote ? "\"" : "",
			    v != NULL ? v : "", quote ? "\"" : "");
	}
	if (!pst_buf_ok(b))
		return pst_fail_nomem(err);
	if (b->len > MOUNT_DATA_MAX)
		return pst_fail(err, PST_E_HOST, "", "%zu overlay layers do not fit one page of mount "
				"options", p->n);
	return PST_OK;
}

static int attach_one(int root, const char *name, int mnt, struct pst_err *err)
{
	if (pst_host->mkdirat(root, name, 0700) != 0)
		return pst_fail_sys(err, "cannot make a mount point for an overlay layer");
	if (mnt >= 0 && pst_host->move_mount(mnt, "", root, name, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return pst_fail_sys(err, "cannot attach an overlay layer");
	return PST_OK;
}

/* Hang all clones below `root`, make the overlay on root/t and take a copy. */
static int mount_below(int root, const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
		       const char *source, int *ret_mnt, struct pst_err *err)
{
	pst_auto_buf data = {0};
	char name[PST_FDPATH_MAX + 8];
	int rc = mount_data(p, l, &data, err);
	for (size_t i = 0; i < p->n && rc == PST_OK; i++) {
		(void)snprintf(name, sizeof name, "%zu", i);
		rc = attach_one(root, name, p->lower[i], err);
	}
	if (rc == PST_OK && p->rw >= 0)
		rc = attach_one(root, "rw", p->rw, err);
	if (rc == PST_OK)
		rc = attach_one(root, "t", -1, err);
	if (rc != PST_OK)
		return rc;

	(void)snprintf(name, sizeof name, "/proc/self/fd/%d/t", root);
	if (pst_host->mount(source, name, "overlay", 0, pst_buf_cstr(&data)) != 0)
		return pst_fail_sys(err, "cannot mount the id-mapped overlay of %zu layers", p->n);
	const int mnt = pst_host->open_tree(root, "t",
					    (unsigned)OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC);
	if (mnt < 0)
		return pst_fail_sys(err, "cannot clone the id-mapped overlay");
	*ret_mnt = mnt;
	return PST_OK;
}

int pst_overlay_mount_attached(const struct pst_overlay_parts *p, const struct pst_ovl_layout *l,
			       const char *source, int scratch, int *ret_mnt, struct pst_err *err)
{
	pst_auto_fd root = -1;
	int rc = pst_overlay_tmpfs(&root, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->move_mount(root, "", scratch, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
		return pst_fail_sys(err, "cannot attach a scratch tmpfs");

	int mnt = -1;
	rc = mount_below(root, p, l, source, &mnt, err);
	/* The whole tree goes at once; overlayfs keeps private copies of its layers. */
	char path[PST_FDPATH_MAX];
	if (pst_host->umount2(pst_fdpath_proc(root, path), DETACH) != 0 && rc == PST_OK)
		rc = pst_fail_sys(err, "cannot detach the scratch tmpfs");
	if (rc == PST_OK)
		*ret_mnt = mnt;
	else
		pst_fd_close(mnt);
	return rc;
}

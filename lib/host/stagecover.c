#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "core/mountinfo.h"
#include "host/fdpath.h"
#include "host/hostops.h"
#include "host/mounttab.h"
#include "host/stage.h"
#include "host/stage_priv.h"

static int detach_fd(int mnt, struct pst_err *err)
{
	char path[PST_FDPATH_MAX];
	if (pst_host->umount2(pst_fdpath_proc(mnt, path), PST_STAGE_DETACH) != 0)
		return pst_fail_sys(err, "cannot detach our own mount again");
	return PST_OK;
}

/* Does `path` lead to the root that the caller looked at? */
static int check_under(const char *path, int under_fd, struct pst_err *err)
{
	struct stat a, b;
	pst_auto_fd fd = pst_host->openat(
		AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0 || pst_host->fstat(fd, &a) != 0 || pst_host->fstat(under_fd, &b) != 0)
		return pst_fail_sys(err, "cannot look at %s", path);
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return pst_fail(err, PST_E_STATE, "", "%s no longer is the mount that was planned for", path);
	return PST_OK;
}

/* The mount is attached now: learn how to know it again, and copy it. */
static int mark_and_clone(const char *path, int mnt, struct pst_cover *mark, int *ret_clone,
			  struct pst_err *err)
{
	struct stat st;
	pst_auto_mounttab tab = {0};
	if (pst_host->fstat(mnt, &st) != 0)
		return pst_fail_sys(err, "cannot stat the mount over %s", path);
	int rc = pst_mounttab_read(&tab, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_mountinfo *m = pst_mountinfo_at(&tab, path);
	if (m == NULL || m->major != major(st.st_dev) || m->minor != minor(st.st_dev))
		return pst_fail(err, PST_E_STATE, "", "%s was mounted over by somebody else", path);
	if (strlen(m->source) >= sizeof mark->source)
		return pst_fail(err, PST_E_BUG, "", "the mark of our mount over %s is too long", path);

	const int clone = pst_host->open_tree(
		mnt, "", (unsigned)OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (clone < 0)
		return pst_fail_sys(err, "cannot clone the mount over %s", path);
	*mark = (struct pst_cover){.major = m->major, .minor = m->minor};
	memcpy(mark->source, m->source, strlen(m->source));
	*ret_clone = clone;
	return PST_OK;
}

int pst_stage_cover(const char *path, int under_fd, int mnt, struct pst_cover *ret, int *ret_clone,
		    struct pst_err *err)
{
	int rc = check_under(path, under_fd, err);
	if (rc != PST_OK)
		return rc;
	/* By descriptor: whatever happens to the path meanwhile, ours lands on what was
	 * looked at. */
	if (pst_host->move_mount(mnt, "", under_fd, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
		return pst_fail_sys(err, "cannot attach a mount over %s", path);
	rc = mark_and_clone(path, mnt, ret, ret_clone, err);
	if (rc != PST_OK)
		(void)!detach_fd(mnt, NULL);
	return rc;
}

int pst_stage_uncover(const char *path, const struct pst_cover *mark, bool *ret_removed,
		      struct pst_err *err)
{
	pst_auto_mounttab tab = {0};
	bool removed = false;
	int rc = pst_mounttab_read(&tab, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_mountinfo *m = pst_mountinfo_at(&tab, path);
	const bool any = mark->major == 0 && mark->minor == 0;
	if (m != NULL && (any || (m->major == mark->major && m->minor == mark->minor)) &&
	    pst_streq(m->fstype, "overlay") && pst_streq(m->source, mark->source)) {
		/* the descriptor holds the mount between the check and the umount */
		pst_auto_fd fd = pst_host->openat(
			AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		struct stat st;
		if (fd < 0 || pst_host->fstat(fd, &st) != 0)
			return pst_fail_sys(err, "cannot look at %s", path);
		if (major(st.st_dev) == m->major && minor(st.st_dev) == m->minor) {
			rc = detach_fd(fd, err);
			if (rc != PST_OK)
				return rc;
			removed = true;
		}
	}
	if (ret_removed != NULL)
		*ret_removed = removed;
	return PST_OK;
}

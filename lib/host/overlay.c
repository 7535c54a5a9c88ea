#include "host/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/idmap.h"
#include "host/overlay_priv.h"

#define FS_RDONLY 1 /* ST_RDONLY of statfs(2) f_flags */

/* What setfsuid(2) answers to an id that is none: the present one, unchanged. */
#define ASK ((uid_t)-1)

struct creds {
	uid_t uid;
	gid_t gid;
	int securebits;
};

/* All three are put back whatever happens on the way; true if they are as before. */
static bool creds_back(const struct creds *c)
{
	(void)pst_host->setfsuid(c->uid);
	(void)pst_host->setfsgid(c->gid);
	(void)pst_host->prctl(PR_SET_SECUREBITS, (unsigned long)c->securebits, 0, 0, 0);
	return (uid_t)pst_host->setfsuid(ASK) == c->uid && (gid_t)pst_host->setfsgid(ASK) == c->gid &&
	       pst_host->prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == c->securebits;
}

/* Without SECBIT_NO_SETUID_FIXUP a fsuid other than 0 takes the file capabilities
 * away (capabilities(7)), and overlayfs keeps the mounter's for its work. */
static bool creds_take(const struct creds *c, uint32_t base)
{
	if (pst_host->prctl(PR_SET_SECUREBITS, (unsigned long)c->securebits | SECBIT_NO_SETUID_FIXUP, 0,
			    0, 0) != 0)
		return false;
	(void)pst_host->setfsgid(base);
	(void)pst_host->setfsuid(base);
	return (uid_t)pst_host->setfsuid(ASK) == base && (gid_t)pst_host->setfsgid(ASK) == base;
}

int pst_overlay_as(uint32_t base, int (*fn)(void *arg, struct pst_err *err), void *arg,
		   struct pst_err *err)
{
	const struct creds c = {
		.uid = (uid_t)pst_host->setfsuid(ASK),
		.gid = (gid_t)pst_host->setfsgid(ASK),
		.securebits = pst_host->prctl(PR_GET_SECUREBITS, 0, 0, 0, 0),
	};
	if (c.securebits < 0)
		return pst_fail_sys(err, "cannot read the securebits");

	int rc;
	if (creds_take(&c, base))
		rc = fn(arg, err);
	else
		rc = pst_fail(err, PST_E_HOST, "", "cannot take file system id %u with all capabilities",
			      base);
	if (!creds_back(&c))
		return pst_fail(err, PST_E_BUG, "",
				"the process could not get its own file system ids back from %u", base);
	return rc;
}

static const char *const form_names[] = {"none", "attached", "fd"};

const char *pst_overlay_form_name(enum pst_overlay_form form)
{
	return form_names[form];
}

bool pst_overlay_form_parse(const char *name, enum pst_overlay_form *ret)
{
	for (size_t i = 0; i < PST_NELEM(form_names); i++) {
		if (pst_streq(name, form_names[i])) {
			*ret = (enum pst_overlay_form)i;
			return true;
		}
	}
	return false;
}

/* Is it really writable, and does a new file belong to the block? An unnamed file
 * (O_TMPFILE) tells without a trace. */
static int check_writable(int mnt, uint32_t base, struct pst_err *err)
{
	struct statfs fs;
	if (pst_host->fstatfs(mnt, &fs) != 0)
		return pst_fail_sys(err, "cannot stat the id-mapped overlay");
	if (((unsigned long)fs.f_flags & FS_RDONLY) != 0) {
		errno = EROFS;
		pst_fail_sys(err, "the kernel mounted the id-mapped overlay read-only");
		pst_err_cure(err, "the kernel log says why; is the upper directory's file system full "
				  "or read-only?");
		return PST_E_HOST;
	}

	pst_auto_fd fd = pst_host->openat(mnt, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		/* no such files here (overlayfs before 6.1), or a full disk: not our question */
		if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOSPC || errno == EDQUOT)
			return PST_OK;
		return pst_fail_sys(err, "cannot create a file in the id-mapped overlay");
	}
	struct stat st;
	if (pst_host->fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot stat a file in the id-mapped overlay");
	if (st.st_uid != base || st.st_gid != base)
		return pst_fail(err, PST_E_HOST, "",
				"a new file in the id-mapped overlay belongs to %u:%u, not to %u", st.st_uid,
				st.st_gid, base);
	return PST_OK;
}

struct job {
	const struct pst_ovl_layout *layout;
	const struct pst_overlay_how *how;
	const struct pst_overlay_parts *parts;
	int mnt;
};

static int mount_and_check(void *arg, struct pst_err *err)
{
	struct job *j = arg;
	pst_auto_fd mnt = -1;
	int rc;
	if (j->how->form == PST_OVERLAY_FD)
		rc = pst_overlay_mount_fd(j->parts, j->layout, j->how->source, &mnt, err);
	else
		rc = pst_overlay_mount_attached(j->parts, j->layout, j->how->source, j->how->scratch,
						&mnt, err);
	if (rc == PST_OK && j->layout->upper != NULL && !j->layout->readonly)
		rc = check_writable(mnt, j->how->owned ? 0 : j->how->base, err);
	if (rc == PST_OK)
		j->mnt = PST_TAKE_FD(mnt);
	return rc;
}

static int set_flags(int mnt, const struct pst_ovl_layout *l, struct pst_err *err)
{
	struct mount_attr at = {
		.attr_set = (l->readonly || l->upper == NULL ? MOUNT_ATTR_RDONLY : 0) |
			    (l->nosuid ? MOUNT_ATTR_NOSUID : 0) | (l->nodev ? MOUNT_ATTR_NODEV : 0) |
			    (l->noexec ? MOUNT_ATTR_NOEXEC : 0),
	};
	if (at.attr_set != 0 && pst_host->mount_setattr(mnt, "", AT_EMPTY_PATH, &at, sizeof at) != 0)
		return pst_fail_sys(err, "cannot set the mount flags of the id-mapped overlay");
	return PST_OK;
}

static int refuse(const struct pst_ovl_layout *l, const struct pst_overlay_how *how,
		  struct pst_err *err)
{
	if (l->unsupported != NULL || l->userxattr)
		return pst_fail(err, PST_E_SPEC, "", "the overlay cannot be rebuilt: %s",
				l->unsupported != NULL ? l->unsupported : "userxattr");
	if (l->n == 0 || pst_ovl_is_relative(l))
		return pst_fail(err, PST_E_SPEC, "", "the overlay's directories are not absolute paths");
	if (how->form == PST_OVERLAY_NONE) {
		pst_fail(err, PST_E_HOST, "", "this kernel cannot make overlays of id-mapped layers");
		pst_err_cure(err, "use a kernel of 5.19 or later");
		return PST_E_HOST;
	}
	if (strlen(how->source) > 255 || (how->form == PST_OVERLAY_ATTACHED && how->scratch < 0))
		return pst_fail(err, PST_E_BUG, "", "an overlay without scratch directory or with a long "
				"source text");
	return PST_OK;
}

int pst_overlay_build(const struct pst_ovl_layout *layout, const struct pst_overlay_how *how,
		      int *ret_mnt, struct pst_err *err)
{
	struct pst_overlay_parts PST_CLEANUP(pst_overlay_parts_done) parts = PST_OVERLAY_PARTS_EMPTY;
	int rc = refuse(layout, how, err);
	if (rc == PST_OK)
		rc = pst_overlay_parts_open(layout, how, &parts, err);
	if (rc != PST_OK)
		return rc;

	pst_auto_fd mnt = -1;
	if (parts.n == 1 && layout->upper == NULL) {
		mnt = PST_TAKE_FD(parts.lower[0]);
	} else {
		struct job j = {.layout = layout, .how = how, .parts = &parts, .mnt = -1};
		rc = how->owned ? mount_and_check(&j, err)
				: pst_overlay_as(how->base, mount_and_check, &j, err);
		mnt = j.mnt;
	}
	if (rc == PST_OK)
		rc = set_flags(mnt, layout, err);
	if (rc == PST_OK)
		*ret_mnt = PST_TAKE_FD(mnt);
	return rc;
}

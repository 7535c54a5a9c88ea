#include "host/devnode.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/stage.h"

static bool type_of(char type, mode_t *ret)
{
	switch (type) {
	case 'c':
	case 'u':
		*ret = S_IFCHR;
		return true;
	case 'b':
		*ret = S_IFBLK;
		return true;
	case 'p':
		*ret = S_IFIFO;
		return true;
	default:
		return false;
	}
}

static int make_one(int dir, const struct pst_devnode *d, struct pst_err *err)
{
	mode_t type;
	if (!type_of(d->type, &type))
		return pst_fail(err, PST_E_SPEC, "", "device %s has the unknown type '%c'", d->name, d->type);
	if (d->name[0] == '\0' || strchr(d->name, '/') != NULL || pst_streq(d->name, ".") ||
	    pst_streq(d->name, ".."))
		return pst_fail(err, PST_E_SPEC, "", "\"%s\" is no file name for a device", d->name);
	const mode_t mode = d->mode & 07777;
	const dev_t dev = type == S_IFIFO ? 0 : makedev(d->major, d->minor);
	/* mode again after chown, which clears set-id bits, and past the umask */
	if (pst_host->mknodat(dir, d->name, type | (mode & 0700), dev) != 0 ||
	    pst_host->fchownat(dir, d->name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) != 0 ||
	    pst_host->fchmodat(dir, d->name, mode) != 0)
		return pst_fail_sys(err, "cannot make the device node %s (%c %u:%u)", d->name, d->type,
				    d->major, d->minor);
	return PST_OK;
}

static int empty_tmpfs(uint32_t base, int *ret, struct pst_err *err)
{
	char id[16];
	(void)snprintf(id, sizeof id, "%u", base);
	const struct {
		const char *key, *value;
	} opt[] = {{"source", "devices"}, {"mode", "0755"}, {"uid", id},
		   {"gid", id},           {"size", "64k"},  {"nr_inodes", "1100"}};
	pst_auto_fd fs = pst_host->fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return pst_fail_sys(err, "cannot make a tmpfs for device nodes");
	for (size_t i = 0; i < PST_NELEM(opt); i++)
		if (pst_host->fsconfig(fs, FSCONFIG_SET_STRING, opt[i].key, opt[i].value, 0) != 0)
			return pst_fail_sys(err, "cannot set %s of a tmpfs for device nodes", opt[i].key);
	if (pst_host->fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return pst_fail_sys(err, "cannot make a tmpfs for device nodes");
	const int mnt =
		pst_host->fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return pst_fail_sys(err, "cannot mount a tmpfs for device nodes");
	*ret = mnt;
	return PST_OK;
}

int pst_devnode_make(int stage, const char *name, uint32_t base, const struct pst_devnode v[],
		     size_t n, struct pst_err *err)
{
	pst_auto_fd mnt = -1;
	if (n > PST_DEVNODE_MAX)
		return pst_fail(err, PST_E_SPEC, "", "%zu devices, more than %d", n, PST_DEVNODE_MAX);
	int rc = empty_tmpfs(base, &mnt, err);
	for (size_t i = 0; i < n && rc == PST_OK; i++)
		rc = make_one(mnt, &v[i], err);
	return rc != PST_OK ? rc : pst_stage_attach(stage, name, mnt, err);
}

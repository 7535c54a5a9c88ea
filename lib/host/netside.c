#include "host/netside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>

#include "base/fd.h"
#include "host/aside.h"
#include "host/hostops.h"
#include "host/stage.h"

int pst_netside_id(int nsfd, struct pst_nsid *ret, struct pst_err *err)
{
	struct stat st;
	if (pst_host->fstat(nsfd, &st) != 0)
		return pst_fail_sys(err, "cannot stat a namespace");
	*ret = (struct pst_nsid){.dev = st.st_dev, .ino = st.st_ino};
	return PST_OK;
}

int pst_netside_owner(int nsfd, struct pst_nsid *ret, struct pst_err *err)
{
	pst_auto_fd owner = pst_host->ioctl(nsfd, NS_GET_USERNS, NULL);
	if (owner < 0)
		return pst_fail_sys(err, "cannot ask which user namespace owns a namespace");
	return pst_netside_id(owner, ret, err);
}

int pst_netside_is_host(int nsfd, const char *type, bool *ret, struct pst_err *err)
{
	static const char *const of[] = {"1", "self"};
	struct pst_nsid mine;
	const int rc = pst_netside_id(nsfd, &mine, err);
	if (rc != PST_OK)
		return rc;
	char path[64];
	for (size_t i = 0; i < PST_NELEM(of); i++) {
		struct stat st;
		(void)snprintf(path, sizeof path, "/proc/%s/ns/%s", of[i], type);
		if (pst_host->fstatat(AT_FDCWD, path, &st, 0) == 0) {
			*ret = st.st_dev == mine.dev && st.st_ino == mine.ino;
			return PST_OK;
		}
	}
	return pst_fail_sys(err, "cannot stat %s", path);
}

/* A virtual file system whose content depends on a namespace of the mounter. */
struct view {
	const char *fstype;
	int ns; /* -1: stay */
	int nstype;
	uint64_t attrs;
	int stage;
	const char *name;
};

static int mount_view(void *arg, void *io, struct pst_err *err)
{
	(void)io;
	const struct view *v = arg;
	if (v->ns >= 0 && pst_host->setns(v->ns, v->nstype) != 0)
		return pst_fail_sys(err, "cannot enter the namespace for %s", v->fstype);
	pst_auto_fd fs = pst_host->fsopen(v->fstype, FSOPEN_CLOEXEC);
	if (fs < 0 || pst_host->fsconfig(fs, FSCONFIG_SET_STRING, "source", v->fstype, 0) != 0 ||
	    pst_host->fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return pst_fail_sys(err, "cannot make a %s", v->fstype);
	pst_auto_fd mnt = pst_host->fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)v->attrs);
	if (mnt < 0)
		return pst_fail_sys(err, "cannot mount a %s", v->fstype);
	return pst_stage_attach(v->stage, v->name, mnt, err);
}

int pst_netside_sysfs(int netns, int stage, const char *name, struct pst_err *err)
{
	struct view v = {
		.fstype = "sysfs",
		.ns = netns,
		.nstype = CLONE_NEWNET,
		.attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.stage = stage,
		.name = name,
	};
	return pst_aside_run(mount_view, &v, NULL, 0, err);
}

int pst_netside_mqueue(int ipcns, int stage, const char *name, struct pst_err *err)
{
	struct view v = {
		.fstype = "mqueue",
		.ns = ipcns,
		.nstype = CLONE_NEWIPC,
		.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.stage = stage,
		.name = name,
	};
	return pst_aside_run(mount_view, &v, NULL, 0, err);
}

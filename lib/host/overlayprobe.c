#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>

#include "base/fd.h"
#include "host/aside.h"
#include "host/hostops.h"
#include "host/overlay_priv.h"
#include "host/stage.h"
#include "host/userns.h"

/* Any block will do: nothing outlives the probe. */
#define PROBE_BASE UINT32_C(1879048192)

struct probe {
	struct pst_overlay_parts parts;
	enum pst_overlay_form form;
	int scratch;
};

/* A mapped tmpfs with directories in it. false: this tmpfs cannot be mapped. */
static bool mapped_tmpfs(int userns, int *ret)
{
	pst_auto_fd fd = -1;
	if (pst_overlay_tmpfs(&fd, NULL) != PST_OK)
		return false;
	struct mount_attr at = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint32_t)userns};
	if (pst_host->mkdirat(fd, "up", 0755) != 0 || pst_host->mkdirat(fd, "work", 0755) != 0 ||
	    pst_host->mount_setattr(fd, "", AT_EMPTY_PATH, &at, sizeof at) != 0)
		return false;
	*ret = PST_TAKE_FD(fd);
	return true;
}

static bool make_parts(int userns, struct pst_overlay_parts *p)
{
	p->lower = calloc(1, sizeof *p->lower);
	if (p->lower == NULL || !mapped_tmpfs(userns, &p->lower[0]))
		return false;
	p->n = 1;
	if (!mapped_tmpfs(userns, &p->rw))
		return false;
	p->upper = pst_host->openat(p->rw, "up", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	p->work = pst_host->openat(p->rw, "work", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	return p->upper >= 0 && p->work >= 0;
}

static int try_form(void *arg, struct pst_err *err)
{
	struct probe *p = arg;
	const struct pst_ovl_layout plain = {0};
	pst_auto_fd mnt = -1;
	const int rc = p->form == PST_OVERLAY_FD
			       ? pst_overlay_mount_fd(&p->parts, &plain, "probe", &mnt, err)
			       : pst_overlay_mount_attached(&p->parts, &plain, "probe", p->scratch, &mnt,
							    err);
	if (rc != PST_OK)
		return rc;
	/* the trap: mounted, but read-only because the work directory was refused */
	struct statfs fs;
	if (pst_host->fstatfs(mnt, &fs) != 0 || ((unsigned long)fs.f_flags & 1) != 0)
		return pst_fail(err, PST_E_HOST, "", "mounted read-only");
	return PST_OK;
}

/* Fresh parts for each try: a failed one may have attached or used them. */
static int works(enum pst_overlay_form form, int userns, int scratch, bool *ret,
		 struct pst_err *err)
{
	struct probe p = {.parts = PST_OVERLAY_PARTS_EMPTY, .form = form, .scratch = scratch};
	int rc = PST_OK;
	*ret = false;
	if (make_parts(userns, &p.parts)) {
		struct pst_err why = {0};
		rc = pst_overlay_as(PROBE_BASE, try_form, &p, &why);
		*ret = rc == PST_OK;
		/* only what the probe is about may fail */
		if (rc == PST_E_HOST)
			rc = PST_OK;
		if (rc != PST_OK && err != NULL)
			*err = why;
	}
	pst_overlay_parts_done(&p.parts);
	return rc;
}

/* Is the call there at all? With a bad descriptor it says EBADF, else ENOSYS. */
static bool has_setattr(void)
{
	struct mount_attr at = {.attr_set = MOUNT_ATTR_RDONLY};
	return pst_host->mount_setattr(-1, "", AT_EMPTY_PATH, &at, sizeof at) == 0 || errno != ENOSYS;
}

static int choose(int userns, enum pst_overlay_form *ret, struct pst_err *err)
{
	bool ok;
	int rc = works(PST_OVERLAY_FD, userns, -1, &ok, err);
	if (rc != PST_OK || ok) {
		*ret = PST_OVERLAY_FD;
		return rc;
	}
	/* /dev is there on every host; in this namespace only we see what covers it */
	pst_auto_fd scratch = pst_host->openat(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	rc = works(PST_OVERLAY_ATTACHED, userns, scratch, &ok, err);
	if (rc != PST_OK || ok) {
		*ret = PST_OVERLAY_ATTACHED;
		return rc;
	}
	pst_auto_fd tmpfs = -1;
	const bool untold = !mapped_tmpfs(userns, &tmpfs) && has_setattr();
	*ret = untold ? PST_OVERLAY_ATTACHED : PST_OVERLAY_NONE;
	return PST_OK;
}

static int probe_aside(void *arg, void *io, struct pst_err *err)
{
	(void)arg;
	pst_auto_fd userns = -1;
	int rc = pst_stage_private(err);
	if (rc == PST_OK)
		rc = pst_userns_open(PROBE_BASE, 65536, NULL, 0, &userns, err);
	return rc != PST_OK ? rc : choose(userns, io, err);
}

int pst_overlay_probe(enum pst_overlay_form *ret, struct pst_err *err)
{
	enum pst_overlay_form form = PST_OVERLAY_NONE;
	const int rc = pst_aside_run(probe_aside, NULL, &form, sizeof form, err);
	if (rc == PST_OK)
		*ret = form;
	return rc;
}

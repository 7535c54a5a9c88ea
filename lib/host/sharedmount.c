#include "host/sharedmount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"

void pst_sharedmounts_done(struct pst_sharedmounts *s)
{
	for (size_t i = 0; i < s->n; i++) {
		pst_volume_done(&s->source[i]);
		pst_fd_close(s->mnt[i]);
	}
	s->n = 0;
}

/* Open the sources that are to propagate; their clones come later, when all are known. */
static int open_sources(const struct pst_spec *spec, const char *bundle, struct pst_sharedmounts *s,
			struct pst_err *err)
{
	pst_auto_fd dir = pst_host->openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return pst_fail_sys(err, "cannot open the bundle %s", bundle);
	for (size_t i = 0; i < spec->nmounts; i++) {
		const struct pst_mount *m = &spec->mounts[i];
		pst_auto_volume v = PST_VOLUME_EMPTY;
		if (!m->bind || m->propagation != PST_PROP_SHARED)
			continue;
		const int rc = pst_volume_open(dir, m->source, &v, err);
		if (rc == PST_E_SPEC)
			continue;
		if (rc != PST_OK)
			return rc;
		if (pst_path_under(bundle, v.path))
			continue;
		if (s->n == PST_SHAREDMOUNT_MAX)
			return pst_fail(err, PST_E_SPEC, "/mounts", "more than %d mounts are to propagate to "
					"the host: mount a folder that holds several", PST_SHAREDMOUNT_MAX);
		s->mnt[s->n] = -1;
		s->source[s->n++] = v;
		v = PST_VOLUME_EMPTY;
	}
	return PST_OK;
}

/* Does a clone of another source bring this one along? Of two that are the same the first stays. */
static bool comes_along(const struct pst_sharedmounts *s, size_t i)
{
	for (size_t j = 0; j < s->n; j++) {
		const bool same = strcmp(s->source[i].path, s->source[j].path) == 0;
		if (j != i && pst_path_under(s->source[i].path, s->source[j].path) && (!same || j < i))
			return true;
	}
	return false;
}

int pst_sharedmounts_take(const struct pst_spec *spec, const char *bundle,
			  struct pst_sharedmounts *ret, struct pst_err *err)
{
	struct pst_err why = {0};
	ret->n = 0;
	int rc = open_sources(spec, bundle, ret, &why);
	for (size_t i = 0; rc == PST_OK && i < ret->n; i++) {
		if (comes_along(ret, i))
			continue;
		/* All below it, however it was asked for: the path has to show what it showed. */
		ret->mnt[i] = pst_host->open_tree(ret->source[i].fd, "",
						  (unsigned)OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC |
							  AT_EMPTY_PATH | AT_RECURSIVE);
		if (ret->mnt[i] < 0)
			rc = pst_fail_sys(&why, "cannot clone %s, which is to propagate to the host",
					  ret->source[i].path);
	}
	if (rc != PST_OK && err != NULL)
		*err = why;
	return rc;
}

int pst_sharedmounts_put(const struct pst_sharedmounts *s, struct pst_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		pst_auto_volume at = PST_VOLUME_EMPTY;
		if (s->mnt[i] < 0)
			continue;
		const int rc = pst_volume_reopen(&s->source[i], &at, err);
		if (rc != PST_OK)
			return rc;
		if (pst_host->move_mount(s->mnt[i], "", at.fd, "",
					 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
			return pst_fail_sys(err, "cannot attach the clone of %s", s->source[i].path);
	}
	return PST_OK;
}

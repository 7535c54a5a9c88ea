#include "host/fdpath.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/hostops.h"

const char *pst_fdpath_proc(int fd, char buf[PST_FDPATH_MAX])
{
	(void)snprintf(buf, PST_FDPATH_MAX, "/proc/self/fd/%d", fd);
	return buf;
}

/* The link's text is only a hint: a removed file's has " (deleted)" added, and so
 * may a real name. Believe it if it leads back to the same file. */
static bool leads_to(const char *path, int fd)
{
	struct stat a, b;
	return pst_host->fstat(fd, &a) == 0 &&
	       pst_host->fstatat(AT_FDCWD, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int pst_fdpath_get(int fd, char **ret, struct pst_err *err)
{
	char link[PST_FDPATH_MAX], path[PATH_MAX + 1];
	const ssize_t n =
		pst_host->readlinkat(AT_FDCWD, pst_fdpath_proc(fd, link), path, sizeof path - 1);
	if (n < 0)
		return pst_fail_sys(err, "cannot read %s", link);
	path[n] = '\0';
	if (path[0] != '/' || !leads_to(path, fd))
		return pst_fail(err, PST_E_HOST, "", "%s was removed or moved, or cannot be reached", path);
	char *copy = strdup(path);
	if (copy == NULL)
		return pst_fail_nomem(err);
	*ret = copy;
	return PST_OK;
}

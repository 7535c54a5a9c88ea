#include "host/beside.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "host/hostops.h"

bool pst_beside_trusted(const char *path)
{
	struct stat st;
	return pst_host->fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && (st.st_mode & S_IXUSR) != 0;
}

char *pst_beside(const char *name)
{
	/* As installed side by side, and as the build lays them out. */
	static const char *const between[] = {"", "../unpack/", "../keeper/"};
	char self[PATH_MAX], path[PATH_MAX + 64];
	const ssize_t n = pst_host->readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		for (size_t i = 0; i < PST_NELEM(between); i++) {
			snprintf(path, sizeof path, "%s/%s%s", self, between[i], name);
			if (pst_beside_trusted(path))
				return strdup(path);
		}
	}
	snprintf(path, sizeof path, "%s/%s", PST_LIBEXECDIR, name);
	return pst_beside_trusted(path) ? strdup(path) : NULL;
}

#include "containerd/find.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static bool trusted(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & 022) == 0 && (st.st_mode & 0111) != 0;
}

int pst_shim_postern_path(const char **ret, struct pst_err *err)
{
	static char path[512];
	/* Beside us when installed; one folder over in a build tree. */
	static const char *const beside[] = {"postern", "../postern/postern"};
	const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
	for (size_t i = 0; slash != NULL && i < PST_NELEM(beside); i++) {
		(void)stpcpy(slash + 1, beside[i]);
		if (trusted(path)) {
			*ret = path;
			return PST_OK;
		}
	}
	if (trusted(PST_BINDIR "/postern")) {
		*ret = PST_BINDIR "/postern";
		return PST_OK;
	}
	pst_fail(err, PST_E_HOST, "", "no postern program beside this one or in " PST_BINDIR
		 " that root alone can write");
	return pst_err_cure(err, "install postern and the shim into one folder, owned by root");
}

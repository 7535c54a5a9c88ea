#include "host/cgroupof.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "host/hostops.h"
#include "host/io.h"

#define TEXT 8192

int pst_cgroup_of(pid_t pid, struct pst_cgroup *ret, struct pst_err *err)
{
	char text[TEXT], path[64];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	if (pst_io_read_small(AT_FDCWD, path, text, sizeof text) < 0)
		return pst_fail_sys(err, "cannot read %s", path);
	const bool unified =
		pst_host->fstatat(AT_FDCWD, PST_CGROUP_ROOT "/cgroup.controllers", &st, 0) == 0;
	return pst_cgroup_parse(text, unified, ret, err);
}

void pst_cgroup_numbers(const struct pst_cgroup *cg, struct pst_cgnum *ret)
{
	char text[TEXT] = "";
	const char *open_file = "";
	*ret = pst_cgnum_none;
	for (const struct pst_cgnum_row *r = pst_cgnum_rows(cg->version); r->file != NULL; r++) {
		const char *path = pst_cgroup_dir(cg, r->where);
		if (path == NULL)
			continue;
		if (strcmp(open_file, r->file) != 0) {
			pst_auto_fd dir = pst_host->openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
			if (dir < 0 || pst_io_read_small(dir, r->file, text, sizeof text) < 0)
				text[0] = '\0';
			open_file = r->file;
		}
		if (text[0] != '\0')
			pst_cgnum_take(ret, r, text);
	}
}

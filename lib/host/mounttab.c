#include "host/mounttab.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/io.h"

#define MOUNTINFO_MAX ((size_t)64 << 20)

int pst_mounttab_read(struct pst_mounttab *ret, struct pst_err *err)
{
	static const char path[] = "/proc/self/mountinfo";
	pst_auto_buf text = {0};
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s", path);
	const int rc = pst_io_read_fd(fd, MOUNTINFO_MAX, path, &text, err);
	return rc != PST_OK ? rc : pst_mountinfo_parse(pst_buf_cstr(&text), text.len, ret, err);
}

int pst_mounttab_id(int fd, uint64_t *ret, struct pst_err *err)
{
	char path[64], text[512];
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	if (pst_io_read_small(AT_FDCWD, path, text, sizeof text) < 0)
		return pst_fail_sys(err, "cannot read %s", path);
	char *id = strstr(text, "mnt_id:");
	if (id != NULL) {
		id += strlen("mnt_id:");
		id += strspn(id, " \t");
		id[strcspn(id, "\n")] = '\0';
	}
	if (id == NULL || !pst_num_parse(id, 10, UINT64_MAX, ret))
		return pst_fail(err, PST_E_HOST, "", "%s tells no mount id", path);
	return PST_OK;
}

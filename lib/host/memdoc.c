#include "host/memdoc.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/hostops.h"
#include "host/io.h"

int pst_memdoc_write(const json_t *doc, char path[64], struct pst_err *err)
{
	pst_auto_buf text = {0};
	int rc = pst_json_dump(doc, PST_JSON_COMPACT, &text, err);
	if (rc != PST_OK)
		return rc;
	int kept;
	pst_auto_fd fd = pst_host->memfd_create("postern-document", MFD_CLOEXEC);
	if (fd < 0 || pst_io_write_all(fd, text.data, text.len) != 0)
		return pst_fail_sys(err, "cannot keep a document in memory");
	kept = pst_host->fcntl(fd, F_DUPFD, 1000);
	if (kept < 0)
		kept = pst_host->fcntl(fd, F_DUPFD, 100);
	if (kept < 0)
		return pst_fail_sys(err, "cannot keep a document in memory");
	snprintf(path, 64, "/proc/self/fd/%d", kept);
	return PST_OK;
}

int pst_memdoc_read(const char *path, json_t **ret, struct pst_err *err)
{
	pst_auto_buf text = {0};
	/* "-" is the caller's stdin, as the runtime's update reads it. */
	int rc = strcmp(path, "-") == 0
			 ? pst_io_read_fd(0, pst_json_oci.bytes, "standard input", &text, err)
			 : PST_OK;
	if (rc == PST_OK && strcmp(path, "-") != 0) {
		/* Engines hand over pipes and memory files too. */
		pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		rc = fd < 0 ? pst_fail_sys(err, "cannot open %s", path)
			    : pst_io_read_fd(fd, pst_json_oci.bytes, path, &text, err);
	}
	return rc == PST_OK ? pst_json_parse(pst_buf_cstr(&text), text.len, path, &pst_json_oci, ret, err)
			    : rc;
}

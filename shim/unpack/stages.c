#include "stages.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static void archive_done(struct archive **a)
{
	archive_read_free(*a);
}

int stage_write(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		const ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE ? STAGE_UNREAD : -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t stage_read(int fd, void *buf, size_t len)
{
	ssize_t n;
	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n;
}

void stage_hex(SHA2_CTX *sum, char out[UNPACK_HEX + 1])
{
	uint8_t raw[SHA256_DIGEST_LENGTH];
	SHA256Final(raw, sum);
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

int stage_fail_archive(struct archive *a, struct pst_err *err, const char *fmt, ...)
{
	char what[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	const char *words = archive_error_string(a);
	return pst_fail(err, PST_E_SPEC, "", "%s: %s", what, words == NULL ? "bad data" : words);
}

/* Copy the data of the present entry to descriptor 1. */
static int copy_data(struct archive *a, const char *what, struct pst_err *err)
{
	static char buf[STAGE_BUFFER];
	for (;;) {
		const la_ssize_t n = archive_read_data(a, buf, sizeof buf);
		if (n == 0)
			return PST_OK;
		if (n < 0)
			return stage_fail_archive(a, err, "%s", what);
		const int rc = stage_write(STDOUT_FILENO, buf, (size_t)n);
		if (rc < 0)
			return pst_fail_sys(err, "cannot pass on %s", what);
		if (rc != 0)
			return rc;
	}
}

static const char *without_dot(const char *name)
{
	while (name != NULL && pst_starts(name, "./"))
		name += 2;
	return name;
}

int stage_member(const struct unpack_options *o, struct pst_err *err)
{
	PST_CLEANUP(archive_done) struct archive *a = archive_read_new();
	if (a == NULL || archive_read_support_format_tar(a) != ARCHIVE_OK)
		return pst_fail_nomem(err);
	if (archive_read_open_fd(a, STDIN_FILENO, STAGE_BUFFER) != ARCHIVE_OK)
		return stage_fail_archive(a, err, "image file is not a tar");
	struct archive_entry *e = NULL; /* owned by a */
	for (;;) {
		const int rc = archive_read_next_header(a, &e);
		if (rc == ARCHIVE_EOF)
			break;
		if (rc < ARCHIVE_WARN)
			return stage_fail_archive(a, err, "image file is not a whole tar");
		const char *name = without_dot(archive_entry_pathname(e));
		if (!pst_streq(name, o->member))
			continue;
		if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL)
			return pst_fail(err, PST_E_SPEC, "",
					"%.100s is not a file in the image's tar", o->member);
		return copy_data(a, o->member, err);
	}
	return pst_fail(err, PST_E_SPEC, "", "the image's tar has no %.100s", o->member);
}

int stage_digest(const struct unpack_options *o, struct pst_err *err)
{
	static char buf[STAGE_BUFFER];
	uint64_t total = 0;
	bool read_on = true;
	SHA2_CTX sum;
	SHA256Init(&sum);
	for (ssize_t n; (n = stage_read(STDIN_FILENO, buf, sizeof buf)) != 0;) {
		if (n < 0)
			return pst_fail_sys(err, "cannot read the blob");
		total += (uint64_t)n;
		if (total > o->size)
			return pst_fail(
				err, PST_E_SPEC, "",
				"blob sha256:%s is longer than the %llu bytes its descriptor says",
				o->digest, (unsigned long long)o->size);
		SHA256Update(&sum, (const uint8_t *)buf, (size_t)n);
		const int rc = read_on ? stage_write(STDOUT_FILENO, buf, (size_t)n) : 0;
		if (rc < 0)
			return pst_fail_sys(err, "cannot pass on the blob");
		read_on = read_on && rc == 0;
	}
	char hex[UNPACK_HEX + 1];
	stage_hex(&sum, hex);
	if (total != o->size)
		return pst_fail(err, PST_E_SPEC, "",
				"blob sha256:%s has %llu bytes, its descriptor says %llu",
				o->digest, (unsigned long long)total, (unsigned long long)o->size);
	if (!pst_streq(hex, o->digest))
		return pst_fail(err, PST_E_SPEC, "",
				"digest mismatch: blob sha256:%s has the sum sha256:%s", o->digest,
				hex);
	return read_on ? PST_OK : STAGE_UNREAD;
}

int stage_inflate(const struct unpack_options *o, struct pst_err *err)
{
	const bool gzip = o->form == UNPACK_GZIP;
	const char *what = gzip ? "layer is not whole gzip data" : "layer is not whole zstd data";
	PST_CLEANUP(archive_done) struct archive *a = archive_read_new();
	if (a == NULL || archive_read_support_format_raw(a) != ARCHIVE_OK)
		return pst_fail_nomem(err);
	/* Only the filter asked for: others would widen what hostile bytes reach. */
	if ((gzip ? archive_read_support_filter_gzip(a) : archive_read_support_filter_zstd(a)) !=
	    ARCHIVE_OK)
		return stage_fail_archive(a, err, "libarchive lacks a decompressor");
	if (archive_read_open_fd(a, STDIN_FILENO, STAGE_BUFFER) != ARCHIVE_OK)
		return stage_fail_archive(a, err, "%s", what);
	/* One filter and the plain end: bytes without its magic would pass unchanged,
	 * and a second wrapping would be undone as well. */
	const int wanted = gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
	if (archive_filter_count(a) != 2 || archive_filter_code(a, 0) != wanted)
		return pst_fail(err, PST_E_SPEC, "", "%s: no such data", what);
	struct archive_entry *e = NULL; /* owned by a */
	const int rc = archive_read_next_header(a, &e);
	if (rc == ARCHIVE_EOF)
		return PST_OK;
	if (rc < ARCHIVE_WARN)
		return stage_fail_archive(a, err, "%s", what);
	return copy_data(a, what, err);
}

/* Lines of JSON in denials/KEY.ndjson and KEY.limits.ndjson, each with one older file. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper.h"

/* By enum record_kind. */
static const struct {
	const char *name;
	off_t max;
} files[] = {
	{"", KEEPER_FILE_MAX},
	{".limits", KEEPER_LIMITS_MAX},
};

static struct {
	int dir;
	char key[33];
	char session[40];
} record;

void record_stamp(char out[40])
{
	struct timespec ts;
	struct tm tm;
	char day[24];
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, 40, "%s.%03ldZ", day, ts.tv_nsec / 1000000);
}

void record_open(int dir, const char *key)
{
	record.dir = dir;
	snprintf(record.key, sizeof record.key, "%.32s", key);
	record_stamp(record.session);
}

static void escaped(struct pst_buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			pst_buf_char(out, '\\');
		pst_buf_char(out, s[i]);
	}
}

void record_field(struct pst_buf *out, const char *key, const char *field)
{
	if (field == NULL)
		return;
	pst_buf_fmt(out, ",\"%s\":\"", key);
	escaped(out, field, strcspn(field, "\t\n"));
	pst_buf_char(out, '"');
}

void record_text(struct pst_buf *out, const char *s)
{
	escaped(out, s, strlen(s));
}

void record_who(const struct rules *r, struct pst_buf *out)
{
	record_field(out, "id", r->id);
	record_field(out, "namespace", r->namespace_);
	record_field(out, "pod", r->pod);
	record_field(out, "container", r->container);
	record_field(out, "profile", r->profile);
	record_field(out, "session", record.session);
}

/* A file that is full becomes the old one. */
void record_write(enum record_kind kind, const struct pst_buf *line)
{
	struct stat st;
	char name[64], old[64];
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	snprintf(name, sizeof name, "%s%s.ndjson", record.key, files[kind].name);
	snprintf(old, sizeof old, "%s%s.1.ndjson", record.key, files[kind].name);
	pst_auto_fd fd = openat(record.dir, name, flags, 0600);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= files[kind].max &&
	    renameat(record.dir, name, record.dir, old) == 0) {
		pst_fd_close(fd);
		fd = openat(record.dir, name, flags, 0600);
	}
	if (fd >= 0)
		(void)!write(fd, line->data, line->len);
}

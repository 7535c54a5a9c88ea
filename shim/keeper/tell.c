/* One line a call where people look: containerd's log, the termination message. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper.h"

#define LINES_MAX 8            /* of the message: the kubelet shows 4 KiB at most */
#define MESSAGE_MAX 4096       /* a longer one is the program's own: left alone */

static struct pst_buf said; /* what we wrote into the message, to know it again */
static unsigned lines;

/* A header's value as a string of ours; malloc'd. */
static char *value(const char *field)
{
	return field == NULL ? NULL : strndup(field, strcspn(field, "\t\n"));
}

static void to_log(const struct rules *r, const char *line)
{
	char when[40];
	struct tm tm;
	pst_auto_free char *path = value(r->log);
	pst_auto_buf b = {0};
	if (path == NULL)
		return;
	/* A fifo that nobody reads cannot be opened, a full one not be written: no matter. */
	pst_auto_fd fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	const time_t now = time(NULL);
	if (fd < 0 || gmtime_r(&now, &tm) == NULL)
		return;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	pst_buf_fmt(&b, "time=\"%s\" level=warning msg=\"", when);
	for (const char *s = line; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			pst_buf_char(&b, '\\');
		pst_buf_char(&b, *s);
	}
	pst_buf_str(&b, "\"\n");
	if (pst_buf_ok(&b))
		(void)!write(fd, b.data, b.len);
}

/* The file is the container's to write, the path the engine's: only a regular one, never
 * through a link, and only behind what is there. */
static int open_message(const struct rules *r, struct stat *st)
{
	pst_auto_free char *path = value(r->message);
	if (path == NULL)
		return -1;
	const int fd = open(path, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || st->st_nlink != 1 ||
			st->st_size > MESSAGE_MAX)) {
		pst_fd_close(fd);
		return -1;
	}
	return fd;
}

static void to_message(const struct rules *r, const char *line)
{
	struct stat st;
	pst_buf_str(&said, line);
	pst_buf_char(&said, '\n');
	pst_auto_fd fd = open_message(r, &st);
	if (fd >= 0)
		(void)!dprintf(fd, "%s\n", line);
}

void tell(const struct rules *r, const char *call, const char *args, const struct who *w,
	  unsigned error, bool pass)
{
	char line[700];
	const char *name = strerrorname_np((int)error);
	pst_auto_free char *profile = value(r->profile);
	pst_auto_free char *id = value(r->id);
	if (w->runtime || id == NULL)
		return;
	snprintf(line, sizeof line, "postern: %s %s(%s) of %s[%d] %s%s by profile %s; see: postern denials %s",
		 pass ? "would deny" : "denied", call, args, w->comm, (int)w->inside,
		 pass ? "" : "with ", pass ? "" : (name == NULL ? "an error" : name),
		 profile == NULL ? "?" : profile, id);
	to_log(r, line);
	if (lines++ < LINES_MAX)
		to_message(r, line);
}

/* Few, and told whatever calls were denied before (PST_HITS_SAID a container). */
void tell_limit(const struct rules *r, const char *line)
{
	pst_auto_buf b = {0};
	pst_buf_fmt(&b, "postern: %s", line);
	to_log(r, pst_buf_cstr(&b));
	to_message(r, pst_buf_cstr(&b));
}

/* A program that wrote its own message over ours: ours goes behind it. */
void tell_last(const struct rules *r)
{
	char text[MESSAGE_MAX + 1];
	struct stat st;
	if (said.len == 0 || !pst_buf_ok(&said))
		return;
	pst_auto_fd fd = open_message(r, &st);
	const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
	if (n < 0)
		return;
	text[n] = '\0';
	if (strstr(text, pst_buf_cstr(&said)) == NULL)
		(void)!write(fd, said.data, said.len);
}

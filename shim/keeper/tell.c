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
#define ARGS_MAX 200           /* bytes of arguments in a line */
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

/* Where it came from, who denies it and, where that is simple, what would allow it. */
static void line_text(const struct rules *r, const struct denial *d, struct pst_buf *out)
{
	const struct who *w = &d->who;
	const char *name = strerrorname_np((int)d->error);
	const char *args = pst_buf_cstr(&d->args);
	size_t len = strnlen(args, ARGS_MAX);
	while (len > 0 && args[len] != '\0' && ((unsigned char)args[len] & 0xc0) == 0x80)
		len--; /* between characters */
	pst_buf_fmt(out, "postern: %s ", d->pass ? "would deny" : "denied");
	field_text(d->rule->name, out);
	pst_buf_fmt(out, "(%.*s%s) of %s[%d]", (int)len, args, args[len] == '\0' ? "" : "...", w->comm, (int)w->inside);
	if (w->origin[0] != '\0')
		pst_buf_fmt(out, ", made from %s%s%s%s", w->origin, w->symbol[0] == '\0' ? "" : " (", w->symbol,
			    w->symbol[0] == '\0' ? "" : ")");
	pst_buf_fmt(out, ", %s%s by profile ", d->pass ? "" : "with ", d->pass ? "" : name == NULL ? "an error" : name);
	field_text(r->profile == NULL ? "?" : r->profile, out);
	if (strncmp(d->rule->who, "profile\t", 8) == 0 && !rule_is_named(r, d->rule)) {
		pst_buf_str(out, "; to allow it, add to its syscalls: ");
		allow_rule(d->n, d->rule, out);
	}
	pst_buf_str(out, "; see: postern denials ");
	field_text(r->id, out);
}

void tell(const struct rules *r, const struct denial *d)
{
	pst_auto_buf line = {0};
	if (d->who.runtime || r->id == NULL)
		return;
	line_text(r, d, &line);
	if (!pst_buf_ok(&line))
		return;
	to_log(r, pst_buf_cstr(&line));
	if (lines++ < LINES_MAX)
		to_message(r, pst_buf_cstr(&line));
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

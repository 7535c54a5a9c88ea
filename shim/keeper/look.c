/* Who made a call, as /proc tells it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/oneline.h"
#include "keeper.h"

void put_text(char *to, size_t size, const char *from)
{
	pst_auto_buf b = {0};
	pst_oneline(&b, from);
	const char *s = pst_buf_cstr(&b);
	size_t n = 0;
	for (; *s != '\0' && n + 3 < size; s++) {
		if (*s == '"' || *s == '\\')
			to[n++] = '\\';
		to[n++] = *s;
	}
	/* Cut between characters, not inside one. */
	while (*s != '\0' && n > 0 && ((unsigned char)*s & 0xc0) == 0x80) {
		n--;
		s--;
	}
	to[n] = '\0';
}

static ssize_t read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* "NSpid:\t12 3": the last is the process's own. */
static pid_t pid_inside(pid_t pid)
{
	char text[4096];
	if (read_proc(pid, "status", text, sizeof text) <= 0)
		return 0;
	const char *p = strstr(text, "\nNSpid:");
	if (p == NULL)
		return 0;
	p += 7;
	const char *end = p + strcspn(p, "\n");
	const char *last = end;
	while (last > p && last[-1] != '\t' && last[-1] != ' ')
		last--;
	return (pid_t)strtol(last, NULL, 10);
}

void look_at(const struct seccomp_notif *n, struct who *w)
{
	char text[512], path[64];
	const pid_t pid = (pid_t)n->pid;
	*w = (struct who){.pid = pid, .inside = pid_inside(pid)};
	ssize_t len = read_proc(pid, "comm", text, 64);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	put_text(w->comm, sizeof w->comm, text);
	w->runtime = strncmp(text, "runc:[", 6) == 0;
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	len = readlink(path, text, sizeof text - 1);
	text[len > 0 ? len : 0] = '\0';
	put_text(w->exe, sizeof w->exe, text);
	find_origin(pid, n->data.instruction_pointer, w);
}

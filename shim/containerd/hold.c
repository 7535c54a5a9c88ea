#include "containerd/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* How long the runtime's process may wait for Start. */
#define HOLD_MS 500

static int read_small(const char *path, char *buf, size_t size)
{
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (n < 0)
		return -1;
	buf[n] = '\0';
	return 0;
}

/* A policy that asks for nothing: the runtime's own create ran, and wrote the file. */
static int from_pid_file(struct pst_task *t, struct pst_err *err)
{
	char path[512];
	char text[32];
	snprintf(path, sizeof path, "%s/init.pid", t->bundle);
	if (read_small(path, text, sizeof text) != 0)
		return pst_fail_sys(err, "cannot read %s", path);
	t->init.pid = (pid_t)strtol(text, NULL, 10);
	if (t->init.pid <= 1)
		return pst_fail(err, PST_E_RUNTIME, "", "%s holds no process id", path);
	return PST_OK;
}

static void held_ended(void *ctx, int status)
{
	struct pst_task *t = ctx;
	t->held.pid = 0;
	t->held_status = status;
	pst_timer_stop(&t->hold_end);
	if (t->held_then != NULL) {
		t->held_then(t);
		return;
	}
	pst_fd_close(PST_TAKE_FD(t->gate));
}

/* Killed, not told no: a no makes it kill the container. */
static void enough(void *ctx)
{
	struct pst_task *t = ctx;
	if (t->held.pid != 0 && t->held_then == NULL)
		(void)kill(t->held.pid, SIGKILL);
}

int pst_hold_take(struct pst_task *t, int sock, struct pst_err *err)
{
	uint32_t words[3];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {.iov_base = words, .iov_len = sizeof words};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	const ssize_t n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return from_pid_file(t, err);
	if (n != (ssize_t)sizeof words || (m.msg_flags & MSG_CTRUNC) != 0)
		return pst_fail(err, PST_E_BUG, "", "the create command answered with %zd bytes", n);
	const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		memcpy(&t->gate, CMSG_DATA(h), sizeof t->gate);
	t->init.pid = (pid_t)words[1];
	t->look = words[2] != 0;
	if (t->gate < 0)
		return PST_OK;
	t->held = (struct pst_child){.pid = (pid_t)words[0], .ended = held_ended, .ctx = t};
	pst_child_await(&t->held);
	t->hold_end.fire = enough;
	t->hold_end.ctx = t;
	pst_timer_set(&t->hold_end, HOLD_MS);
	return PST_OK;
}

bool pst_hold_links(pid_t pid)
{
	char path[64];
	char text[1024];
	snprintf(path, sizeof path, "/proc/%d/net/dev", (int)pid);
	if (read_small(path, text, sizeof text) != 0)
		return true;
	/* Two lines of headings, then "    lo: " and its numbers (proc_pid_net(5)). */
	const char *line = strchr(text, '\n');
	line = line == NULL ? NULL : strchr(line + 1, '\n');
	if (line == NULL)
		return true;
	line += 1 + strspn(line + 1, " ");
	const char *end = strchr(line, '\n');
	return strncmp(line, "lo:", 3) != 0 || end == NULL || end[1] != '\0';
}

bool pst_hold_own_pidns(pid_t pid)
{
	char path[64];
	char text[4096];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (read_small(path, text, sizeof text) != 0)
		return true; /* it is gone already, and so is what it was the first of */
	const char *line = strstr(text, "\nNSpid:");
	if (line == NULL)
		return false;
	const char *end = strchr(line + 1, '\n');
	return end != NULL && end[-1] == '1' && (end[-2] == '\t' || end[-2] == ' ');
}

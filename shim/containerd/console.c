#include "containerd/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

int pst_console_open(struct pst_console *c, struct pst_err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	c->sock = -1;
	snprintf(c->dir, sizeof c->dir, "/run/postern-ptyXXXXXX");
	if (mkdtemp(c->dir) == NULL) {
		c->dir[0] = '\0';
		return pst_fail_sys(err, "cannot make a folder for the console socket below /run");
	}
	snprintf(c->path, sizeof c->path, "%s/s", c->dir);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", c->path);
	c->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->sock < 0 || bind(c->sock, (const struct sockaddr *)&addr, sizeof addr) != 0 ||
	    listen(c->sock, 1) != 0) {
		const int rc = pst_fail_sys(err, "cannot make the console socket %s", c->path);
		pst_console_close(c);
		return rc;
	}
	return PST_OK;
}

void pst_console_close(struct pst_console *c)
{
	if (c->dir[0] == '\0')
		return;
	pst_fd_close(PST_TAKE_FD(c->sock));
	(void)unlink(c->path);
	(void)rmdir(c->dir);
	c->dir[0] = '\0';
}

int pst_console_take(struct pst_console *c, int *ret_master, struct pst_err *err)
{
	char name[256];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {.iov_base = name, .iov_len = sizeof name};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	pst_auto_fd conn = accept4(c->sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const ssize_t n = conn < 0 ? -1 : recvmsg(conn, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	pst_auto_fd master = -1;
	const struct cmsghdr *h = n <= 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		memcpy(&master, CMSG_DATA(h), sizeof master);
	pst_console_close(c);
	if (master < 0 || !isatty(master))
		return pst_fail(err, PST_E_RUNTIME, "", "the runtime handed over no terminal");
	(void)fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	*ret_master = PST_TAKE_FD(master);
	return PST_OK;
}

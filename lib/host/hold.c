#include "host/hold.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "host/hostops.h"

int pst_hold_give(struct pst_making *m, int fd, struct pst_err *err)
{
	struct pst_runloop *l = &m->apply.loop;
	uint32_t words[3] = {l->conn >= 0 ? (uint32_t)l->pid : 0, (uint32_t)m->apply.init,
			     m->plan.net_late ? 1 : 0};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec v = {.iov_base = words, .iov_len = sizeof words};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};
	if (l->conn >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof control.bytes;
		struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &l->conn, sizeof l->conn);
	}
	if (pst_host->sendmsg(fd, &msg, MSG_NOSIGNAL) != (ssize_t)sizeof words)
		return pst_fail_sys(err, "cannot hand the container over to the shim");
	pst_fd_close(PST_TAKE_FD(l->conn));
	l->pid = 0;
	return PST_OK;
}

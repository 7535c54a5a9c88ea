#include "host/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/hostops.h"

#define ANSWER_MAX ((size_t)32768) /* the largest piece of a dump, netlink(7) */

void pst_netlink_close(struct pst_netlink *n)
{
	pst_fd_close(PST_TAKE_FD(n->fd));
}

int pst_netlink_open(struct pst_netlink *ret, struct pst_err *err)
{
	const int fd = pst_host->socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open a socket to the kernel's routing tables");
	*ret = (struct pst_netlink){.fd = fd};
	return PST_OK;
}

static int failed(int sys, const char *what, struct pst_err *err)
{
	errno = sys;
	return pst_fail_sys(err, "cannot %s", what);
}

static int send_request(struct pst_netlink *n, struct pst_rtnl *m, const char *what,
			struct pst_err *err)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct nlmsghdr *h = pst_rtnl_header(m);
	struct iovec v = {.iov_base = m->bytes, .iov_len = h->nlmsg_len};
	const struct msghdr msg = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = &v,
				   .msg_iovlen = 1};
	h->nlmsg_seq = ++n->seq;
	if (pst_host->sendmsg(n->fd, &msg, 0) != (ssize_t)h->nlmsg_len)
		return failed(errno, what, err);
	return PST_OK;
}

/* One piece of an answer. Any process may send to a netlink socket: only what
 * the kernel sent counts (nl_pid 0). */
static int receive(struct pst_netlink *n, char *buf, size_t *ret, const char *what,
		   struct pst_err *err)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec v = {.iov_base = buf, .iov_len = ANSWER_MAX};
		struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v,
				     .msg_iovlen = 1};
		const ssize_t got = pst_host->recvmsg(n->fd, &msg, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(errno, what, err);
		if ((msg.msg_flags & MSG_TRUNC) != 0 || got == 0)
			return failed(EMSGSIZE, what, err);
		if (msg.msg_namelen != sizeof from || from.nl_pid != 0)
			continue;
		*ret = (size_t)got;
		return PST_OK;
	}
}

/* The number an error or the end of a dump carries; 0 is success. */
static int outcome(const struct nlmsghdr *h)
{
	int e = 0;
	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof e)
		return h->nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
	memcpy(&e, (const char *)h + NLMSG_HDRLEN, sizeof e);
	return e > 0 || e < -4095 ? EBADMSG : -e;
}

/* *ret_end: the answer is complete; the value is its errno, 0 so far so good. */
static int take(const struct nlmsghdr *h, pst_netlink_fn *fn, void *arg, bool *ret_end)
{
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		return EAGAIN;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		*ret_end = true;
		return outcome(h);
	}
	return fn != NULL && !fn(arg, h) ? EBADMSG : 0;
}

int pst_netlink_ask(struct pst_netlink *n, struct pst_rtnl *m, pst_netlink_fn *fn, void *arg,
		    const char *what, struct pst_err *err)
{
	pst_auto_free char *buf = malloc(ANSWER_MAX);
	bool end = false;
	int sys = 0;
	if (buf == NULL)
		return pst_fail_nomem(err);
	int rc = send_request(n, m, what, err);
	while (rc == PST_OK && !end) {
		size_t left = 0;
		rc = receive(n, buf, &left, what, err);
		if (rc != PST_OK)
			return rc;
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)buf;
		for (; !end && left > 0; left -= NLMSG_ALIGN(h->nlmsg_len),
					 h = (const void *)((const char *)h + NLMSG_ALIGN(h->nlmsg_len))) {
			if (left < sizeof *h || h->nlmsg_len < sizeof *h || h->nlmsg_len > left)
				return failed(EBADMSG, what, err);
			/* The rest of an earlier answer that was given up. */
			const int e = h->nlmsg_seq != n->seq ? 0 : take(h, fn, arg, &end);
			if (sys == 0)
				sys = e;
			if (NLMSG_ALIGN(h->nlmsg_len) >= left)
				break;
		}
	}
	return rc == PST_OK && sys != 0 ? failed(sys, what, err) : rc;
}

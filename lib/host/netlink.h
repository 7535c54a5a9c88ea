/*
 * host/netlink.h - a socket to the kernel's rtnetlink (rtnetlink(7)).
 *
 * One request at a time, each waited for. What comes back is taken only from the
 * kernel, whole, and as the answer to what was asked.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/rtnl.h"

struct pst_netlink {
	int fd;
	uint32_t seq; /* of the last request */
};

#define PST_NETLINK_NONE {.fd = -1}
void pst_netlink_close(struct pst_netlink *n);
#define pst_auto_netlink PST_CLEANUP(pst_netlink_close) struct pst_netlink

/* A socket in the network namespace the caller is in; it stays there. */
PST_CHECKED PST_NONNULL(1) int pst_netlink_open(struct pst_netlink *ret, struct pst_err *err);

/* Sees each message of an answer; false: it is no such message. */
typedef bool pst_netlink_fn(void *arg, const struct nlmsghdr *h);

/*
 * Ask `m` and hand each message of the answer to `fn` (NULL when only the acknowledgement
 * counts). `what` says what it was for: "cannot %s".
 * PST_E_HOST with err->sys as the kernel told it; EAGAIN when a dump was overtaken by a
 * change: ask again.
 */
PST_CHECKED PST_NONNULL(1, 2, 5)
int pst_netlink_ask(struct pst_netlink *n, struct pst_rtnl *m, pst_netlink_fn *fn, void *arg,
		    const char *what, struct pst_err *err);

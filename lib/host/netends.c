/* The links of a container's network namespace, and their host ends. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "base/fd.h"
#include "host/aside.h"
#include "host/hostops.h"
#include "host/netshape_priv.h"
#include "host/netside.h"

#define DUMP_TRIES 8

/* What the child that enters the namespace reports. */
struct inside {
	int32_t host_ns; /* what the namespace calls ours */
	uint32_t n;      /* links seen; more than fit: too many */
	struct pst_link v[PST_NETSHAPE_LINKS];
};

_Static_assert(sizeof(struct inside) <= PST_ASIDE_IO_MAX, "a child can report all links");

struct fds {
	int netns, host;
};

static bool on_nsid(void *arg, const struct nlmsghdr *h)
{
	return pst_rtnl_read_nsid(h, arg);
}

/* How the namespace of `n` numbers the one of `fd`; -1: it has no link there. */
static int number(struct pst_netlink *n, int fd, int32_t *ret, struct pst_err *err)
{
	struct pst_rtnl m;
	pst_rtnl_nsid(&m, fd);
	return pst_netlink_ask(n, &m, on_nsid, ret, "ask for the number of a network namespace", err);
}

static bool on_link(void *arg, const struct nlmsghdr *h)
{
	struct inside *in = arg;
	struct pst_link l;
	if (!pst_rtnl_read_link(h, &l))
		return false;
	if (in->n < PST_NETSHAPE_LINKS)
		in->v[in->n] = l;
	in->n++;
	return true;
}

static int look_inside(void *arg, void *io, struct pst_err *err)
{
	const struct fds *f = arg;
	struct inside *in = io;
	struct pst_rtnl m;
	struct pst_err e = {0};
	pst_auto_netlink n = PST_NETLINK_NONE;
	if (pst_host->setns(f->netns, CLONE_NEWNET) != 0)
		return pst_fail_sys(err, "cannot enter the network namespace");
	int rc = pst_netlink_open(&n, err);
	if (rc != PST_OK)
		return rc;
	for (int i = 0; i < DUMP_TRIES; i++) {
		in->n = 0;
		pst_rtnl_links(&m);
		rc = pst_netlink_ask(&n, &m, on_link, in, "list the links of the network namespace", &e);
		if (rc != PST_E_HOST || e.sys != EAGAIN)
			break;
	}
	if (rc != PST_OK && err != NULL)
		*err = e;
	/* Only now: a namespace gets its number when a link of it is told for the first time. */
	return rc == PST_OK ? number(&n, f->host, &in->host_ns, err) : rc;
}

/* The host end of one link, if both sides agree on it. */
static int host_end(struct pst_netlink *n, const struct pst_link *inner, int netns,
		    struct pst_netends *ret, struct pst_err *err)
{
	struct pst_link l = {0};
	int32_t container_ns = -1;
	bool there = false;
	int rc = pst_nettc_link(n, inner->peer, &l, &there, err);
	if (rc == PST_OK && !there)
		return pst_fail(err, PST_E_STATE, "", "the other end of the link %s went away", inner->name);
	if (rc == PST_OK)
		rc = number(n, netns, &container_ns, err);
	if (rc == PST_OK)
		rc = pst_netlimit_pair(inner, &l, container_ns, err);
	if (rc == PST_OK)
		ret->v[ret->n++] = l;
	return rc;
}

static int open_ours(int netns, int *ret, struct pst_err *err)
{
	struct pst_nsid a, b;
	const int fd = pst_host->openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open /proc/self/ns/net");
	*ret = fd;
	int rc = pst_netside_id(fd, &a, err);
	if (rc == PST_OK)
		rc = pst_netside_id(netns, &b, err);
	if (rc == PST_OK && a.dev == b.dev && a.ino == b.ino)
		return pst_fail(err, PST_E_POLICY, "/linux/namespaces",
				"the container is in the host's own network: it cannot be limited");
	return rc;
}

int pst_netshape_ends(int netns, struct pst_netends *ret, struct pst_err *err)
{
	pst_auto_fd host = -1;
	pst_auto_netlink n = PST_NETLINK_NONE;
	struct inside in = {.host_ns = -1};
	struct pst_netends ends = {0};
	int rc = open_ours(netns, &host, err);
	struct fds f = {.netns = netns, .host = host};
	if (rc == PST_OK)
		rc = pst_aside_run(look_inside, &f, &in, sizeof in, err);
	if (rc == PST_OK && in.n > PST_NETSHAPE_LINKS)
		return pst_fail(err, PST_E_POLICY, "/linux/namespaces",
				"the network namespace has %u links: limits take at most %d", in.n,
				PST_NETSHAPE_LINKS);
	if (rc == PST_OK)
		rc = pst_netlink_open(&n, err);
	for (size_t i = 0; rc == PST_OK && i < in.n; i++) {
		bool limit = false;
		rc = pst_netlimit_inner(&in.v[i], in.host_ns, &limit, err);
		if (rc == PST_OK && limit)
			rc = host_end(&n, &in.v[i], netns, &ends, err);
	}
	if (rc == PST_OK)
		*ret = ends;
	return rc;
}

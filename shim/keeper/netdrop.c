/* Packets that the limits of the container's network dropped: the kernel's own count at each bucket. */
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/limitwatch.h"
#include "keeper.h"

#define BUCKETS 48 /* host/netshape.h: links of one namespace, both directions */

static struct {
	struct bucket {
		uint32_t link;
		bool sent;
		uint64_t base, last; /* drops: when we began, and as last seen */
	} v[BUCKETS];
	size_t n;
} b;

/* An attribute of type `type` in `len` bytes at `at`; no length in it is believed. */
static const struct rtattr *find(const struct rtattr *at, size_t len, unsigned short type)
{
	for (; len >= sizeof *at && at->rta_len >= sizeof *at && at->rta_len <= len;
	     len -= RTA_ALIGN(at->rta_len) < len ? RTA_ALIGN(at->rta_len) : len,
	     at = (const void *)((const char *)at + RTA_ALIGN(at->rta_len)))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

/* RTA_DATA, const. */
static const void *inside(const struct rtattr *at)
{
	return (const char *)at + RTA_LENGTH(0);
}

/* drops of struct gnet_stats_queue, behind the header of one RTM_NEWQDISC. */
static bool read_drops(const struct nlmsghdr *h, size_t len, uint64_t *ret)
{
	struct gnet_stats_queue q;
	if (len < NLMSG_LENGTH(sizeof(struct tcmsg)) || h->nlmsg_len > len || h->nlmsg_type != RTM_NEWQDISC ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct tcmsg)))
		return false;
	const struct rtattr *first = (const void *)((const char *)h + NLMSG_SPACE(sizeof(struct tcmsg)));
	const struct rtattr *stats = find(first, h->nlmsg_len - NLMSG_LENGTH(sizeof(struct tcmsg)), TCA_STATS2);
	const struct rtattr *queue = stats == NULL ? NULL : find(inside(stats), RTA_PAYLOAD(stats), TCA_STATS_QUEUE);
	if (queue == NULL || RTA_PAYLOAD(queue) < sizeof q)
		return false;
	memcpy(&q, inside(queue), sizeof q);
	*ret = q.drops;
	return true;
}

/* How many packets the root qdisc of a link dropped; false: it is gone. Without ECHO only the
 * listeners of the group would be told (net/sched/sch_api.c). */
static bool drops(uint32_t link, uint64_t *ret)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg t;
	} ask = {.h = {.nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETQDISC, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ECHO},
		 .t = {.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)link, .tcm_parent = TC_H_ROOT}};
	_Alignas(struct nlmsghdr) char answer[4096];
	pst_auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &ask, sizeof ask, 0) != (ssize_t)sizeof ask)
		return false;
	const ssize_t n = recv(fd, answer, sizeof answer, MSG_DONTWAIT); /* it is there when send returns */
	return n > 0 && read_drops((const void *)answer, (size_t)n, ret);
}

void netdrop_begin(const char *watch)
{
	for (const char *line = watch; line != NULL && *line != '\0' && b.n < BUCKETS;) {
		struct bucket *at = &b.v[b.n];
		const bool sent = strncmp(line, "link\tnet-egress\t", 16) == 0;
		if (sent || strncmp(line, "link\tnet-ingress\t", 17) == 0) {
			*at = (struct bucket){.link = (uint32_t)strtoul(line + (sent ? 16 : 17), NULL, 10), .sent = sent};
			b.n += drops(at->link, &at->base);
			at->last = at->base;
		}
		const char *end = strchr(line, '\n');
		line = end == NULL ? NULL : end + 1;
	}
}

void netdrop_count(struct pst_hits *h)
{
	uint64_t sent = 0, received = 0;
	for (size_t i = 0; i < b.n; i++) {
		struct bucket *at = &b.v[i];
		(void)!drops(at->link, &at->last); /* gone: what was counted before */
		*(at->sent ? &sent : &received) += at->last > at->base ? at->last - at->base : 0;
	}
	h->sent_dropped = sent > h->sent_dropped ? sent : h->sent_dropped;
	h->received_dropped = received > h->received_dropped ? received : h->received_dropped;
}

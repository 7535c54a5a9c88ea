/*
 * core/rtnl.h - messages of rtnetlink: what to say to the kernel, and what it said. Pure.
 *
 * Writers fill a struct pst_rtnl, without sequence number: the socket's owner
 * (host/netlink.h) gives it one. Readers take one message that the socket's owner has
 * checked the length of, and believe no length inside it.
 *
 * Sources: rtnetlink(7); linux/rtnetlink.h, pkt_sched.h, pkt_cls.h, tc_act/tc_mirred.h;
 * net/sched/sch_tbf.c (tbf_change, tbf_dump), cls_u32.c (u32_dump).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "base/attr.h"

#define PST_RTNL_SIZE 1024
#define PST_RTNL_NAME 16  /* IFNAMSIZ */
#define PST_RTNL_OPTIONS 128

/* A request. */
struct pst_rtnl {
	_Alignas(8) char bytes[PST_RTNL_SIZE];
};

static inline struct nlmsghdr *pst_rtnl_header(struct pst_rtnl *m)
{
	return (struct nlmsghdr *)(void *)m->bytes;
}

/* A network interface. */
struct pst_link {
	uint32_t index;
	uint32_t flags; /* IFF_* of netdevice(7) */
	uint32_t mtu;   /* bytes, without the link's own header */
	uint32_t group; /* a mark of the administrator's; 0: none */
	uint32_t peer;  /* IFLA_LINK: of a veth the index of its other end; 0: none told */
	int32_t peer_ns; /* IFLA_LINK_NETNSID: namespace `peer` is in, as this one numbers them */
	bool elsewhere; /* peer_ns was told: `peer` is in another namespace */
	bool xdp;       /* a program sees what enters before everybody else (IFLA_XDP) */
	char name[PST_RTNL_NAME];
	char kind[PST_RTNL_NAME]; /* "veth"; "" of a device */
};

/* Parameters of a token bucket filter. */
struct pst_tbf {
	uint64_t rate;  /* bytes a second */
	uint32_t burst; /* bytes that may leave at once */
	uint32_t limit; /* bytes that may wait */
};

/* A queueing discipline. */
struct pst_qdisc {
	uint32_t link, handle, parent;
	char kind[PST_RTNL_NAME];
	uint64_t rate; /* of a tbf, bytes a second; 0 of others */
	uint32_t limit; /* of a tbf, bytes that may wait */
	uint8_t options[PST_RTNL_OPTIONS]; /* TCA_OPTIONS as told; put back as they are */
	size_t noptions;                   /* 0 too when they are longer than that */
};

/* A filter of traffic. */
struct pst_filter {
	uint32_t handle;
	char kind[PST_RTNL_NAME];
	bool rule;    /* it judges packets: no table or head of a list */
	bool all;     /* a u32 that fits every packet */
	uint32_t to;  /* link its one action redirects to (mirred egress redirect); 0: another action */
};

/* Where qdiscs hang: TC_H_ROOT, and what enters a link. */
#define PST_TC_ROOT UINT32_C(0xFFFFFFFF)
#define PST_TC_INGRESS UINT32_C(0xFFFFFFF1)        /* TC_H_INGRESS */
#define PST_TC_INGRESS_HANDLE UINT32_C(0xFFFF0000) /* kernel: the one there can be */

/* Asking. _links is a dump; the others answer with one message, or an error. */
void pst_rtnl_links(struct pst_rtnl *m);
void pst_rtnl_link(struct pst_rtnl *m, uint32_t index);
void pst_rtnl_link_named(struct pst_rtnl *m, const char *name);
/* RTM_NEWNSID tells how the socket's namespace numbers the one of `nsfd` (needs no right). */
void pst_rtnl_nsid(struct pst_rtnl *m, int nsfd);
/* parent: PST_TC_ROOT or PST_TC_INGRESS. ENOENT or EINVAL: the kernel's default. */
void pst_rtnl_qdisc(struct pst_rtnl *m, uint32_t link, uint32_t parent);
void pst_rtnl_filters(struct pst_rtnl *m, uint32_t link); /* a dump, of what enters */

/* Acting. Each is acknowledged. */
void pst_rtnl_ifb_add(struct pst_rtnl *m, const char *name, uint32_t group);
void pst_rtnl_link_up(struct pst_rtnl *m, uint32_t index);
void pst_rtnl_link_delete(struct pst_rtnl *m, uint32_t index);
/* Make, or when it stands there with this handle, change the root qdisc of a link. */
void pst_rtnl_tbf_put(struct pst_rtnl *m, uint32_t link, uint32_t handle, const struct pst_tbf *t);
/* The same, with what pst_qdisc.options said. */
void pst_rtnl_tbf_back(struct pst_rtnl *m, uint32_t link, uint32_t handle, const uint8_t *options,
		       size_t n);
void pst_rtnl_ingress_add(struct pst_rtnl *m, uint32_t link);
void pst_rtnl_qdisc_delete(struct pst_rtnl *m, uint32_t link, uint32_t parent);
/* Every packet that enters `link` leaves through `to` instead: u32 and mirred. */
void pst_rtnl_redirect_add(struct pst_rtnl *m, uint32_t link, uint32_t to);
void pst_rtnl_redirect_delete(struct pst_rtnl *m, uint32_t link);

/* Reading: false when the message is of another type or does not parse; *ret is then
 * untouched. `h` is a whole message of h->nlmsg_len bytes. */
PST_CHECKED bool pst_rtnl_read_link(const struct nlmsghdr *h, struct pst_link *ret);
PST_CHECKED bool pst_rtnl_read_nsid(const struct nlmsghdr *h, int32_t *ret); /* -1: has no number */
PST_CHECKED bool pst_rtnl_read_qdisc(const struct nlmsghdr *h, struct pst_qdisc *ret);
PST_CHECKED bool pst_rtnl_read_filter(const struct nlmsghdr *h, struct pst_filter *ret);

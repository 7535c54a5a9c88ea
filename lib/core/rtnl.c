#include "core/rtnl.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

_Static_assert(PST_TC_ROOT == TC_H_ROOT && PST_TC_INGRESS == TC_H_INGRESS, "as the kernel names them");

/* A preference of ours, so that the filter is found again: "ps". */
#define PREFERENCE 0x7073U
#define TXQLEN 1000 /* packets; ifb's own default of 32 would drop before its qdisc is asked */

/* The longest request has a name, numbers and PST_RTNL_OPTIONS bytes: none
 * comes near PST_RTNL_SIZE. */
static void put(struct nlmsghdr *h, uint16_t type, const void *data, size_t n)
{
	if (!mnl_attr_put_check(h, PST_RTNL_SIZE, type, n, data))
		__builtin_trap();
}

static void put_text(struct nlmsghdr *h, uint16_t type, const char *s)
{
	put(h, type, s, strlen(s) + 1);
}

static void put_u32(struct nlmsghdr *h, uint16_t type, uint32_t v)
{
	put(h, type, &v, sizeof v);
}

static struct nlmsghdr *begin(struct pst_rtnl *m, uint16_t type, uint16_t flags)
{
	*m = (struct pst_rtnl){0};
	struct nlmsghdr *h = mnl_nlmsg_put_header(m->bytes);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	return h;
}

static struct nlmsghdr *begin_link(struct pst_rtnl *m, uint16_t type, uint16_t flags, uint32_t index)
{
	struct nlmsghdr *h = begin(m, type, flags);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof *i);
	i->ifi_index = (int)index;
	return h;
}

static struct nlmsghdr *begin_tc(struct pst_rtnl *m, uint16_t type, uint16_t flags, uint32_t link,
				 uint32_t parent)
{
	struct nlmsghdr *h = begin(m, type, flags);
	struct tcmsg *t = mnl_nlmsg_put_extra_header(h, sizeof *t);
	t->tcm_ifindex = (int)link;
	t->tcm_parent = parent;
	return h;
}

static struct tcmsg *tc(struct nlmsghdr *h)
{
	return mnl_nlmsg_get_payload(h);
}

void pst_rtnl_links(struct pst_rtnl *m)
{
	(void)begin_link(m, RTM_GETLINK, NLM_F_DUMP, 0);
}

void pst_rtnl_link(struct pst_rtnl *m, uint32_t index)
{
	(void)begin_link(m, RTM_GETLINK, NLM_F_ACK, index);
}

void pst_rtnl_link_named(struct pst_rtnl *m, const char *name)
{
	put_text(begin_link(m, RTM_GETLINK, NLM_F_ACK, 0), IFLA_IFNAME, name);
}

void pst_rtnl_nsid(struct pst_rtnl *m, int nsfd)
{
	struct nlmsghdr *h = begin(m, RTM_GETNSID, NLM_F_ACK);
	struct rtgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->rtgen_family = AF_UNSPEC;
	put_u32(h, NETNSA_FD, (uint32_t)nsfd);
}

void pst_rtnl_qdisc(struct pst_rtnl *m, uint32_t link, uint32_t parent)
{
	/* Without ECHO only the listeners of the group are told (net/sched/sch_api.c). */
	(void)begin_tc(m, RTM_GETQDISC, NLM_F_ACK | NLM_F_ECHO, link, parent);
}

void pst_rtnl_filters(struct pst_rtnl *m, uint32_t link)
{
	(void)begin_tc(m, RTM_GETTFILTER, NLM_F_DUMP, link, PST_TC_INGRESS_HANDLE);
}

void pst_rtnl_ifb_add(struct pst_rtnl *m, const char *name, uint32_t group)
{
	struct nlmsghdr *h = begin_link(m, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	put_text(h, IFLA_IFNAME, name);
	put_u32(h, IFLA_GROUP, group);
	put_u32(h, IFLA_TXQLEN, TXQLEN);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	put_text(h, IFLA_INFO_KIND, "ifb");
	mnl_attr_nest_end(h, info);
}

void pst_rtnl_link_up(struct pst_rtnl *m, uint32_t index)
{
	struct nlmsghdr *h = begin_link(m, RTM_NEWLINK, NLM_F_ACK, index);
	struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	i->ifi_flags = IFF_UP;
	i->ifi_change = IFF_UP;
}

void pst_rtnl_link_delete(struct pst_rtnl *m, uint32_t index)
{
	(void)begin_link(m, RTM_DELLINK, NLM_F_ACK, index);
}

static struct nlmsghdr *begin_tbf(struct pst_rtnl *m, uint32_t link, uint32_t handle)
{
	struct nlmsghdr *h = begin_tc(m, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, link,
				      PST_TC_ROOT);
	tc(h)->tcm_handle = handle;
	put_text(h, TCA_KIND, "tbf");
	return h;
}

void pst_rtnl_tbf_put(struct pst_rtnl *m, uint32_t link, uint32_t handle, const struct pst_tbf *t)
{
	struct nlmsghdr *h = begin_tbf(m, link, handle);
	struct tc_tbf_qopt o = {.limit = t->limit};
	/* Without a link layer the kernel would ask for a table of times, of old. */
	o.rate.linklayer = TC_LINKLAYER_ETHERNET;
	o.rate.rate = t->rate > UINT32_MAX ? UINT32_MAX : (uint32_t)t->rate;
	struct nlattr *opts = mnl_attr_nest_start(h, TCA_OPTIONS);
	put(h, TCA_TBF_PARMS, &o, sizeof o);
	put_u32(h, TCA_TBF_BURST, t->burst);
	if (t->rate > UINT32_MAX)
		put(h, TCA_TBF_RATE64, &t->rate, sizeof t->rate);
	mnl_attr_nest_end(h, opts);
}

void pst_rtnl_tbf_back(struct pst_rtnl *m, uint32_t link, uint32_t handle, const uint8_t *options,
		       size_t n)
{
	put(begin_tbf(m, link, handle), TCA_OPTIONS, options, n);
}

void pst_rtnl_ingress_add(struct pst_rtnl *m, uint32_t link)
{
	struct nlmsghdr *h = begin_tc(m, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link,
				      PST_TC_INGRESS);
	tc(h)->tcm_handle = PST_TC_INGRESS_HANDLE;
	put_text(h, TCA_KIND, "ingress");
}

void pst_rtnl_qdisc_delete(struct pst_rtnl *m, uint32_t link, uint32_t parent)
{
	(void)begin_tc(m, RTM_DELQDISC, NLM_F_ACK, link, parent);
}

static struct nlmsghdr *begin_filter(struct pst_rtnl *m, uint16_t type, uint16_t flags,
				     uint32_t link)
{
	struct nlmsghdr *h = begin_tc(m, type, flags, link, PST_TC_INGRESS_HANDLE);
	tc(h)->tcm_info = TC_H_MAKE(PREFERENCE << 16, htons(ETH_P_ALL));
	put_text(h, TCA_KIND, "u32");
	return h;
}

void pst_rtnl_redirect_add(struct pst_rtnl *m, uint32_t link, uint32_t to)
{
	struct nlmsghdr *h = begin_filter(m, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link);
	/* No key at all fits every packet, and one too short for a key as well. */
	const struct tc_u32_sel sel = {.flags = TC_U32_TERMINAL};
	const struct tc_mirred act = {
		.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = to};
	struct nlattr *opts = mnl_attr_nest_start(h, TCA_OPTIONS);
	put(h, TCA_U32_SEL, &sel, sizeof sel);
	struct nlattr *acts = mnl_attr_nest_start(h, TCA_U32_ACT);
	struct nlattr *first = mnl_attr_nest_start(h, 1);
	put_text(h, TCA_ACT_KIND, "mirred");
	struct nlattr *mirred = mnl_attr_nest_start(h, TCA_ACT_OPTIONS);
	put(h, TCA_MIRRED_PARMS, &act, sizeof act);
	mnl_attr_nest_end(h, mirred);
	mnl_attr_nest_end(h, first);
	mnl_attr_nest_end(h, acts);
	mnl_attr_nest_end(h, opts);
}

void pst_rtnl_redirect_delete(struct pst_rtnl *m, uint32_t link)
{
	(void)begin_filter(m, RTM_DELTFILTER, NLM_F_ACK, link);
}

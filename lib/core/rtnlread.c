#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "base/str.h"
#include "core/rtnl.h"

/* A stretch of attributes, looked through by type. */
struct attrs {
	const struct nlattr *first;
	size_t len;
};

static struct attrs behind(const struct nlmsghdr *h, size_t header)
{
	const size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(header);
	if (h->nlmsg_len < at)
		return (struct attrs){0};
	return (struct attrs){.first = mnl_nlmsg_get_payload_offset(h, header), .len = h->nlmsg_len - at};
}

static const struct nlattr *find(struct attrs a, uint16_t type)
{
	const struct nlattr *at = a.first;
	size_t left = a.len;
	while (left > 0 && mnl_attr_ok(at, (int)left)) {
		const size_t step = NLMSG_ALIGN((size_t)mnl_attr_get_len(at));
		if (mnl_attr_get_type(at) == type)
			return at;
		if (step >= left)
			return NULL;
		left -= step;
		at = mnl_attr_next(at);
	}
	return NULL;
}

static struct attrs inside(const struct nlattr *a)
{
	return a == NULL ? (struct attrs){0}
			 : (struct attrs){.first = mnl_attr_get_payload(a),
					  .len = mnl_attr_get_payload_len(a)};
}

static size_t size(const struct nlattr *a)
{
	return a == NULL ? 0 : mnl_attr_get_payload_len(a);
}

static bool get(const struct nlattr *a, void *ret, size_t n)
{
	if (size(a) < n)
		return false;
	memcpy(ret, mnl_attr_get_payload(a), n);
	return true;
}

/* A container names its own links: what a terminal would obey is shown as '?'. */
static void get_text(const struct nlattr *a, char *ret, size_t n)
{
	const size_t have = size(a);
	memset(ret, 0, n);
	if (have > 0)
		memcpy(ret, mnl_attr_get_payload(a), have < n ? have : n - 1);
	for (char *c = ret; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static bool header(const struct nlmsghdr *h, uint16_t type, void *ret, size_t n)
{
	if (h->nlmsg_type != type || h->nlmsg_len < NLMSG_HDRLEN + n)
		return false;
	memcpy(ret, mnl_nlmsg_get_payload(h), n);
	return true;
}

bool pst_rtnl_read_link(const struct nlmsghdr *h, struct pst_link *ret)
{
	struct ifinfomsg i;
	struct pst_link l = {0};
	if (!header(h, RTM_NEWLINK, &i, sizeof i) || i.ifi_index <= 0)
		return false;
	const struct attrs a = behind(h, sizeof i);
	l.index = (uint32_t)i.ifi_index;
	l.flags = i.ifi_flags;
	if (!get(find(a, IFLA_MTU), &l.mtu, sizeof l.mtu))
		return false;
	(void)get(find(a, IFLA_GROUP), &l.group, sizeof l.group);
	(void)get(find(a, IFLA_LINK), &l.peer, sizeof l.peer);
	l.elsewhere = get(find(a, IFLA_LINK_NETNSID), &l.peer_ns, sizeof l.peer_ns);
	uint8_t xdp = XDP_ATTACHED_NONE;
	(void)get(find(inside(find(a, IFLA_XDP)), IFLA_XDP_ATTACHED), &xdp, sizeof xdp);
	l.xdp = xdp != XDP_ATTACHED_NONE;
	get_text(find(a, IFLA_IFNAME), l.name, sizeof l.name);
	get_text(find(inside(find(a, IFLA_LINKINFO)), IFLA_INFO_KIND), l.kind, sizeof l.kind);
	*ret = l;
	return true;
}

bool pst_rtnl_read_nsid(const struct nlmsghdr *h, int32_t *ret)
{
	struct rtgenmsg g;
	return header(h, RTM_NEWNSID, &g, sizeof g) &&
	       get(find(behind(h, sizeof g), NETNSA_NSID), ret, sizeof *ret);
}

static void read_tbf(struct attrs options, struct pst_qdisc *q)
{
	struct tc_tbf_qopt o;
	if (!get(find(options, TCA_TBF_PARMS), &o, sizeof o))
		return;
	q->limit = o.limit;
	if (!get(find(options, TCA_TBF_RATE64), &q->rate, sizeof q->rate))
		q->rate = o.rate.rate;
}

bool pst_rtnl_read_qdisc(const struct nlmsghdr *h, struct pst_qdisc *ret)
{
	struct tcmsg t;
	struct pst_qdisc q = {0};
	if (!header(h, RTM_NEWQDISC, &t, sizeof t) || t.tcm_ifindex <= 0)
		return false;
	const struct attrs a = behind(h, sizeof t);
	const struct nlattr *options = find(a, TCA_OPTIONS);
	q.link = (uint32_t)t.tcm_ifindex;
	q.handle = t.tcm_handle;
	q.parent = t.tcm_parent;
	get_text(find(a, TCA_KIND), q.kind, sizeof q.kind);
	if (pst_streq(q.kind, "tbf"))
		read_tbf(inside(options), &q);
	if (size(options) <= sizeof q.options) {
		q.noptions = size(options);
		(void)get(options, q.options, q.noptions);
	}
	*ret = q;
	return true;
}

/* Does no key compare anything? */
static bool fits_all(const struct nlattr *sel)
{
	struct tc_u32_sel s;
	if (!get(sel, &s, sizeof s) || size(sel) < sizeof s + s.nkeys * sizeof(struct tc_u32_key))
		return false;
	const char *keys = (const char *)mnl_attr_get_payload(sel) + sizeof s;
	for (size_t i = 0; i < s.nkeys; i++) {
		struct tc_u32_key k;
		memcpy(&k, keys + i * sizeof k, sizeof k);
		if (k.mask != 0)
			return false;
	}
	return true;
}

/* The link that the only action redirects to; 0 when it does something else. */
static uint32_t redirects_to(struct attrs actions)
{
	char kind[PST_RTNL_NAME];
	struct tc_mirred m;
	const struct attrs first = inside(find(actions, 1));
	get_text(find(first, TCA_ACT_KIND), kind, sizeof kind);
	if (!pst_streq(kind, "mirred") || find(actions, 2) != NULL ||
	    !get(find(inside(find(first, TCA_ACT_OPTIONS)), TCA_MIRRED_PARMS), &m, sizeof m))
		return 0;
	return m.eaction == TCA_EGRESS_REDIR ? m.ifindex : 0;
}

bool pst_rtnl_read_filter(const struct nlmsghdr *h, struct pst_filter *ret)
{
	struct tcmsg t;
	struct pst_filter f = {0};
	if (!header(h, RTM_NEWTFILTER, &t, sizeof t))
		return false;
	const struct attrs a = behind(h, sizeof t);
	const struct attrs options = inside(find(a, TCA_OPTIONS));
	f.handle = t.tcm_handle;
	get_text(find(a, TCA_KIND), f.kind, sizeof f.kind);
	if (pst_streq(f.kind, "u32")) {
		/* A head has no handle, a table no node in it (TC_U32_NODE). */
		f.rule = TC_U32_NODE(f.handle) != 0;
		/* Of one protocol, mark, device or linked table alone, it is not for all. */
		f.all = f.rule && (t.tcm_info & 0xFFFF) == htons(ETH_P_ALL) &&
			find(options, TCA_U32_MARK) == NULL && find(options, TCA_U32_INDEV) == NULL &&
			find(options, TCA_U32_LINK) == NULL && fits_all(find(options, TCA_U32_SEL));
		f.to = f.rule ? redirects_to(inside(find(options, TCA_U32_ACT))) : 0;
	} else {
		f.rule = true;
	}
	*ret = f;
	return true;
}

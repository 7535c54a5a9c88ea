#include "core/netlimit.h"

#include <linux/if.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define HEADER 18 /* Ethernet's, and one vlan tag */

const char *pst_net_dir_word(enum pst_net_dir d)
{
	return d == PST_NET_EGRESS ? "egress" : "ingress";
}

const char *pst_netlimit_text(uint64_t bits, char buf[32])
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	size_t u = 0;
	for (; bits != 0 && bits % 1000 == 0 && u < PST_NELEM(units) - 1; u++)
		bits /= 1000;
	snprintf(buf, 32, "%llu%sbit/s", (unsigned long long)bits, units[u]);
	return buf;
}

static uint32_t bytes(uint64_t v, uint64_t least)
{
	const uint64_t most = UINT32_MAX / 2;
	v = v < least ? least : v;
	return (uint32_t)(v > most ? most : v);
}

struct pst_tbf pst_netlimit_tbf(uint64_t bits, uint32_t mtu)
{
	const uint64_t frame = (uint64_t)mtu + HEADER;
	struct pst_tbf t = {.rate = bits / 8};
	t.burst = bytes(t.rate / 25, 2 * frame);
	t.limit = t.burst + bytes(t.rate / 20, 16 * frame);
	return t;
}

/* Links that only wrap what leaves through others of the same namespace. */
static bool wraps(const char *kind)
{
	static const char *const kinds[] = {
		"bareudp", "bond",   "bridge", "dummy",	 "erspan", "geneve", "gre",    "gretap",
		"ifb",	   "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipvlan", "ipvtap",
		"macsec",  "macvlan", "macvtap", "nlmon", "sit",   "team",   "vlan",   "vrf",
		"vti",	   "vti6",   "vxlan",  "xfrm",
	};
	for (size_t i = 0; i < PST_NELEM(kinds); i++)
		if (pst_streq(kind, kinds[i]))
			return true;
	return false;
}

int pst_netlimit_inner(const struct pst_link *l, int32_t host_ns, bool *ret_limit,
		       struct pst_err *err)
{
	const bool veth = pst_streq(l->kind, "veth");
	const bool host = l->elsewhere && host_ns >= 0 && l->peer_ns == host_ns;
	*ret_limit = false;
	if ((l->flags & IFF_LOOPBACK) != 0 || (!l->elsewhere && (veth || wraps(l->kind))))
		return PST_OK;
	if (veth && host) {
		*ret_limit = true;
		return PST_OK;
	}
	if (veth)
		pst_fail(err, PST_E_POLICY, "/linux/namespaces",
			 "the other end of the link %s is not in the host's network namespace: it cannot "
			 "be limited", l->name);
	else
		pst_fail(err, PST_E_POLICY, "/linux/namespaces",
			 "the link %s (%s) has no end on the host that can be limited", l->name,
			 l->kind[0] == '\0' ? "a device" : l->kind);
	return pst_err_cure(err, "connect the container by a veth pair");
}

int pst_netlimit_pair(const struct pst_link *inner, const struct pst_link *host, int32_t container_ns,
		      struct pst_err *err)
{
	if (pst_streq(host->kind, "veth") && host->index == inner->peer && host->elsewhere &&
	    container_ns >= 0 && host->peer_ns == container_ns && host->peer == inner->index)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "/linux/namespaces",
		 "the host's link %s is not the other end of the container's %s: it is left alone",
		 host->name, inner->name);
	return pst_err_cure(err, "connect the container by a veth pair");
}

static int foreign(const char *name, const char *what, const char *kind, struct pst_err *err)
{
	pst_fail(err, PST_E_POLICY, "/linux/namespaces",
		 "the host's link %s has %s%s%s that postern did not make: no limit would hold beside it",
		 name, what, kind[0] == '\0' ? "" : " ", kind);
	return pst_err_cure(err, "see `tc qdisc show dev %s` and `tc filter show dev %s ingress`, take it "
				 "off, or leave the limit out", name, name);
}

/* Their bucket, if it can be put back. */
static bool theirs(const struct pst_qdisc *q, struct pst_netshape *ret)
{
	if (!pst_streq(q->kind, "tbf") || q->noptions == 0 || q->rate == 0)
		return false;
	*ret = (struct pst_netshape){
		.by = PST_NET_THEIRS, .link = q->link, .handle = q->handle, .rate = q->rate,
		.noptions = q->noptions,
	};
	memcpy(ret->options, q->options, q->noptions);
	return true;
}

static int judge_ingress(const struct pst_netseen *s, const char *name, struct pst_netshape *ret,
			 struct pst_err *err)
{
	*ret = (struct pst_netshape){
		.by = PST_NET_OURS, .link = s->link, .handle = PST_NET_HANDLE};
	if (!s->has_root || theirs(&s->root, ret))
		return PST_OK;
	return foreign(name, "a queueing discipline", s->root.kind, err);
}

static int judge_egress(const struct pst_netseen *s, const char *name, struct pst_netshape *ret,
			struct pst_err *err)
{
	*ret = (struct pst_netshape){.by = PST_NET_OURS, .handle = PST_NET_HANDLE};
	if (!s->has_ingress)
		return PST_OK;
	if (s->rules == 1 && s->rule.all && s->rule.to != 0 && pst_streq(s->to.kind, "ifb") &&
	    s->to_has_root && theirs(&s->to_root, ret))
		return PST_OK;
	return foreign(name, s->rules == 0 ? "a queueing discipline" : "filters on",
		       s->ingress.kind, err);
}

int pst_netlimit_judge(const struct pst_netseen *s, enum pst_net_dir d, const char *name,
		       struct pst_netshape *ret, struct pst_err *err)
{
	if (s->programs)
		return foreign(name, "bpf programs", "", err);
	if (s->has_ingress && !pst_streq(s->ingress.kind, "ingress"))
		return foreign(name, "a queueing discipline", s->ingress.kind, err);
	return d == PST_NET_EGRESS ? judge_egress(s, name, ret, err)
				   : judge_ingress(s, name, ret, err);
}

bool pst_netlimit_theirs_now(const struct pst_qdisc *now, uint32_t mtu, struct pst_netshape *w,
			     bool *ret_lowered)
{
	*ret_lowered = now->rate < w->rate && now->rate <= UINT64_MAX / 8 &&
		       now->limit == pst_netlimit_tbf(now->rate * 8, mtu).limit;
	if (*ret_lowered ||
	    (now->noptions == w->noptions && memcmp(now->options, w->options, w->noptions) == 0))
		return true;
	const uint32_t handle = w->handle;
	return now->handle == handle && theirs(now, w);
}

static int again_theirs(const struct pst_netseen *s, enum pst_net_dir d, const char *name, uint32_t mtu,
			struct pst_netshape *w, struct pst_err *err)
{
	const bool in = d == PST_NET_INGRESS;
	const struct pst_qdisc *q = in ? &s->root : &s->to_root;
	bool lowered;
	if (!in && (s->rules != 1 || !s->rule.all || s->rule.to != w->link))
		return foreign(name, "other filters on", s->ingress.kind, err);
	if ((in ? s->has_root : s->to_has_root) && pst_streq(q->kind, "tbf") && q->handle == w->handle &&
	    pst_netlimit_theirs_now(q, mtu, w, &lowered))
		return PST_OK;
	return foreign(name, "another queueing discipline", q->kind, err);
}

static bool our_bucket(bool there, const struct pst_qdisc *q)
{
	return !there || (q->handle == PST_NET_HANDLE && pst_streq(q->kind, "tbf"));
}

int pst_netlimit_again(const struct pst_netseen *s, enum pst_net_dir d, const char *name, uint32_t mtu,
		       struct pst_netshape *w, struct pst_err *err)
{
	if (s->programs)
		return foreign(name, "bpf programs", "", err);
	if (w->by == PST_NET_THEIRS)
		return again_theirs(s, d, name, mtu, w, err);
	if (s->has_ingress && !pst_streq(s->ingress.kind, "ingress"))
		return foreign(name, "a queueing discipline", s->ingress.kind, err);
	if (d == PST_NET_INGRESS)
		return our_bucket(s->has_root, &s->root)
			       ? PST_OK
			       : foreign(name, "a queueing discipline", s->root.kind, err);
	if (s->rules == 0)
		return PST_OK;
	if (s->rules != 1 || !s->rule.all || !s->to_ours)
		return foreign(name, "filters on", s->ingress.kind, err);
	return our_bucket(s->to_has_root, &s->to_root)
		       ? PST_OK
		       : foreign(s->to.name, "a queueing discipline", s->to_root.kind, err);
}

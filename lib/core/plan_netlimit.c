#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>

#include "core/oneline.h"
#include "core/plan_priv.h"

static uint64_t tightest(const struct pst_work *w, enum pst_net_dir d)
{
	const struct pst_limit *l = &w->policy->network[d];
	const uint64_t own = w->tighten.has_network[d] ? w->tighten.network[d] : 0;
	if (!l->has_max)
		return own;
	return own != 0 && own < l->max ? own : l->max;
}

/* The policy's rule, or the annotation that is tighter still. */
static const char *source(struct pst_work *w, enum pst_net_dir d)
{
	char p[64];
	if (w->tighten.has_network[d]) {
		snprintf(w->src, sizeof w->src, "annotation postern/net-%s", pst_net_dir_word(d));
		return w->src;
	}
	snprintf(p, sizeof p, "/limits/network/%s", pst_net_dir_word(d));
	return pst_work_source(w, p);
}

static int cannot(struct pst_work *w, enum pst_net_dir d, const char *why, const char *cure,
		  struct pst_err *err)
{
	pst_fail(err, PST_E_POLICY, "/linux/namespaces", "the container's network is to be limited, and %s",
		 why);
	pst_err_rule(err, source(w, d));
	return pst_err_cure(err, "%s", cure);
}

/* Does the policy itself let this container off, since no limit would hold? Its exempt namespaces
 * may use the host's network, and what the node's own system sends is no container's. */
static bool let_off(struct pst_work *w, const char *why)
{
	if (!w->exempt || w->tighten.has_network[PST_NET_EGRESS] ||
	    w->tighten.has_network[PST_NET_INGRESS])
		return false;
	pst_note_add(&w->plan->notes, "/linux/namespaces", "policy /exempt/namespaces",
		     "the container %s: its network is not limited", why);
	w->plan->net = (struct pst_netrates){0};
	return true;
}

void pst_plan_net_watch(struct pst_work *w, struct pst_buf *out)
{
	for (int i = 0; i < PST_NET_DIRS; i++) {
		const enum pst_net_dir d = (enum pst_net_dir)i;
		if (w->plan->net.bits[d] == 0)
			continue;
		pst_buf_fmt(out, "limit\tnet-%s\t%" PRIu64 "\t", pst_net_dir_word(d), w->plan->net.bits[d]);
		pst_oneline(out, source(w, d));
		pst_buf_char(out, '\n');
	}
}

int pst_plan_netlimit(struct pst_work *w, struct pst_err *err)
{
	const struct pst_ns *net = &w->spec->ns[PST_NS_NETWORK];
	struct pst_plan *p = w->plan;
	char text[32];
	for (int d = 0; d < PST_NET_DIRS; d++)
		p->net.bits[d] = tightest(w, (enum pst_net_dir)d);
	if (p->net.bits[PST_NET_EGRESS] == 0 && p->net.bits[PST_NET_INGRESS] == 0)
		return PST_OK;
	const enum pst_net_dir some = p->net.bits[PST_NET_EGRESS] != 0 ? PST_NET_EGRESS : PST_NET_INGRESS;
	if (!net->present || pst_facts_ns(w->facts, PST_NS_NETWORK).is_hosts)
		return let_off(w, "uses the host's network")
			       ? PST_OK
			       : cannot(w, some, "it uses the host's, which is not its own to limit",
					"give it a network namespace, or leave the limit out in a class of "
					"the policy for such containers", err);
	if (!w->facts->full_root)
		return cannot(w, some, "the caller is not root of the host, who alone can",
			      "run it as root, or leave the limit out", err);
	/* In the host's user namespace it may make links of the host's devices from within
	 * (IFLA_LINK_NETNSID, rtnetlink(7)): those have no end of ours. */
	if (p->ids == PST_HOW_NONE && (p->expect.bounding >> CAP_NET_ADMIN & 1) != 0)
		return let_off(w, "keeps the host's ids and CAP_NET_ADMIN")
			       ? PST_OK
			       : cannot(w, some, "it keeps the host's ids and CAP_NET_ADMIN, with which it can "
					"make links of the host's devices",
					"let its ids be mapped, or drop CAP_NET_ADMIN", err);
	p->net_late = net->path == NULL;
	for (int d = 0; d < PST_NET_DIRS; d++)
		if (p->net.bits[d] != 0)
			pst_note_add(&p->notes, "/linux/namespaces", source(w, (enum pst_net_dir)d),
				     "what %s the container is limited to %s on each of its links, at the "
				     "link's end on the host",
				     d == PST_NET_EGRESS ? "leaves" : "enters",
				     pst_netlimit_text(p->net.bits[d], text));
	return PST_OK;
}

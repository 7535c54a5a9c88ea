/* What is made and unmade on one link: qdiscs, the redirection, the ifb. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/hostops.h"
#include "host/netshape_priv.h"

#define IFB_GROUP 0x7073U /* "ps": set as the ifb is made, so it is never there without */
#define DUMP_TRIES 8

/* Of linux/bpf.h since 6.6: programs that run before any qdisc. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

struct found {
	bool there;
	struct pst_link link;
};

static bool on_link(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	f->there = pst_rtnl_read_link(h, &f->link);
	return f->there;
}

static int ask_link(struct pst_netlink *n, struct pst_rtnl *m, struct found *ret, struct pst_err *err)
{
	struct pst_err e = {0};
	*ret = (struct found){0};
	const int rc = pst_netlink_ask(n, m, on_link, ret, "look at a network link", &e);
	if (rc == PST_E_HOST && e.sys == ENODEV)
		return PST_OK;
	if (rc != PST_OK && err != NULL)
		*err = e;
	return rc;
}

int pst_nettc_link(struct pst_netlink *n, uint32_t index, struct pst_link *ret, bool *ret_there,
		   struct pst_err *err)
{
	struct pst_rtnl m;
	struct found f;
	pst_rtnl_link(&m, index);
	const int rc = ask_link(n, &m, &f, err);
	if (rc == PST_OK) {
		*ret = f.link;
		*ret_there = f.there;
	}
	return rc;
}

struct qdisc_seen {
	bool there;
	struct pst_qdisc q;
};

static bool on_qdisc(void *arg, const struct nlmsghdr *h)
{
	struct qdisc_seen *s = arg;
	s->there = pst_rtnl_read_qdisc(h, &s->q);
	return s->there;
}

/* A qdisc that somebody set. The kernel's own defaults have no handle; some it does not
 * even tell (EINVAL). */
static int see_qdisc(struct pst_netlink *n, uint32_t link, uint32_t parent, bool *ret_there,
		     struct pst_qdisc *ret, struct pst_err *err)
{
	struct pst_rtnl m;
	struct pst_err e = {0};
	struct qdisc_seen s = {0};
	pst_rtnl_qdisc(&m, link, parent);
	const int rc = pst_netlink_ask(n, &m, on_qdisc, &s, "look at the queueing disciplines of a link",
				       &e);
	*ret_there = rc == PST_OK && s.there && s.q.handle != 0;
	*ret = s.q;
	if (rc != PST_E_HOST || e.sys == ENOENT || e.sys == EINVAL || e.sys == ENODEV)
		return rc == PST_E_HOST ? PST_OK : rc;
	if (err != NULL)
		*err = e;
	return rc;
}

static bool on_filter(void *arg, const struct nlmsghdr *h)
{
	struct pst_netseen *s = arg;
	struct pst_filter f;
	if (!pst_rtnl_read_filter(h, &f))
		return false;
	if (f.rule) {
		s->rules++;
		s->rule = f;
	}
	return true;
}

static int see_filters(struct pst_netlink *n, uint32_t link, struct pst_netseen *s,
		       struct pst_err *err)
{
	struct pst_err e = {0};
	int rc = PST_OK;
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct pst_rtnl m;
		pst_rtnl_filters(&m, link);
		s->rules = 0;
		rc = pst_netlink_ask(n, &m, on_filter, s, "look at the filters of a link", &e);
		if (rc != PST_E_HOST || e.sys != EAGAIN)
			break;
	}
	if (rc != PST_OK && err != NULL)
		*err = e;
	return rc;
}

/* Is a program of this kind on the link? A kernel without tcx says EINVAL. */
static bool has_programs(uint32_t link, uint32_t kind)
{
	union bpf_attr a = {.query = {.target_fd = link, .attach_type = kind}};
	return pst_host->bpf(BPF_PROG_QUERY, &a, sizeof a) == 0 && a.query.prog_cnt > 0;
}

static void ifb_name(uint32_t link, char out[PST_RTNL_NAME])
{
	snprintf(out, PST_RTNL_NAME, "pst%u", link);
}

static bool is_our_ifb(const struct pst_link *l, uint32_t of)
{
	char name[PST_RTNL_NAME];
	ifb_name(of, name);
	return pst_streq(l->kind, "ifb") && l->group == IFB_GROUP && pst_streq(l->name, name);
}

int pst_nettc_see(struct pst_netlink *n, uint32_t link, struct pst_netseen *ret, struct pst_err *err)
{
	struct pst_netseen s = {.link = link};
	struct pst_link self = {0};
	bool there = false;
	int rc = pst_nettc_link(n, link, &self, &there, err);
	there = false;
	if (rc == PST_OK)
		rc = see_qdisc(n, link, PST_TC_ROOT, &s.has_root, &s.root, err);
	if (rc == PST_OK)
		rc = see_qdisc(n, link, PST_TC_INGRESS, &s.has_ingress, &s.ingress, err);
	if (rc == PST_OK && s.has_ingress)
		rc = see_filters(n, link, &s, err);
	if (rc == PST_OK && s.rules == 1 && s.rule.to != 0)
		rc = pst_nettc_link(n, s.rule.to, &s.to, &there, err);
	if (rc == PST_OK && there)
		rc = see_qdisc(n, s.rule.to, PST_TC_ROOT, &s.to_has_root, &s.to_root, err);
	s.to_ours = there && is_our_ifb(&s.to, link);
	s.programs = self.xdp || has_programs(link, TCX_INGRESS) || has_programs(link, TCX_EGRESS);
	if (rc == PST_OK)
		*ret = s;
	return rc;
}

/* One act. `gone` lists up to two errors that mean there is nothing to do it to. */
static int act(struct pst_netlink *n, struct pst_rtnl *m, const char *what, int gone, int gone2,
	       struct pst_err *err)
{
	struct pst_err e = {0};
	const int rc = pst_netlink_ask(n, m, NULL, NULL, what, &e);
	if (rc == PST_E_HOST && ((gone != 0 && e.sys == gone) || (gone2 != 0 && e.sys == gone2)))
		return PST_OK;
	if (rc != PST_OK && err != NULL)
		*err = e;
	return rc;
}

static int put_tbf(struct pst_netlink *n, const struct pst_netstate *s, uint32_t link, uint32_t handle,
		   enum pst_net_dir d, struct pst_err *err)
{
	struct pst_rtnl m;
	const struct pst_tbf t = pst_netlimit_tbf(pst_netstate_bits(s, d), s->mtu);
	pst_rtnl_tbf_put(&m, link, handle, &t);
	const int rc = act(n, &m, "put a token bucket filter on a link", 0, 0, err);
	if (rc == PST_E_HOST)
		(void)pst_err_cure(err, "this kernel needs sch_tbf; see `postern doctor`");
	return rc;
}

static int delete_qdisc(struct pst_netlink *n, uint32_t link, uint32_t parent, struct pst_err *err)
{
	struct pst_rtnl m;
	pst_rtnl_qdisc_delete(&m, link, parent);
	return act(n, &m, "take a queueing discipline off a link", ENOENT, ENODEV, err);
}

/* The ifb of a link of ours; f->there false: there is none. */
static int find_ifb(struct pst_netlink *n, uint32_t link, struct found *f, struct pst_err *err)
{
	struct pst_rtnl m;
	char name[PST_RTNL_NAME];
	ifb_name(link, name);
	pst_rtnl_link_named(&m, name);
	const int rc = ask_link(n, &m, f, err);
	if (rc != PST_OK || !f->there || is_our_ifb(&f->link, link))
		return rc;
	pst_fail(err, PST_E_STATE, "", "there is a link %s that is not postern's", name);
	return pst_err_cure(err, "rename or remove it");
}

static int make_ifb(struct pst_netlink *n, uint32_t link, struct found *f, struct pst_err *err)
{
	struct pst_rtnl m;
	char name[PST_RTNL_NAME];
	int rc = find_ifb(n, link, f, err);
	if (rc == PST_OK && !f->there) {
		ifb_name(link, name);
		pst_rtnl_ifb_add(&m, name, IFB_GROUP);
		rc = act(n, &m, "make an ifb device", 0, 0, err);
		if (rc == PST_E_HOST)
			(void)pst_err_cure(err, "this kernel needs ifb; see `postern doctor`");
		if (rc == PST_OK)
			rc = find_ifb(n, link, f, err);
		if (rc == PST_OK && !f->there)
			return pst_fail(err, PST_E_STATE, "", "the link %s went away as it was made", name);
	}
	return rc;
}

static int add_redirect(struct pst_netlink *n, const struct pst_netstate *s, uint32_t ifb,
			struct pst_err *err)
{
	struct pst_rtnl m;
	struct pst_netseen now;
	int rc = pst_nettc_see(n, s->link, &now, err);
	if (rc == PST_OK && !now.has_ingress) {
		pst_rtnl_ingress_add(&m, s->link);
		rc = act(n, &m, "hook what enters a link", 0, 0, err);
	}
	if (rc != PST_OK || (now.rules == 1 && now.rule.all && now.rule.to == ifb))
		return rc;
	if (now.rules > 0) {
		pst_fail(err, PST_E_STATE, "", "somebody put filters on the host's link %s meanwhile",
			 s->name);
		return pst_err_cure(err, "see `tc filter show dev %s ingress`", s->name);
	}
	pst_rtnl_redirect_add(&m, s->link, ifb);
	rc = act(n, &m, "redirect what enters a link", 0, 0, err);
	if (rc == PST_E_HOST)
		(void)pst_err_cure(err, "this kernel needs cls_u32 and act_mirred; see `postern doctor`");
	return rc;
}

static int our_egress(struct pst_netlink *n, const struct pst_netstate *s, struct pst_err *err)
{
	struct pst_rtnl m;
	struct found f;
	int rc = make_ifb(n, s->link, &f, err);
	if (rc == PST_OK)
		rc = put_tbf(n, s, f.link.index, PST_NET_HANDLE, PST_NET_EGRESS, err);
	if (rc != PST_OK)
		return rc;
	pst_rtnl_link_up(&m, f.link.index);
	rc = act(n, &m, "bring an ifb device up", 0, 0, err);
	return rc == PST_OK ? add_redirect(n, s, f.link.index, err) : rc;
}

/* Our filter, the hook if nobody else has a filter there, the ifb. */
static int no_egress(struct pst_netlink *n, const struct pst_netstate *s, struct pst_err *err)
{
	struct pst_rtnl m;
	struct pst_netseen now;
	struct found f;
	int rc = pst_nettc_see(n, s->link, &now, err);
	if (rc == PST_OK && now.has_ingress && now.rules > 0) {
		pst_rtnl_redirect_delete(&m, s->link);
		rc = act(n, &m, "take a filter off a link", ENOENT, ENODEV, err);
		if (rc == PST_OK)
			rc = pst_nettc_see(n, s->link, &now, err);
	}
	if (rc == PST_OK && now.has_ingress && now.rules == 0)
		rc = delete_qdisc(n, s->link, PST_TC_INGRESS, err);
	if (rc == PST_OK)
		rc = find_ifb(n, s->link, &f, err);
	if (rc != PST_OK || !f.there)
		return rc;
	pst_rtnl_link_delete(&m, f.link.index);
	return act(n, &m, "remove an ifb device", ENODEV, 0, err);
}

static int no_ingress(struct pst_netlink *n, const struct pst_netstate *s, struct pst_err *err)
{
	bool there = false;
	struct pst_qdisc q;
	const int rc = see_qdisc(n, s->link, PST_TC_ROOT, &there, &q, err);
	if (rc != PST_OK || !there || q.handle != PST_NET_HANDLE || !pst_streq(q.kind, "tbf"))
		return rc;
	return delete_qdisc(n, s->link, PST_TC_ROOT, err);
}

/* Somebody else's bucket: lowered in place, or as it was; one they changed meanwhile is theirs
 * as it is. */
static int their_bucket(struct pst_netlink *n, struct pst_netstate *s, enum pst_net_dir d,
			struct pst_err *err)
{
	struct pst_rtnl m;
	struct pst_qdisc now;
	bool there = false, lowered = false;
	struct pst_netshape *w = &s->shape[d];
	const uint64_t want = pst_netstate_bits(s, d) / 8;
	const int rc = see_qdisc(n, w->link, PST_TC_ROOT, &there, &now, err);
	if (rc != PST_OK)
		return rc;
	if (!there || !pst_streq(now.kind, "tbf") || now.handle != w->handle ||
	    !pst_netlimit_theirs_now(&now, s->mtu, w, &lowered)) {
		if (want == 0)
			return PST_OK; /* they took it off, or changed it: theirs */
		pst_fail(err, PST_E_STATE, "", "the bandwidth limit that stood on the host's link %s went away",
			 s->name);
		return pst_err_cure(err, "see `tc qdisc show dev %s`", s->name);
	}
	if (want != 0 && want < w->rate)
		return put_tbf(n, s, w->link, w->handle, d, err);
	if (!lowered)
		return PST_OK;
	pst_rtnl_tbf_back(&m, w->link, w->handle, w->options, w->noptions);
	return act(n, &m, "put a token bucket filter back", ENODEV, 0, err);
}

int pst_nettc_apply(struct pst_netlink *n, struct pst_netstate *s, enum pst_net_dir d, struct pst_err *err)
{
	const bool wanted = pst_netstate_bits(s, d) != 0;
	switch (s->shape[d].by) {
	case PST_NET_NOBODY:
		return PST_OK;
	case PST_NET_THEIRS:
		return their_bucket(n, s, d, err);
	case PST_NET_OURS:
		break;
	}
	if (d == PST_NET_EGRESS)
		return wanted ? our_egress(n, s, err) : no_egress(n, s, err);
	return wanted ? put_tbf(n, s, s->link, PST_NET_HANDLE, d, err) : no_ingress(n, s, err);
}

int pst_nettc_bucket(struct pst_netlink *n, const struct pst_netstate *s, enum pst_net_dir d, uint32_t *ret,
		     struct pst_err *err)
{
	const struct pst_netshape *w = &s->shape[d];
	const uint64_t want = pst_netstate_bits(s, d) / 8;
	struct found f;
	*ret = 0;
	if (want == 0 || w->by == PST_NET_NOBODY || (w->by == PST_NET_THEIRS && want >= w->rate))
		return PST_OK;
	*ret = w->by == PST_NET_THEIRS ? w->link : s->link;
	if (w->by == PST_NET_THEIRS || d == PST_NET_INGRESS)
		return PST_OK;
	const int rc = find_ifb(n, s->link, &f, err);
	*ret = rc == PST_OK && f.there ? f.link.index : 0;
	return rc;
}

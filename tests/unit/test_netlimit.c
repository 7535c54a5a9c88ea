#include <criterion/criterion.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

#include "core/netlimit.h"
#include "core/netstate.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void set(char kind[PST_RTNL_NAME], const char *to)
{
	snprintf(kind, PST_RTNL_NAME, "%s", to);
}

Test(netlimit, a_bucket_has_room_for_frames_and_for_forty_milliseconds)
{
	struct pst_tbf t = pst_netlimit_tbf(1000000000, 1500);
	cr_assert_eq(t.rate, 125000000);
	cr_assert_eq(t.burst, 5000000);
	cr_assert_eq(t.limit, 5000000 + 6250000);
	t = pst_netlimit_tbf(1000, 1500);
	cr_assert_eq(t.rate, 125);
	cr_assert_eq(t.burst, 2 * 1518);
	cr_assert_eq(t.limit, 18 * 1518);
	t = pst_netlimit_tbf(1000000, 65535);
	cr_assert_geq(t.burst, 65535 + 18, "the largest frame passes");
	t = pst_netlimit_tbf(PST_NET_RATE_MAX, 1500);
	cr_assert(t.limit > t.burst && t.burst > 0, "nothing wraps around");
}

Test(netlimit, rates_are_said_in_the_unit_without_a_fraction)
{
	char b[32];
	cr_assert_str_eq(pst_netlimit_text(1000000000, b), "1Gbit/s");
	cr_assert_str_eq(pst_netlimit_text(2500000, b), "2500kbit/s");
	cr_assert_str_eq(pst_netlimit_text(1048576, b), "1048576bit/s");
	cr_assert_str_eq(pst_netlimit_text(PST_NET_RATE_MAX, b), "1000Tbit/s");
}

static int inner(const struct pst_link *l, int32_t host_ns)
{
	struct pst_err err = {0};
	bool limit = false;
	const int rc = pst_netlimit_inner(l, host_ns, &limit, &err);
	if (rc != PST_OK)
		cr_assert(err.msg[0] != '\0' && err.cure[0] != '\0');
	return rc == PST_OK && limit ? 1 : rc;
}

Test(netlimit, what_leads_out_is_limited_or_refused)
{
	cr_assert_eq(inner(&(struct pst_link){.flags = IFF_LOOPBACK, .name = "lo"}, -1), PST_OK);
	struct pst_link l = {.name = "eth0", .kind = "veth", .elsewhere = true, .peer_ns = 0, .peer = 5};
	cr_assert_eq(inner(&l, 0), 1);
	cr_assert_eq(inner(&l, 1), PST_E_POLICY, "into another container");
	cr_assert_eq(inner(&l, -1), PST_E_POLICY, "the host's namespace has no number here");
	l.peer_ns = -1;
	cr_assert_eq(inner(&l, -1), PST_E_POLICY, "not even when the link has none");
	l.elsewhere = false;
	cr_assert_eq(inner(&l, 0), PST_OK, "both ends inside");
	l = (struct pst_link){.name = "eth1", .kind = "macvlan", .elsewhere = true, .peer_ns = 0};
	cr_assert_eq(inner(&l, 0), PST_E_POLICY, "on a device of the host");
	l.elsewhere = false;
	cr_assert_eq(inner(&l, 0), PST_OK, "on a device inside");
	static const char *const out[] = {"", "tun", "wireguard", "netkit", "no-such-kind"};
	for (size_t i = 0; i < PST_NELEM(out); i++) {
		l = (struct pst_link){.name = "x"};
		set(l.kind, out[i]);
		cr_assert_eq(inner(&l, 0), PST_E_POLICY, "%s", out[i]);
	}
}

Test(netlimit, both_ends_have_to_agree)
{
	struct pst_err err = {0};
	const struct pst_link in = {.index = 2, .name = "eth0", .kind = "veth", .peer = 5, .elsewhere = true};
	const struct pst_link good = {
		.index = 5, .name = "v0", .kind = "veth", .peer = 2, .elsewhere = true, .peer_ns = 3};
	cr_assert_eq(pst_netlimit_pair(&in, &good, 3, &err), PST_OK);
	cr_assert_eq(pst_netlimit_pair(&in, &good, 4, &err), PST_E_POLICY);
	cr_assert_eq(pst_netlimit_pair(&in, &good, -1, &err), PST_E_POLICY);
	struct pst_link l = good;
	l.peer = 3;
	cr_assert_eq(pst_netlimit_pair(&in, &l, 3, &err), PST_E_POLICY);
	l = good;
	l.elsewhere = false;
	cr_assert_eq(pst_netlimit_pair(&in, &l, 3, &err), PST_E_POLICY);
	l = good;
	set(l.kind, "bridge");
	cr_assert_eq(pst_netlimit_pair(&in, &l, 3, &err), PST_E_POLICY);
}

static struct pst_netseen plugin(void)
{
	struct pst_netseen s = {.link = 5, .has_root = true, .has_ingress = true, .rules = 1, .to_has_root = true};
	s.root = (struct pst_qdisc){.link = 5, .handle = 0x10000, .kind = "tbf", .rate = 1000, .noptions = 4,
				    .options = {1, 2, 3, 4}};
	set(s.ingress.kind, "ingress");
	s.rule = (struct pst_filter){.kind = "u32", .rule = true, .all = true, .to = 9};
	s.to = (struct pst_link){.index = 9, .kind = "ifb"};
	s.to_root = s.root;
	s.to_root.link = 9;
	return s;
}

static int judge(const struct pst_netseen *s, enum pst_net_dir d, struct pst_netshape *ret)
{
	struct pst_err err = {0};
	return pst_netlimit_judge(s, d, "v0", ret, &err);
}

Test(netlimit, nothing_is_ours_a_bucket_is_theirs_and_the_rest_is_refused)
{
	struct pst_netshape w;
	struct pst_netseen s = {.link = 5};
	for (int d = 0; d < PST_NET_DIRS; d++) {
		cr_assert_eq(judge(&s, (enum pst_net_dir)d, &w), PST_OK);
		cr_assert_eq(w.by, PST_NET_OURS);
	}
	s = plugin();
	cr_assert_eq(judge(&s, PST_NET_INGRESS, &w), PST_OK);
	cr_assert(w.by == PST_NET_THEIRS && w.link == 5 && w.rate == 1000 && w.noptions == 4);
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_OK);
	cr_assert(w.by == PST_NET_THEIRS && w.link == 9);

	s.root.noptions = 0;
	cr_assert_eq(judge(&s, PST_NET_INGRESS, &w), PST_E_POLICY, "could not be put back");
	s = plugin();
	set(s.root.kind, "htb");
	cr_assert_eq(judge(&s, PST_NET_INGRESS, &w), PST_E_POLICY);
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_OK, "the other direction is another matter");
	s = plugin();
	s.rules = 2;
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_E_POLICY);
	s.rules = 0;
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_E_POLICY);
	s = plugin();
	s.rule.all = false;
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_E_POLICY);
	s = plugin();
	set(s.to.kind, "veth");
	cr_assert_eq(judge(&s, PST_NET_EGRESS, &w), PST_E_POLICY);
	s = plugin();
	set(s.ingress.kind, "clsact");
	cr_assert_eq(judge(&s, PST_NET_INGRESS, &w), PST_E_POLICY, "it may send packets around the root");
	s = plugin();
	s.programs = true;
	cr_assert_eq(judge(&s, PST_NET_INGRESS, &w), PST_E_POLICY);
}

static struct pst_netstate sample(void)
{
	struct pst_netstate s = {.link = 5, .mtu = 1500, .name = "v\"0"};
	struct pst_netseen seen = plugin();
	cr_assert_eq(judge(&seen, PST_NET_INGRESS, &s.shape[PST_NET_INGRESS]), PST_OK);
	s.shape[PST_NET_EGRESS] = (struct pst_netshape){.by = PST_NET_OURS, .handle = PST_NET_HANDLE};
	cr_assert_eq(pst_netstate_hold(&s, A, (struct pst_netrates){{5000, 0}}, NULL), PST_OK);
	cr_assert_eq(pst_netstate_hold(&s, B, (struct pst_netrates){{3000, 7000}}, NULL), PST_OK);
	return s;
}

Test(netstate, the_least_of_the_holders_counts)
{
	pst_auto_netstate s = sample();
	cr_assert_eq(pst_netstate_bits(&s, PST_NET_EGRESS), 3000);
	cr_assert_eq(pst_netstate_bits(&s, PST_NET_INGRESS), 7000);
	cr_assert_eq(pst_netstate_hold(&s, B, (struct pst_netrates){{9000, 0}}, NULL), PST_OK);
	cr_assert_eq(pst_netstate_bits(&s, PST_NET_EGRESS), 5000);
	cr_assert_eq(pst_netstate_bits(&s, PST_NET_INGRESS), 0);
	pst_netstate_drop(&s, "unknown");
	pst_netstate_drop(&s, A);
	cr_assert_eq(pst_netstate_bits(&s, PST_NET_EGRESS), 9000);
	pst_netstate_drop(&s, B);
	cr_assert_eq(s.nholder, 0);
}

Test(netstate, what_is_written_is_read_and_nothing_else)
{
	pst_auto_netstate s = sample();
	pst_auto_netstate t = {0};
	pst_auto_buf a = {0}, b = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_netstate_print(&s, &a, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_netstate_parse(a.data, a.len, 5, &t, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_netstate_print(&t, &b, &err), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&a), pst_buf_cstr(&b));
	cr_assert_eq(t.shape[PST_NET_INGRESS].options[3], 4);
	cr_assert_eq(pst_netstate_parse(a.data, a.len, 6, &t, &err), PST_E_STATE, "of another link");

	static const char *const from[] = {"\"theirs\"", "\"version\":1", "01020304", "\"key\":\"aaaa",
					   "\"mtu\":1500", "7000"};
	static const char *const to[] = {"\"mine\"", "\"version\":2", "0102030", "\"key\":\"zzzz",
					 "\"mtu\":-1", "1e99"};
	for (size_t i = 0; i < PST_NELEM(from); i++) {
		pst_auto_buf bad = {0};
		struct pst_netstate u = {0};
		const char *at = strstr(pst_buf_cstr(&a), from[i]);
		cr_assert_not_null(at, "%s", from[i]);
		pst_buf_add(&bad, a.data, (size_t)(at - a.data));
		pst_buf_str(&bad, to[i]);
		pst_buf_str(&bad, at + strlen(from[i]));
		cr_assert_eq(pst_netstate_parse(bad.data, bad.len, 5, &u, &err), PST_E_STATE, "%s", to[i]);
	}
	for (size_t n = 0; n + 2 < a.len; n += 7) {
		struct pst_netstate u = {0};
		cr_assert_eq(pst_netstate_parse(a.data, n, 5, &u, &err), PST_E_STATE);
	}
}

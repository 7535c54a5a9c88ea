#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "core/netlimit.h"
#include "core/rtnl.h"

/* What a kernel 6.18 said of a CNI plugin's work: tbf at the root, u32 and mirred. */
static const char qdisc_hex[] =
	"bc00000024000000010000003f5b0000000000000500000000000100ffffffff030000000800010074626600"
	"2c000200280001000001000000000000d0121300000000000000000000000000129a03000010270000000000"
	"05000c0000000000300007001400010000000000000000000000000000000000180003000000000000000000"
	"0000000000000000000000002c00030000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000";
static const char *const filter_hex[] = {
	"340000002c000200010000003f5b00000000000005000000000000000000ffff000307000800010075333200"
	"08000b0000000000",
	"400000002c000200010000003f5b00000000000005000000000000800000ffff000307000800010075333200"
	"08000b00000000000c0002000800040001000000",
	"140100002c000200010000003f5b00000000000005000000000800800000ffff000307000800010075333200"
	"08000b0000000000e00002002400050001000100000000000000000000000000000000000000000000000000"
	"00000000080002000000008008000b0008000000a8000700a40001000b0001006d6972726564000044000400"
	"1400010000000000000000000000000000000000140007000000000000000000000000000000000018000300"
	"000000000000000000000000000000000000000008000a000000000048000200200002000100000000000000"
	"0400000001000000010000000100000002000000240001006500000000000000650000000000000000000000"
	"000000000000000000000000",
};

/* The message in exactly as many bytes, so that a reader beyond them is found. */
static struct nlmsghdr *bytes(const char *hex, size_t *n)
{
	*n = strlen(hex) / 2;
	unsigned char *b = malloc(*n);
	for (size_t i = 0; i < *n; i++) {
		const char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		b[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	return (struct nlmsghdr *)(void *)b;
}

Test(rtnl, a_bucket_as_the_kernel_tells_it)
{
	size_t n;
	struct pst_qdisc q;
	struct nlmsghdr *h = bytes(qdisc_hex, &n);
	cr_assert_eq(h->nlmsg_len, n);
	cr_assert(pst_rtnl_read_qdisc(h, &q));
	cr_assert_str_eq(q.kind, "tbf");
	cr_assert_eq(q.link, 5);
	cr_assert_eq(q.handle, 0x10000);
	cr_assert_eq(q.parent, PST_TC_ROOT);
	cr_assert_eq(q.rate, 1250000);
	cr_assert_eq(q.noptions, 40);
	/* said back with the same bytes */
	struct pst_rtnl m;
	struct pst_qdisc again;
	pst_rtnl_tbf_back(&m, q.link, q.handle, q.options, q.noptions);
	cr_assert(pst_rtnl_read_qdisc(pst_rtnl_header(&m), &again));
	cr_assert_eq(again.noptions, q.noptions);
	cr_assert_eq(memcmp(again.options, q.options, q.noptions), 0);
	cr_assert_eq(pst_rtnl_header(&m)->nlmsg_flags,
		     NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	free(h);
}

Test(rtnl, a_redirection_as_the_kernel_tells_it)
{
	struct pst_filter f;
	for (size_t i = 0; i < PST_NELEM(filter_hex); i++) {
		size_t n;
		struct nlmsghdr *h = bytes(filter_hex[i], &n);
		cr_assert_eq(h->nlmsg_len, n);
		cr_assert(pst_rtnl_read_filter(h, &f));
		cr_assert_str_eq(f.kind, "u32");
		cr_assert_eq(f.rule, i == 2, "head and table judge nothing");
		cr_assert_eq(f.all, i == 2);
		cr_assert_eq(f.to, i == 2 ? 2 : 0);
		free(h);
	}
}

/* Cut anywhere and with any length field, a message is read within its bytes. */
Test(rtnl, no_length_inside_a_message_is_believed)
{
	const char *const all[] = {qdisc_hex, filter_hex[1], filter_hex[2]};
	for (size_t k = 0; k < PST_NELEM(all); k++) {
		size_t n;
		struct nlmsghdr *whole = bytes(all[k], &n);
		for (size_t len = sizeof *whole; len <= n; len++)
			for (size_t at = sizeof *whole; at < len; at += 2) {
				unsigned char *cut = malloc(len);
				struct nlmsghdr *h = (struct nlmsghdr *)(void *)cut;
				struct pst_qdisc q;
				struct pst_filter f;
				struct pst_link l;
				int32_t id;
				memcpy(cut, whole, len);
				h->nlmsg_len = (uint32_t)len;
				cut[at] = (unsigned char)(cut[at] ^ 0xFF);
				(void)!pst_rtnl_read_qdisc(h, &q);
				(void)!pst_rtnl_read_filter(h, &f);
				h->nlmsg_type = RTM_NEWLINK;
				(void)!pst_rtnl_read_link(h, &l);
				h->nlmsg_type = RTM_NEWNSID;
				(void)!pst_rtnl_read_nsid(h, &id);
				free(cut);
			}
		free(whole);
	}
}

static struct nlmsghdr *link_message(char buf[512], const char *name, bool elsewhere)
{
	memset(buf, 0, 512);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWLINK;
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof *i);
	i->ifi_index = 7;
	i->ifi_flags = IFF_UP;
	mnl_attr_put_u32(h, IFLA_MTU, 1400);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_LINK, 9);
	mnl_attr_put_u32(h, IFLA_GROUP, 3);
	if (elsewhere)
		mnl_attr_put_u32(h, IFLA_LINK_NETNSID, 0);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(h, info);
	return h;
}

Test(rtnl, a_link_and_a_name_no_terminal_obeys)
{
	_Alignas(8) char buf[512];
	struct pst_link l;
	cr_assert(pst_rtnl_read_link(link_message(buf, "a\033[2Jb", true), &l));
	cr_assert_str_eq(l.name, "a?[2Jb");
	cr_assert_str_eq(l.kind, "veth");
	cr_assert_eq(l.index, 7);
	cr_assert_eq(l.peer, 9);
	cr_assert_eq(l.mtu, 1400);
	cr_assert_eq(l.group, 3);
	cr_assert(l.elsewhere);
	cr_assert_eq(l.peer_ns, 0);
	cr_assert(pst_rtnl_read_link(link_message(buf, "a-name-that-is-longer-than-a-name", false), &l));
	cr_assert_eq(strlen(l.name), PST_RTNL_NAME - 1);
	cr_assert_not(l.elsewhere);
	struct nlmsghdr *h = link_message(buf, "x", false);
	h->nlmsg_type = RTM_DELLINK;
	cr_assert_not(pst_rtnl_read_link(h, &l));
}

Test(rtnl, rates_above_32_bits_are_told_in_64)
{
	struct pst_rtnl m;
	struct pst_qdisc q;
	const uint64_t bits[] = {1000, 8000000, UINT64_C(40000000000), UINT64_C(400000000000)};
	for (size_t i = 0; i < PST_NELEM(bits); i++) {
		const struct pst_tbf t = pst_netlimit_tbf(bits[i], 1500);
		pst_rtnl_tbf_put(&m, 5, PST_NET_HANDLE, &t);
		cr_assert(pst_rtnl_read_qdisc(pst_rtnl_header(&m), &q));
		cr_assert_eq(q.rate, bits[i] / 8);
		cr_assert_eq(q.handle, PST_NET_HANDLE);
	}
}

Test(rtnl, our_own_redirection_fits_every_packet)
{
	struct pst_rtnl m;
	struct pst_filter f;
	pst_rtnl_redirect_add(&m, 5, 77);
	struct nlmsghdr *h = pst_rtnl_header(&m);
	struct tcmsg *t = mnl_nlmsg_get_payload(h);
	cr_assert_eq(t->tcm_info & 0xFFFF, htons(3 /* ETH_P_ALL */), "IPv4, IPv6 and the rest");
	t->tcm_handle = 0x80000800;
	cr_assert(pst_rtnl_read_filter(h, &f));
	cr_assert(f.rule && f.all);
	cr_assert_eq(f.to, 77);
	/* of IPv4 alone it lets IPv6 by */
	t->tcm_info = (t->tcm_info & 0xFFFF0000U) | htons(0x0800);
	cr_assert(pst_rtnl_read_filter(h, &f));
	cr_assert(f.rule && !f.all);
}

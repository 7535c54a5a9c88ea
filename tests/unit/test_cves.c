#include "core/cves.h"
#include "scfixture.h"

#define ALLOW(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"
#define NET_ADMIN (UINT64_C(1) << 12)

static enum pst_cve_state judge(const char *name, const struct pst_cve_view *v)
{
	const struct pst_cve *c;
	for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			return pst_cve_judge(c, v, NULL);
	cr_assert_fail("no row %s", name);
	return PST_CVE_OPEN;
}

Test(cves, without_a_filter_and_with_all_capabilities_everything_is_open)
{
	size_t total;
	const struct pst_cve_view v = {.p = NULL, .caps = PST_CAPS_ALL};
	const size_t open = pst_cve_count_open(&v, &total);
	cr_expect_eq(open, total);
	cr_expect_geq(total, 134);
}

Test(cves, without_a_filter_a_user_namespace_stands_in_for_the_capability)
{
	const struct pst_cve_view v = {.p = NULL};
	cr_expect_eq(judge("CVE-2024-1086", &v), PST_CVE_OPEN);
}

Test(cves, a_denied_call_closes_what_needs_it)
{
	pst_auto_scprof *p = rules(ALLOW("\"read\", \"splice\", \"write\""));
	const struct pst_cve_view v = {.p = p, .caps = PST_CAPS_ALL};
	cr_expect_eq(judge("CVE-2016-0728", &v), PST_CVE_BY_CALL);
	cr_expect_eq(judge("CVE-2022-0847", &v), PST_CVE_OPEN);
	cr_expect_eq(judge("CVE-2014-0038", &v), PST_CVE_BY_ABI);
}

Test(cves, a_socket_family_closes_and_opens_by_argument)
{
	pst_auto_scprof *p = rules("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
				   "[{\"index\":0,\"value\":30,\"op\":\"SCMP_CMP_EQ\"}]}");
	const struct pst_cve_view v = {.p = p};
	cr_expect_eq(judge("CVE-2022-0435", &v), PST_CVE_OPEN, "AF_TIPC");
	cr_expect_eq(judge("CVE-2010-3904", &v), PST_CVE_BY_ARGS, "AF_RDS");
}

Test(cves, a_masked_argument_is_compared_as_a_set)
{
	/* SOCK_STREAM of any flags: no SOCK_DGRAM, so no ping socket */
	pst_auto_scprof *p = rules(ALLOW(
		"\"connect\"") ",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
			       "[{\"index\":1,\"value\":15,\"valueTwo\":1,\"op\":\"SCMP_CMP_MASKED_"
			       "EQ\"}]}");
	const struct pst_cve_view v = {.p = p};
	cr_expect_eq(judge("CVE-2015-3636", &v), PST_CVE_BY_ARGS);
	cr_expect_eq(judge("CVE-2010-3904", &v), PST_CVE_OPEN, "AF_RDS by any family");
}

Test(cves, the_capability_counts_unless_a_user_namespace_brings_it)
{
	pst_auto_scprof *p = rules(ALLOW("\"socket\""));
	pst_auto_scprof *u = rules(ALLOW("\"socket\", \"unshare\""));
	const struct pst_cve_view without = {.p = p};
	const struct pst_cve_view with = {.p = p, .caps = NET_ADMIN};
	const struct pst_cve_view nested = {.p = u};
	cr_expect_eq(judge("CVE-2024-1086", &without), PST_CVE_BY_CAP);
	cr_expect_eq(judge("CVE-2024-1086", &with), PST_CVE_OPEN);
	cr_expect_eq(judge("CVE-2024-1086", &nested), PST_CVE_OPEN);
	cr_expect(pst_cve_userns(&nested));
	cr_expect_not(pst_cve_userns(&without));
}

Test(cves, clone_that_refuses_namespaces_makes_no_user_namespace)
{
	pst_auto_scprof *p =
		rules("{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
		      "[{\"index\":0,\"value\":2114060288,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}");
	const struct pst_cve_view v = {.p = p};
	cr_expect_not(pst_cve_userns(&v));
	cr_expect_eq(judge("CVE-2022-24122", &v), PST_CVE_BY_ARGS);
}

Test(cves, io_uring_makes_calls_past_the_filter)
{
	pst_auto_scprof *p = rules(ALLOW("\"io_uring_setup\", \"fchownat\""));
	const struct pst_cve_view v = {.p = p};
	cr_expect_eq(judge("CVE-2019-8912", &v), PST_CVE_OPEN);
}

Test(cves, socketcall_of_32_bit_programs_is_a_door_to_every_family)
{
	pst_auto_scprof *p =
		profile_of("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_"
			   "X86\"],\"syscalls\":"
			   "[{\"names\":[\"socketcall\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
	const struct pst_cve_view v = {.p = p};
	cr_expect_eq(judge("CVE-2010-3904", &v), PST_CVE_OPEN);
}

Test(cves, what_an_agent_is_asked_is_open_unless_it_denies)
{
	pst_auto_scprof *p = rules("{\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_NOTIFY\"}");
	struct pst_cve_view v = {.p = p};
	cr_expect_eq(judge("CVE-2016-0728", &v), PST_CVE_OPEN);
	v.notify_denies = true;
	cr_expect_eq(judge("CVE-2016-0728", &v), PST_CVE_BY_CALL);
}

Test(cves, shipped_classes_close_more_than_a_hundred_and_strict_more_still)
{
	const char *name;
	for (size_t i = 0; (name = pst_profile_builtin_name(i)) != NULL; i++) {
		pst_auto_scprof *p = builtin(name);
		const struct pst_cve_view v = {.p = p, .caps = UINT64_C(1) << 13}; /* NET_RAW */
		size_t total;
		const size_t open = pst_cve_count_open(&v, &total);
		if (strcmp(name, "docker-default") == 0)
			cr_expect_lt(total - open, 102, "what the classes are compared with");
		else
			cr_expect_geq(total - open, strcmp(name, "strict") == 0 ? 111 : 102, "%s",
				      name);
	}
}

Test(cves, every_row_is_whole)
{
	const struct pst_cve *c;
	for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++) {
		cr_expect(c->name[0] != '\0' && c->needs[0] != '\0' && c->part[0] != '\0' &&
				  c->source[0] != '\0',
			  "%s", c->name);
		cr_expect(c->cap[0] == '\0' || pst_caps_number(c->cap) >= 0, "%s", c->name);
	}
}

#include <criterion/criterion.h>
#include <string.h>

#include "core/subid.h"

static int parse(const char *text, struct pst_idspan *own, struct pst_idspans *held,
		 struct pst_err *err)
{
	return pst_subid_parse(text, strlen(text), "/etc/subuid", own, held, err);
}

Test(subid, own_line_is_the_pool_and_other_lines_are_held)
{
	struct pst_idspan own = {0};
	pst_auto_idspans held = {0};
	cr_assert_eq(parse("# ids\n\nalice:100000:65536\npostern:131072:131072\r\n"
			   "  1001:500000:10 \ncontainers:2147483647:2147483648",
			   &own, &held, NULL),
		     PST_OK);
	cr_assert_eq(own.first, 131072);
	cr_assert_eq(own.len, 131072);
	cr_assert_eq(held.n, 3);
	cr_assert_eq(held.v[0].first, 100000);
	cr_assert_eq(held.v[1].first, 500000);
	cr_assert_eq(held.v[1].len, 10);
	cr_assert_eq(held.v[2].len, 2147483648u);
}

Test(subid, a_name_that_only_begins_like_ours_is_another)
{
	struct pst_idspan own = {.first = 7, .len = 7};
	pst_auto_idspans held = {0};
	cr_assert_eq(parse("postern2:65536:65536\nposter:131072:65536\n", &own, &held, NULL), 0);
	cr_assert_eq(own.len, 0);
	cr_assert_eq(held.n, 2);
}

Test(subid, an_unreadable_line_is_refused_with_file_and_line)
{
	static const char *const bad[] = {
		"ok:1:1\njunk\n",	"ok:1:1\n:1:1\n",	 "ok:1:1\na:-5:1\n",
		"ok:1:1\na:1\n",	"ok:1:1\na:1:1:1\n",	 "ok:1:1\na:4294967296:1\n",
		"ok:1:1\na:1:0x10\n",	"ok:1:1\na:1:4294967297\n", "ok:1:1\na: 1:1\n",
		"ok:1:1\na::\n",	"ok:1:1\na:1:1:",	 "ok:1:1\na:99999999999999999999:1",
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_idspan own = {.first = 3, .len = 3};
		pst_auto_idspans held = {0};
		struct pst_err err = {0};
		cr_assert_eq(parse(bad[i], &own, &held, &err), PST_E_POLICY, "case %zu", i);
		cr_assert_not_null(strstr(err.msg, "/etc/subuid:2:"), "case %zu: %s", i, err.msg);
		cr_assert_str_eq(err.file, "/etc/subuid");
		cr_assert_eq(own.first, 3);
	}
}

Test(subid, a_nul_byte_does_not_hide_the_rest_of_a_number)
{
	static const char text[] = "a:1\0002:5\n";
	struct pst_idspan own;
	pst_auto_idspans held = {0};
	cr_assert_eq(pst_subid_parse(text, sizeof text - 1, "f", &own, &held, NULL), PST_E_POLICY);
}

Test(subid, spans_are_cut_at_the_last_id_and_empty_ones_hold_nothing)
{
	struct pst_idspan own;
	pst_auto_idspans held = {0};
	cr_assert_eq(parse("a:4294967295:4294967296\nb:5:0\nc:0:4294967296\n", &own, &held, NULL), 0);
	cr_assert_eq(held.n, 2);
	cr_assert_eq(held.v[0].len, 1);
	cr_assert_eq(held.v[1].len, UINT32_MAX);
}

Test(subid, two_own_lines_or_an_empty_one_are_refused)
{
	struct pst_idspan own;
	pst_auto_idspans held = {0};
	struct pst_err err = {0};
	cr_assert_eq(parse("postern:65536:65536\npostern:131072:65536\n", &own, &held, &err),
		     PST_E_POLICY);
	cr_assert_not_null(strstr(err.msg, ":2:"));
	cr_assert_eq(parse("postern:65536:0\n", &own, &held, NULL), PST_E_POLICY);
}

Test(subid, the_pool_is_the_common_line_else_the_fallback)
{
	const struct pst_idspan none = {0}, p = {.first = 131072, .len = 65536};
	const struct pst_idspan q = {.first = 131072, .len = 131072};
	const struct pst_idspan odd = {.first = 100000, .len = 65536};
	struct pst_idspan out = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_subid_pool(none, none, pst_idpool_default, &out, NULL), PST_OK);
	cr_assert_eq(out.first, pst_idpool_default.first);
	cr_assert_eq(pst_subid_pool(p, p, pst_idpool_default, &out, NULL), PST_OK);
	cr_assert_eq(out.first, p.first);
	cr_assert_eq(pst_subid_pool(p, none, pst_idpool_default, &out, &err), PST_E_POLICY);
	cr_assert_neq(err.cure[0], '\0');
	cr_assert_eq(pst_subid_pool(p, q, pst_idpool_default, &out, NULL), PST_E_POLICY);
	cr_assert_eq(pst_subid_pool(odd, odd, pst_idpool_default, &out, &err), PST_E_POLICY);
	cr_assert_not_null(strstr(err.msg, "subuid"));
	cr_assert_eq(pst_subid_pool(none, none, odd, &out, NULL), PST_E_POLICY);
	cr_assert_eq(out.first, p.first);
}

Test(subid, accounts_inside_the_pool_are_held)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n+::::::\nbroken\n\n"
				     "big:x:1879048199:1:::\nout:x:1000:1:::\n"
				     "last:*:2147418111:1:::\nno:x:12a:1:::\n"
				     "short:x:1879048200";
	pst_auto_idspans held = {0};
	cr_assert_eq(pst_subid_accounts(passwd, strlen(passwd), pst_idpool_default, &held, NULL), 0);
	cr_assert_eq(held.n, 3);
	cr_assert_eq(held.v[0].first, 1879048199u);
	cr_assert_eq(held.v[1].first, 2147418111u);
	cr_assert_eq(held.v[2].first, 1879048200u);
}

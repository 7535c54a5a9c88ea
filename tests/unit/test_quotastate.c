#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"
#include "core/quotastate.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

Test(quotastate, the_least_counts_and_never_more_than_was_there)
{
	struct pst_quotastate s = {.was = UINT64_MAX};
	cr_expect_eq(pst_quotastate_least(&s), UINT64_MAX);
	cr_assert_eq(pst_quotastate_hold(&s, A, 100, NULL), PST_OK);
	cr_assert_eq(pst_quotastate_hold(&s, B, 50, NULL), PST_OK);
	cr_expect_eq(pst_quotastate_least(&s), 50);
	cr_assert_eq(pst_quotastate_hold(&s, B, 70, NULL), PST_OK);
	cr_expect_eq(s.n, 2);
	cr_expect_eq(pst_quotastate_least(&s), 70);
	s.was = 60;
	cr_expect_eq(pst_quotastate_least(&s), 60);
	cr_expect(pst_quotastate_drop(&s, A) && !pst_quotastate_drop(&s, A));
	cr_expect(pst_quotastate_holds(&s, B) && !pst_quotastate_holds(&s, A));
}

Test(quotastate, text_and_back)
{
	struct pst_quotastate s = {.was = 7, .set = 5, .before = UINT64_MAX}, t;
	pst_auto_buf text = {0};
	cr_assert_eq(pst_quotastate_hold(&s, A, 5, NULL), PST_OK);
	cr_assert_eq(pst_quotastate_print(&s, &text, NULL), PST_OK);
	cr_expect_str_eq(pst_buf_cstr(&text), "was 7\nset 5 18446744073709551615\nhold " A " 5\n");
	cr_assert_eq(pst_quotastate_parse(text.data, &t, NULL), PST_OK);
	cr_expect(t.was == 7 && t.set == 5 && t.before == UINT64_MAX && t.n == 1 && t.holder[0].want == 5);
	cr_expect(pst_quotastate_ours(&t, 5) && pst_quotastate_ours(&t, UINT64_MAX) && !pst_quotastate_ours(&t, 7));
}

Test(quotastate, anything_else_is_no_record)
{
	static const char *const bad[] = {"", "was 1\n", "set 1 1\n", "was 1\nset 1\n", "was 1\nset 1 1 1\n",
					  "was x\nset 1 1\n", "was 1\nset 1 1\nhold ../x 5\n", "was 1\nset 1 1\nhold " A "\n",
					  "was 1\nset 1 1\nwhat 1\n"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_quotastate s;
		struct pst_err err = {0};
		char text[128];
		snprintf(text, sizeof text, "%s", bad[i]);
		cr_expect_eq(pst_quotastate_parse(text, &s, &err), PST_E_STATE, "%s", bad[i]);
	}
}

Test(quotastate, no_more_than_fit)
{
	struct pst_quotastate s = {0};
	for (unsigned i = 0; i <= PST_QUOTA_HOLDERS_MAX; i++) {
		char key[PST_KEY_LEN + 1];
		snprintf(key, sizeof key, "%032x", i);
		cr_expect_eq(pst_quotastate_hold(&s, key, 1, NULL), i < PST_QUOTA_HOLDERS_MAX ? PST_OK : PST_E_EXHAUSTED);
	}
}

#include <criterion/criterion.h>
#include <string.h>
#include <sys/capability.h>

#include "core/caps.h"
#include "core/json.h"

Test(caps, names_are_those_of_libcap)
{
	for (unsigned i = 0; i <= PST_CAP_LAST; i++) {
		char *want = cap_to_name((cap_value_t)i);
		cr_assert_not_null(want);
		cr_expect_eq(strcasecmp(pst_caps_name(i), want), 0, "%u: %s, libcap says %s", i,
			     pst_caps_name(i), want);
		cap_free(want);
		cr_expect_eq(pst_caps_number(pst_caps_name(i)), (int)i);
	}
	cr_assert_null(pst_caps_name(PST_CAP_LAST + 1));
}

Test(caps, numbers_take_any_spelling_of_a_command_line)
{
	cr_expect_eq(pst_caps_number("net_raw"), CAP_NET_RAW);
	cr_expect_eq(pst_caps_number("cap_Chown"), CAP_CHOWN);
	cr_expect_eq(pst_caps_number(""), -1);
	cr_expect_eq(pst_caps_number("CAP_"), -1);
	cr_expect_eq(pst_caps_number("CAP_CAP_CHOWN"), -1);
}

Test(caps, a_spec_counts_exact_names_only_and_tells_the_first_unknown)
{
	pst_auto_json *j = json_pack("[s,s,s,s]", "CAP_KILL", "cap_sys_admin", "CAP_FUTURE",
				     "CAP_CHOWN");
	pst_capset set = 0;
	const char *unknown = NULL;
	cr_assert_eq(pst_caps_parse(j, "/p", &set, &unknown, NULL), PST_OK);
	cr_expect_eq(set, UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_CHOWN);
	cr_expect_str_eq(unknown, "cap_sys_admin");
	cr_assert_eq(pst_caps_parse(NULL, "/p", &set, &unknown, NULL), PST_OK);
	cr_expect_eq(set, 0);
	cr_expect_null(unknown);
}

Test(caps, wrong_types_name_the_pointer_and_leave_the_set_alone)
{
	pst_auto_json *number = json_pack("[s,i]", "CAP_KILL", 5);
	pst_auto_json *object = json_object();
	pst_capset set = 42;
	struct pst_err err = {0};
	cr_expect_eq(pst_caps_parse(number, "/x/y", &set, NULL, &err), PST_E_SPEC);
	cr_expect_str_eq(err.pointer, "/x/y");
	cr_expect_eq(pst_caps_parse(object, "/x/y", &set, NULL, &err), PST_E_SPEC);
	cr_expect_eq(set, 42);
}

Test(caps, prints_sorted_by_number_and_cuts_at_a_whole_name)
{
	const pst_capset set = UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_CHOWN;
	pst_auto_json *j = pst_caps_json(set);
	pst_auto_buf out = {0};
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_expect_str_eq(pst_buf_cstr(&out), "[\"CAP_CHOWN\",\"CAP_KILL\"]");
	char text[64], small[9];
	cr_expect_str_eq(pst_caps_text(set, text, sizeof text), "CHOWN KILL");
	cr_expect_str_eq(pst_caps_text(set, small, sizeof small), "CHOWN");
	cr_expect_str_eq(pst_caps_text(0, text, sizeof text), "");
}

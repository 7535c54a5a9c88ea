#include <criterion/criterion.h>
#include <string.h>

#include "core/formatver.h"
#include "core/json.h"

static int check(const char *text, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	cr_assert_eq(pst_json_parse(text, strlen(text), "f", &pst_json_oci, &j, NULL), PST_OK);
	return pst_formatver_check(j, 2, "plan.json", err);
}

Test(formatver, known_versions_pass)
{
	cr_assert_eq(check("{\"version\": 1}", NULL), PST_OK);
	cr_assert_eq(check("{\"version\": 2}", NULL), PST_OK);
}

Test(formatver, a_newer_one_is_named_with_the_cure)
{
	struct pst_err err = {0};
	cr_assert_eq(check("{\"version\": 3}", &err), PST_E_STATE);
	cr_assert_str_eq(err.msg, "plan.json is of version 3, this postern knows 2");
	cr_assert_eq(err.sys, EPROTONOSUPPORT);
	cr_assert_str_eq(err.cure, "a newer postern made it: use that one for this container");
}

Test(formatver, no_version_is_no_file_of_ours)
{
	static const char *const bad[] = {"{}", "{\"version\": 0}", "{\"version\": \"1\"}", "{\"version\": 1.5}",
					  "{\"version\": -1}", "[]"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err err = {0};
		cr_assert_eq(check(bad[i], &err), PST_E_STATE, "%s", bad[i]);
		cr_assert_str_eq(err.msg, "plan.json does not say of which version it is");
	}
}

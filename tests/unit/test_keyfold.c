#include <criterion/criterion.h>
#include <string.h>

#include "core/json.h"
#include "core/keyfold.h"
#include "core/specfold.h"

Test(keyfold, folds_as_go_does)
{
	cr_assert(pst_keyfold_is("Linux", "linux"));
	cr_assert(pst_keyfold_is("NONEWPRIVILEGES", "noNewPrivileges"));
	cr_assert(pst_keyfold_is("cla\xC5\xBF" "s", "class"));
	cr_assert(pst_keyfold_is("mas\xE2\x84\xAA" "edPaths", "maskedPaths"));
	cr_assert_not(pst_keyfold_is("linux", "linux"), "the exact key is no fold");
	cr_assert_not(pst_keyfold_is("linu", "linux"));
	cr_assert_not(pst_keyfold_is("linuxx", "linux"));
	cr_assert_not(pst_keyfold_is("", "linux"));
	cr_assert_not(pst_keyfold_is("l\xC5", "ls"), "half a letter is not read past");
	cr_assert_not(pst_keyfold_is("l\xE2\x84", "lk"));
}

static int check(const char *text, struct pst_err *err)
{
	static const char *const names[] = {"linux", "seccomp", NULL};
	static const char *const maps[] = {"annotations", NULL};
	pst_auto_json *j = NULL;
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, err), PST_OK, "%s",
		     err->msg);
	return pst_keyfold_check(j, names, maps, err);
}

Test(keyfold, a_second_spelling_is_refused_wherever_it_stands)
{
	struct pst_err err = {0};
	cr_assert_eq(check("{\"linux\":{\"seccomp\":{}}}", &err), PST_OK);
	cr_assert_eq(check("{\"Linux\":{}}", &err), PST_E_SPEC);
	cr_assert_str_eq(err.pointer, "/Linux");
	cr_assert(strstr(err.cure, "\"linux\"") != NULL);
	cr_assert_eq(check("{\"linux\":{\"seccomp\":null},\"x\":[1,{\"SecComp\":1}]}", &err),
		     PST_E_SPEC);
	cr_assert_str_eq(err.pointer, "/x/1/SecComp");
}

Test(keyfold, keys_of_a_map_are_the_caller_s_own)
{
	struct pst_err err = {0};
	cr_assert_eq(check("{\"annotations\":{\"Linux\":\"x\"}}", &err), PST_OK, "%s", err.msg);
}

Test(keyfold, a_long_path_cuts_the_pointer_only)
{
	char text[2048];
	size_t n = 0;
	struct pst_err err = {0};
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "{\"abcdefghijklmnopqrstuvwxyz\":");
	n += (size_t)snprintf(text + n, sizeof text - n, "{\"LINUX\":1}");
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "}");
	cr_assert_eq(check(text, &err), PST_E_SPEC);
	cr_assert(strlen(err.pointer) < sizeof err.pointer);
}

Test(keyfold, a_limit_under_another_spelling_is_refused)
{
	static const char *const bad[] = {"Unified", "hugePageLimits", "BlockIO", "throttleWriteBPSDevice"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err err = {0};
		pst_auto_json *doc = json_pack("{s:{s:{s:{}}}}", "linux", "resources", bad[i]);
		cr_expect_eq(pst_specfold_check(doc, &err), PST_E_SPEC, "%s", bad[i]);
		cr_expect_neq(err.cure[0], '\0');
	}
}

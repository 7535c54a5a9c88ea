#include <criterion/criterion.h>
#include <string.h>

#include "core/runver.h"

static struct pst_runtime parsed(const char *text)
{
	struct pst_runtime rt = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_runver_parse(text, strlen(text), &rt, &err), PST_OK, "%s", err.msg);
	return rt;
}

Test(runver, reads_what_debians_runc_prints)
{
	const struct pst_runtime rt = parsed("runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\n"
					     "spec: 1.0.2-dev\ngo: go1.19.8\nlibseccomp: 2.5.4\n");
	cr_assert_str_eq(rt.name, "runc");
	cr_assert_eq(rt.version[0], 1);
	cr_assert_eq(rt.version[1], 1);
	cr_assert_eq(rt.version[2], 5);
	cr_assert_str_eq(rt.spec, "1.0.2-dev");
	cr_assert_str_eq(rt.libseccomp, "2.5.4");
	cr_assert_null(rt.path);
}

Test(runver, reads_what_crun_prints)
{
	const struct pst_runtime rt =
		parsed("crun version 1.28\ncommit: f8a0\nrundir: /run/crun\nspec: 1.0.0\n+SECCOMP\n");
	cr_assert_str_eq(rt.name, "crun");
	cr_assert_eq(rt.version[1], 28);
	cr_assert_eq(rt.version[2], 0);
	cr_assert_str_eq(rt.libseccomp, "");
}

Test(runver, compares_release_by_release_and_only_its_own_name)
{
	const struct pst_runtime rt = parsed("runc version 1.3.0-rc.1");
	cr_assert(pst_runver_at_least(&rt, "runc", 1, 3, 0));
	cr_assert(pst_runver_at_least(&rt, "runc", 1, 2, 9));
	cr_assert_not(pst_runver_at_least(&rt, "runc", 1, 3, 1));
	cr_assert_not(pst_runver_at_least(&rt, "runc", 2, 0, 0));
	cr_assert_not(pst_runver_at_least(&rt, "crun", 0, 0, 0));
}

Test(runver, old_runc_cannot_join_a_host_netns_with_a_userns)
{
	const struct pst_runtime old = parsed("runc version 1.2.9");
	const struct pst_runtime fixed = parsed("runc version 1.3.0");
	const struct pst_runtime crun = parsed("crun version 1.8.1");
	cr_assert_not(pst_runver_joins_netns(&old));
	cr_assert(pst_runver_joins_netns(&fixed));
	cr_assert(pst_runver_joins_netns(&crun));
}

Test(runver, refuses_anything_else_and_leaves_out_alone)
{
	static const char *const bad[] = {
		"", "\n", "version 1.2", "runc 1.2.3", "runc version ", "runc version x.y",
		"runc version 1.", "<html>", "\nrunc version 1.2.3",
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_runtime rt = {.name = "keep"};
		struct pst_err err = {0};
		cr_assert_eq(pst_runver_parse(bad[i], strlen(bad[i]), &rt, &err), PST_E_RUNTIME,
			     "case %zu", i);
		cr_assert_str_eq(rt.name, "keep");
		cr_assert(err.cure[0] != '\0');
	}
}

Test(runver, overlong_names_and_numbers_are_cut_not_overrun)
{
	const struct pst_runtime rt = parsed("averyveryverylongnameindeed version "
					     "99999999999999999999.1.1\nspec: "
					     "1.0.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	cr_assert_eq(strlen(rt.name), sizeof rt.name - 1);
	cr_assert_eq(strlen(rt.spec), sizeof rt.spec - 1);
	cr_assert(rt.version[0] > 0);
}

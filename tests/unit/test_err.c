#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

Test(err, keeps_parts_apart_and_cuts_long_text)
{
	struct pst_err err = {0};
	char big[2000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	cr_assert_eq(pst_fail(&err, PST_E_SPEC, "/a", "%s", big), PST_E_SPEC);
	cr_assert_eq(strlen(err.msg), sizeof err.msg - 1);
	cr_assert_eq(pst_err_rule(&err, "/grants/x"), PST_E_SPEC);
	cr_assert_str_eq(err.rule, "/grants/x");
	cr_assert_str_eq(err.file, "");
}

Test(err, system_failures_keep_errno)
{
	struct pst_err err = {0};
	errno = ENOSPC;
	cr_assert_eq(pst_fail_sys(&err, "cannot write %s", "f"), PST_E_HOST);
	cr_assert_eq(err.sys, ENOSPC);
	cr_assert_str_eq(err.msg, "cannot write f: No space left on device");
	cr_assert_eq(pst_err_prefix(&err, "step %d", 3), PST_E_HOST);
	cr_assert_str_eq(err.msg, "step 3: cannot write f: No space left on device");
}

Test(err, a_message_may_wrap_its_own_text)
{
	struct pst_err err = {0};
	(void)pst_fail(&err, PST_E_SPEC, "", "inner");
	(void)pst_fail(&err, PST_E_STATE, "", "outer: %s", err.msg);
	cr_assert_str_eq(err.msg, "outer: inner");
}

#include <criterion/criterion.h>

#include "base/buf.h"

Test(buf, grows_and_stays_terminated)
{
	pst_auto_buf b = {0};
	cr_assert_str_eq(pst_buf_cstr(&b), "");
	for (int i = 0; i < 1000; i++)
		pst_buf_fmt(&b, "%d,", i);
	cr_assert(pst_buf_ok(&b));
	cr_assert_eq(b.len, 3890);
	cr_assert_eq(b.data[b.len], '\0');
	char *p = pst_buf_take(&b);
	cr_assert_not_null(p);
	cr_assert_eq(b.len, 0);
	free(p);
}

Test(buf, past_the_cap_nothing_is_added)
{
	pst_auto_buf b = {0};
	pst_buf_str(&b, "x");
	pst_buf_add(&b, "y", PST_BUF_CAP);
	cr_assert_not(pst_buf_ok(&b));
	cr_assert_str_eq(pst_buf_cstr(&b), "x");
}

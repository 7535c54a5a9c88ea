#include <criterion/criterion.h>
#include <string.h>

#include "core/ctrid.h"

Test(ctrid, accepts_what_runc_accepts)
{
	static const char *const good[] = {"a", "A-b_c.d+9", "...", "-x", ".hidden", "0"};
	for (size_t i = 0; i < PST_NELEM(good); i++)
		cr_assert_eq(pst_ctrid_check(good[i], NULL), PST_OK, "%s", good[i]);
	char id[PST_CTRID_MAX + 1];
	memset(id, 'x', PST_CTRID_MAX);
	id[PST_CTRID_MAX] = '\0';
	cr_assert_eq(pst_ctrid_check(id, NULL), PST_OK);
}

Test(ctrid, refuses_what_could_leave_the_directory_or_the_terminal)
{
	static const char *const bad[] = {"",     ".",       "..",    "a/b",	    "../x",
					  "a b",  "a\nb",    "a\033b", "a\\b",	    "a:b",
					  "é", ("a\x7f" "b"), "/",     "a*",	    "a@b"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err err = {0};
		cr_assert_eq(pst_ctrid_check(bad[i], &err), PST_E_USAGE, "case %zu", i);
		for (const char *p = err.msg; *p != '\0'; p++)
			cr_assert(*p >= ' ' && *p < 0x7f, "case %zu prints a raw byte", i);
	}
	cr_assert_eq(pst_ctrid_check(NULL, NULL), PST_E_USAGE);
}

Test(ctrid, a_long_id_is_refused_and_not_repeated_whole)
{
	char id[5001];
	memset(id, 'x', 5000);
	id[5000] = '\0';
	struct pst_err err = {0};
	cr_assert_eq(pst_ctrid_check(id, &err), PST_E_USAGE);
	cr_assert_not_null(strstr(err.msg, "5000"));
	cr_assert_lt(strlen(err.msg), 120);
}

Test(ctrid, key_is_sha256_of_root_nul_id)
{
	char key[PST_KEY_LEN + 1];
	pst_ctrid_key("/run/runc", "web", key); /* printf '/run/runc\0web' | sha256sum */
	cr_assert_str_eq(key, "77d1f8318ab61023bd787ed9902ac14a");
	cr_assert(pst_ctrid_is_key(key));
}

Test(ctrid, root_and_id_cannot_be_shifted_into_each_other)
{
	char a[PST_KEY_LEN + 1], b[PST_KEY_LEN + 1];
	pst_ctrid_key("/run/a", "bc", a);
	pst_ctrid_key("/run/ab", "c", b);
	cr_assert_str_neq(a, b);
}

Test(ctrid, a_key_is_32_lower_hex_digits)
{
	cr_assert(pst_ctrid_is_key("0123456789abcdef0123456789abcdef"));
	cr_assert_not(pst_ctrid_is_key("0123456789ABCDEF0123456789abcdef"));
	cr_assert_not(pst_ctrid_is_key("0123456789abcdef0123456789abcde"));
	cr_assert_not(pst_ctrid_is_key("0123456789abcdef0123456789abcdef0"));
	cr_assert_not(pst_ctrid_is_key("../3456789abcdef0123456789abcdef"));
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/str.h"

Test(str, numbers_are_whole_and_bounded)
{
	uint64_t v = 7;
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616"};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_assert_not(pst_num_parse(bad[i], 10, UINT64_MAX, &v), "%s", bad[i]);
	cr_assert_eq(v, 7);
	cr_assert(pst_num_parse("18446744073709551615", 10, UINT64_MAX, &v));
	cr_assert_eq(v, UINT64_MAX);
	cr_assert_not(pst_num_parse("65536", 10, 65535, &v));
	cr_assert(pst_num_parse("0x10", 0, 100, &v));
	cr_assert_eq(v, 16);
}

Test(str, path_under_compares_parts_not_bytes)
{
	cr_assert(pst_path_under("/a/b", "/a"));
	cr_assert(pst_path_under("/a", "/a/"));
	cr_assert(pst_path_under("/a", "/"));
	cr_assert_not(pst_path_under("/ab", "/a"));
	cr_assert_not(pst_path_under("/", "/a"));
}

Test(str, clean_walks_dots_in_text)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"/", "/"},	     {"//a///b/", "/a/b"}, {"/a/../..", "/"}, {"/../x", "/x"},
		{"/a/./b/..", "/a"}, {"/a/..b", "/a/..b"},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		char *p = pst_path_clean(t[i].in);
		cr_assert_str_eq(p, t[i].out);
		free(p);
	}
	cr_assert_null(pst_path_clean("a/b"));
	cr_assert(pst_path_has_dotdot("/a/../b"));
	cr_assert_not(pst_path_has_dotdot("/a/..b/c.."));
}

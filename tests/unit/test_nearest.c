#include <criterion/criterion.h>
#include <string.h>

#include "core/nearest.h"

static const char *const words[] = {"limits", "grants", NULL, "profile", "ids", "volumeRoots"};

static const char *near(const char *w)
{
	const char *s = pst_nearest(w, words, PST_NELEM(words));
	return s == NULL ? "" : s;
}

Test(nearest, finds_slips_of_the_finger)
{
	cr_expect_str_eq(near("limit"), "limits");
	cr_expect_str_eq(near("porfile"), "profile");
	cr_expect_str_eq(near("volumeroots"), "volumeRoots");
	cr_expect_str_eq(near("grnats"), "grants");
	cr_expect_str_eq(near("id"), "ids");
}

Test(nearest, suggests_nothing_far_fetched)
{
	cr_expect_str_eq(near("seccomp"), "");
	cr_expect_str_eq(near(""), "");
	char longest[5001];
	memset(longest, 'l', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	cr_expect_str_eq(near(longest), "");
}

Test(nearest, steps_count_swaps_as_one_and_stop_at_the_limit)
{
	cr_expect_eq(pst_nearest_steps("abcd", "abdc", 9), 1);
	cr_expect_eq(pst_nearest_steps("kitten", "sitting", 9), 3);
	cr_expect_eq(pst_nearest_steps("kitten", "sitting", 1), 2);
	cr_expect_eq(pst_nearest_steps("", "", 3), 0);
}

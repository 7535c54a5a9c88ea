#include <criterion/criterion.h>
#include <string.h>

#include "core/mountinfo.h"

static struct pst_mounttab parse(const char *text)
{
	struct pst_mounttab t = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_mountinfo_parse(text, strlen(text), &t, &err), PST_OK, "%s", err.msg);
	return t;
}

Test(mountinfo, fields_and_octal_escapes_are_read)
{
	pst_auto_mounttab t =
		parse("27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
		      "30 27 0:44 /a\\040b /mnt/x\\011y\\134z ro,nosuid master:3 shared:7 - overlay "
		      "over\\040lay rw,lowerdir=/l\\054m\n"
		      "31 27 0:45 / /e rw - tmpfs  rw"); /* an empty source, no newline */
	cr_assert_eq(t.n, 3);
	cr_assert_eq(t.v[0].major, 254);
	cr_assert(t.v[0].shared && !t.v[0].slave && !t.v[0].readonly);
	cr_assert_str_eq(t.v[1].root, "/a b");
	cr_assert_str_eq(t.v[1].point, "/mnt/x\ty\\z");
	cr_assert_str_eq(t.v[1].source, "over lay");
	cr_assert_str_eq(t.v[1].super, "rw,lowerdir=/l\\054m"); /* commas still escaped */
	cr_assert(t.v[1].shared && t.v[1].slave && t.v[1].readonly);
	cr_assert_str_eq(t.v[2].source, "");
	cr_assert_str_eq(t.v[2].fstype, "tmpfs");
}

Test(mountinfo, a_line_that_is_none_is_named_by_its_number)
{
	static const char *const bad[] = {"", "x 1 0:1 / / rw - a b c", "1 1 01 / / rw - a b c",
					  "1 1 0:1 / / rw a b c", "1 1 0:1 / / rw - a b"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		char text[128];
		struct pst_mounttab t = {0};
		struct pst_err err = {0};
		const int n = snprintf(text, sizeof text, "1 0 0:1 / / rw - a b c\n%s\n", bad[i]);
		cr_assert_eq(pst_mountinfo_parse(text, (size_t)n, &t, &err), PST_E_HOST, "%s", bad[i]);
		cr_assert(strstr(err.msg, "line 2") != NULL, "%s", err.msg);
		cr_assert_null(t.v);
	}
}

Test(mountinfo, of_stacked_mounts_the_topmost_is_found_whatever_the_order)
{
	pst_auto_mounttab t = parse("30 29 0:3 / /m rw - c c rw\n" /* third, on the second */
				    "28 27 0:1 / /m rw - a a rw\n"
				    "27 1 254:0 / / rw - ext4 d rw\n"
				    "29 28 0:2 / /m rw - b b rw\n");
	cr_assert_eq(pst_mountinfo_at(&t, "/m")->id, 30);
	cr_assert_eq(pst_mountinfo_of(&t, "/m/x")->id, 30);
	cr_assert_eq(pst_mountinfo_of(&t, "/mx")->id, 27);
	cr_assert_null(pst_mountinfo_at(&t, "/m/x"));
}

Test(mountinfo, a_mount_hidden_below_a_later_one_is_not_found)
{
	pst_auto_mounttab t = parse("27 1 254:0 / / rw - ext4 d rw\n"
				    "28 27 0:1 / /a/b rw - hidden h rw\n"
				    "29 27 0:2 / /a rw - over o rw\n");
	cr_assert_eq(pst_mountinfo_of(&t, "/a/b")->id, 29);
	cr_assert_null(pst_mountinfo_at(&t, "/a/b"));
	cr_assert_eq(pst_mountinfo_at(&t, "/a")->id, 29);
}

Test(mountinfo, the_root_is_a_mount_point_too)
{
	pst_auto_mounttab t = parse("1 1 0:1 / / rw - rootfs r rw\n27 1 254:0 / / rw - ext4 d rw\n");
	cr_assert_eq(pst_mountinfo_at(&t, "/")->id, 27);
}

Test(mountinfo, an_option_is_a_whole_word_of_the_mount_not_of_its_file_system)
{
	pst_auto_mounttab t = parse("27 1 8:1 / / rw,nosuid,relatime - ext4 /dev/a ro\n");
	cr_assert(pst_mountinfo_has(&t.v[0], "nosuid"));
	cr_assert_not(pst_mountinfo_has(&t.v[0], "ro"));
	cr_assert_not(pst_mountinfo_has(&t.v[0], "suid"));
}

Test(mountinfo, submounts_are_those_strictly_below)
{
	pst_auto_mounttab t = parse("27 1 254:0 / / rw - ext4 d rw\n28 27 0:1 / /a rw - a a rw\n"
				    "29 28 0:2 / /a/b/c rw - b b rw\n");
	cr_assert(pst_mountinfo_below(&t, "/a"));
	cr_assert(pst_mountinfo_below(&t, "/a/b"));
	cr_assert_not(pst_mountinfo_below(&t, "/a/b/c"));
	cr_assert_not(pst_mountinfo_below(&t, "/ab"));
}

Test(mountinfo, unescape_leaves_what_is_no_escape)
{
	char s[] = "a\\0b\\400\\18\\";
	pst_mountinfo_unescape(s);
	cr_assert_str_eq(s, "a\\0b\\400\\18\\");
}

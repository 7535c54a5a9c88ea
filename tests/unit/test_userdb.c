#include <criterion/criterion.h>
#include <string.h>

#include "core/userdb.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# comment\n"
			     "broken:x:notanumber:1::/:\n"
			     "\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
			     "www:x:33:34::/var/www:/bin/false";
static const char group[] = "root:x:0:\nadm:x:4:www,daemon\nwww:x:34:www\ntape:x:26:ww,www\n";

static struct pst_user ok(const char *spec)
{
	struct pst_user u;
	struct pst_err err = {0};
	cr_assert_eq(pst_userdb_resolve(spec, passwd, group, &u, &err), PST_OK, "%s: %s", spec,
		     err.msg);
	return u;
}

Test(userdb, a_name_brings_its_groups_and_home)
{
	const struct pst_user u = ok("www");
	cr_expect_eq(u.uid, 33);
	cr_expect_eq(u.gid, 34);
	cr_assert_eq(u.ngroups, 2, "the primary group is not repeated");
	cr_expect_eq(u.groups[0], 4);
	cr_expect_eq(u.groups[1], 26);
	cr_expect_str_eq(u.home, "/var/www");
}

Test(userdb, nothing_means_root)
{
	const struct pst_user u = ok("");
	cr_expect_eq(u.uid, 0);
	cr_expect_str_eq(u.home, "/root");
	cr_expect_eq(ok(":adm").gid, 4);
}

Test(userdb, a_number_needs_no_line_and_uses_one_if_there_is)
{
	cr_expect_eq(ok("33").gid, 34);
	cr_expect_eq(ok("33").ngroups, 2);
	const struct pst_user u = ok("4711");
	cr_expect_eq(u.uid, 4711);
	cr_expect_eq(u.gid, 0);
	cr_expect_str_eq(u.home, "/");
}

Test(userdb, an_explicit_group_replaces_all_others)
{
	const struct pst_user u = ok("www:adm");
	cr_expect_eq(u.gid, 4);
	cr_expect_eq(u.ngroups, 0);
	cr_expect_eq(ok("1000:1001").gid, 1001);
	cr_expect_eq(ok("daemon:50").gid, 50);
}

Test(userdb, errors_are_worded_as_docker_words_them)
{
	static const struct {
		const char *spec;
		const char *msg;
	} t[] = {
		{"nobody", "unable to find user nobody: no matching entries in passwd file"},
		{"broken", "unable to find user broken: no matching entries in passwd file"},
		{"root:x", "unable to find group x: no matching entries in group file"},
		{"-1", "unable to find user -1: no matching entries in passwd file"},
		{"2147483648", "uids and gids must be in range 0-2147483647: 2147483648"},
		{"0:99999999999999999999999", "uids and gids must be in range 0-2147483647: "
					      "99999999999999999999999"},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		struct pst_user u = {.uid = 7};
		struct pst_err err = {0};
		cr_expect_eq(pst_userdb_resolve(t[i].spec, passwd, group, &u, &err), PST_E_SPEC,
			     "%s", t[i].spec);
		cr_expect_str_eq(err.msg, t[i].msg);
		cr_expect_eq(u.uid, 7);
	}
}

Test(userdb, hostile_texts_are_harmless)
{
	struct pst_user u;
	char big[4096];
	memset(big, 'a', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	memcpy(big, "u:x:5:6::/", 10);
	cr_assert_eq(pst_userdb_resolve("u", big, "", &u, NULL), PST_OK);
	cr_expect_eq(u.uid, 5);
	cr_expect_str_eq(u.home, "/", "a home that does not fit is left out");
	cr_expect_eq(pst_userdb_resolve("u", "::::::::::::\n:\nu", ":::", &u, NULL), PST_E_SPEC);
	cr_expect_eq(pst_userdb_resolve("u", "u:x:4294967295:0::/:", "", &u, NULL), PST_E_SPEC);
}

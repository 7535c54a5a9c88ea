/* The policy file and its folder on the real file system. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/io.h"
#include "host/policyload.h"

static char dir[64];

static void make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/pst-policy-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void drop_dir(void)
{
	cr_expect_eq(pst_io_remove_tree(AT_FDCWD, dir, NULL), PST_OK);
}

TestSuite(policyload, .init = make_dir, .fini = drop_dir);

static const char *at(const char *name)
{
	static char path[4][160];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const char *text)
{
	cr_assert_eq(pst_io_replace(AT_FDCWD, at(name), text, strlen(text), 0644, NULL), PST_OK);
}

static struct pst_policy loaded(const char *class)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_load(at("policy.json"), false, class, &p, &err), PST_OK, "%s: %s",
		     err.file, err.msg);
	return p;
}

static struct pst_err refused(int code)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_load(at("policy.json"), false, NULL, &p, &err), code, "%s", err.msg);
	cr_expect_eq(err.code, code);
	return err;
}

Test(policyload, no_file_is_the_built_in_policy_unless_it_was_asked_for)
{
	struct pst_policy p = loaded(NULL);
	cr_expect_str_eq(p.profile_default, "baseline");
	pst_policy_done(&p);
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_load(at("policy.json"), true, NULL, &p, &err), PST_E_HOST);
	cr_expect_eq(err.sys, ENOENT);
	cr_expect_str_eq(err.file, at("policy.json"));
}

Test(policyload, folder_files_are_merged_in_name_order)
{
	put("policy.json", "{\"limits\":{\"pids\":{\"max\":1}}}");
	cr_assert_eq(mkdir(at("policy.d"), 0755), 0);
	put("policy.d/20.json", "{\"limits\":{\"pids\":{\"max\":20}}}");
	put("policy.d/10.json", "{\"limits\":{\"pids\":{\"max\":10}},\"grants\":{\"userns\":\"pass\"}}");
	put("policy.d/99.json.off", "not json");
	put("policy.d/.hidden.json", "not json");
	struct pst_policy p = loaded(NULL);
	cr_expect_eq(p.pids.max, 20);
	cr_expect_eq(p.grants[PST_G_USERNS], PST_PASS);
	char src[200], want[200];
	snprintf(want, sizeof want, "%s /limits/pids/max", at("policy.d/20.json"));
	cr_expect_str_eq(pst_policy_source(&p, "/limits/pids/max", src, sizeof src), want);
	pst_policy_done(&p);
}

Test(policyload, folder_counts_without_the_file_and_classes_are_chosen)
{
	cr_assert_eq(mkdir(at("policy.d"), 0755), 0);
	put("policy.d/a.json", "{\"classes\":{\"hard\":{\"noNewPrivileges\":\"force\"}}}");
	struct pst_policy p = loaded("hard");
	cr_expect(p.nnp_force);
	pst_policy_done(&p);
}

Test(policyload, what_is_wrong_names_the_very_file)
{
	cr_assert_eq(mkdir(at("policy.d"), 0755), 0);
	put("policy.d/a.json", "{\"grants\":{\"hostNet\":1}}");
	struct pst_err e = refused(PST_E_POLICY);
	cr_expect_str_eq(e.file, at("policy.d/a.json"));
	cr_expect_str_eq(e.pointer, "/grants/hostNet");
	put("policy.d/a.json", "{\"grants\":");
	e = refused(PST_E_POLICY);
	cr_expect_str_eq(e.file, at("policy.d/a.json"));
}

Test(policyload, what_others_could_have_written_is_refused)
{
	put("policy.json", "{}");
	cr_assert_eq(chmod(at("policy.json"), 0664), 0);
	refused(PST_E_POLICY);
	cr_assert_eq(chmod(at("policy.json"), 0644), 0);
	cr_assert_eq(mkdir(at("policy.d"), 0755), 0);
	struct pst_policy p = loaded(NULL);
	pst_policy_done(&p);
	cr_assert_eq(chmod(at("policy.d"), 01777), 0);
	struct pst_err e = refused(PST_E_POLICY);
	cr_expect_str_eq(e.file, at("policy.d"));
	cr_assert_eq(chmod(at("policy.d"), 0755), 0);
	if (geteuid() != 0)
		return;
	cr_assert_eq(chown(at("policy.d"), 12345, 0), 0);
	refused(PST_E_POLICY);
	cr_assert_eq(chown(at("policy.d"), 0, 0), 0);
	cr_assert_eq(chown(at("policy.json"), 12345, 0), 0);
	refused(PST_E_POLICY);
}

Test(policyload, links_and_what_is_no_file_are_refused)
{
	put("real.json", "{}");
	cr_assert_eq(symlink(at("real.json"), at("policy.json")), 0);
	cr_expect_eq(refused(PST_E_HOST).sys, ELOOP);
	cr_assert_eq(unlink(at("policy.json")), 0);
	cr_assert_eq(mkfifo(at("policy.json"), 0644), 0);
	refused(PST_E_POLICY);
	cr_assert_eq(unlink(at("policy.json")), 0);
	cr_assert_eq(mkdir(at("other"), 0755), 0);
	cr_assert_eq(symlink(at("other"), at("policy.d")), 0);
	struct pst_err e = refused(PST_E_HOST);
	cr_expect_str_eq(e.file, at("policy.d"));
}

Test(policyload, an_endless_path_is_refused_not_cut)
{
	char path[700];
	struct pst_policy p;
	struct pst_err err = {0};
	memset(path, '/', sizeof path);
	memcpy(path, dir, strlen(dir));
	snprintf(path + sizeof path - 16, 16, "policy.json");
	cr_assert_eq(pst_policy_load(path, false, NULL, &p, &err), PST_E_POLICY, "%s", err.msg);
}

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ground.h"
#include "host/sharedmount.h"
#include "host/stage.h"

TestSuite(sharedmount, .init = ground_enter, .fini = ground_leave, .timeout = 60);

/* ./share: a shared mount of the test's "host", with a mount below; ./bundle beside it. */
static void scene(void)
{
	cr_assert_eq(ground_sh("mkdir share bundle"), 0);
	cr_assert_eq(mount("t", "share", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount(NULL, "share", NULL, MS_SHARED, NULL), 0);
	cr_assert_eq(ground_sh("mkdir -p share/a share/b/c share/low && mount -t tmpfs l share/low && : >share/low/there"), 0);
}

static struct pst_mount bind_of(char *at, size_t size, const char *name, enum pst_prop propagation)
{
	(void)snprintf(at, size, "%s/%s", ground_dir, name);
	return (struct pst_mount){.source = at, .destination = "/x", .bind = true, .propagation = propagation};
}

/* In a mount namespace of ours: the status of `script` there. */
static int beside(struct pst_mount *m, size_t n, const char *script)
{
	char bundle[512];
	const struct pst_spec spec = {.mounts = m, .nmounts = n};
	(void)snprintf(bundle, sizeof bundle, "%s/bundle", ground_dir);
	const pid_t pid = fork();
	if (pid == 0) {
		struct pst_err err = {0};
		pst_auto_sharedmounts s = {.n = 0};
		if (pst_sharedmounts_take(&spec, bundle, &s, &err) != PST_OK ||
		    pst_stage_private(&err) != PST_OK || pst_sharedmounts_put(&s, &err) != PST_OK) {
			fprintf(stderr, "%s\n", err.msg);
			_exit(120);
		}
		const int status = ground_sh(script);
		pst_sharedmounts_done(&s);
		_exit(status);
	}
	int status = 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(sharedmount, what_is_mounted_below_such_a_source_reaches_the_host_and_back)
{
	char at[512];
	scene();
	struct pst_mount m = bind_of(at, sizeof at, "share", PST_PROP_SHARED);
	cr_assert_eq(beside(&m, 1, "test -e share/low/there && mount -t tmpfs x share/a && : >share/a/mark"), 0);
	cr_assert_eq(ground_sh("test -e share/a/mark && test $(grep -c /share/a /proc/self/mountinfo) = 1"), 0);
	cr_assert_eq(ground_sh("test $(grep -c '/share ' /proc/self/mountinfo) = 1"), 0, "the cover itself did not");
}

Test(sharedmount, other_sources_stay_slaves)
{
	char at[512], low[512];
	scene();
	struct pst_mount m[] = {bind_of(at, sizeof at, "share", PST_PROP_SLAVE),
				bind_of(low, sizeof low, "bundle", PST_PROP_PRIVATE)};
	cr_assert_eq(beside(m, 2, "mount -t tmpfs x share/a && : >share/a/mark"), 0);
	cr_assert_eq(ground_sh("test ! -e share/a/mark"), 0);
}

Test(sharedmount, sources_inside_each_other_are_covered_once)
{
	char at[512], in[512], again[512], gone[512];
	scene();
	struct pst_mount m[] = {bind_of(in, sizeof in, "share/b", PST_PROP_SHARED),
				bind_of(at, sizeof at, "share", PST_PROP_SHARED),
				bind_of(again, sizeof again, "share", PST_PROP_SHARED),
				bind_of(gone, sizeof gone, "no-such", PST_PROP_SHARED)};
	cr_assert_eq(beside(m, 4, "mount -t tmpfs x share/b/c && : >share/b/c/mark"), 0);
	cr_assert_eq(ground_sh("test -e share/b/c/mark && test $(grep -c /share/b /proc/self/mountinfo) = 1"), 0);
}

Test(sharedmount, a_source_that_holds_the_bundle_stays_a_slave)
{
	char at[512];
	scene();
	cr_assert_eq(mount("t", "bundle", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount(NULL, "bundle", NULL, MS_SHARED, NULL), 0);
	struct pst_mount m = bind_of(at, sizeof at, "bundle", PST_PROP_SHARED);
	cr_assert_eq(beside(&m, 1, "mkdir bundle/rootfs && mount -t tmpfs x bundle/rootfs && : >bundle/rootfs/mark"), 0);
	cr_assert_eq(ground_sh("test ! -e bundle/rootfs/mark"), 0);
}

Test(sharedmount, more_than_a_container_has_is_refused)
{
	char at[512];
	struct pst_err err = {0};
	struct pst_mount m[PST_SHAREDMOUNT_MAX + 1];
	scene();
	for (size_t i = 0; i < PST_NELEM(m); i++)
		m[i] = bind_of(at, sizeof at, "share", PST_PROP_SHARED);
	const struct pst_spec spec = {.mounts = m, .nmounts = PST_NELEM(m)};
	pst_auto_sharedmounts s = {.n = 0};
	cr_assert_eq(pst_sharedmounts_take(&spec, "bundle", &s, &err), PST_E_SPEC);
	cr_assert_str_eq(err.pointer, "/mounts");
}

Test(sharedmount, a_source_that_was_replaced_meanwhile_is_not_covered)
{
	char at[512];
	struct pst_err err = {0};
	scene();
	struct pst_mount m = bind_of(at, sizeof at, "share/b", PST_PROP_SHARED);
	const struct pst_spec spec = {.mounts = &m, .nmounts = 1};
	pst_auto_sharedmounts s = {.n = 0};
	cr_assert_eq(pst_sharedmounts_take(&spec, "bundle", &s, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh("mv share/b share/was && mkdir share/b"), 0);
	cr_assert_eq(pst_sharedmounts_put(&s, &err), PST_E_STATE);
}

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "core/ovl.h"
#include "ground.h"
#include "host/overlay.h"
#include "host/overlay_priv.h"
#include "host/stage.h"

TestSuite(overlay, .init = ground_enter, .fini = ground_leave, .timeout = 60);

/* Options with "%" for the ground directory. */
static struct pst_ovl_layout layout(const char *options)
{
	struct pst_ovl_layout l = {0};
	struct pst_err err = {0};
	pst_auto_buf b = {0};
	for (const char *p = options; *p != '\0'; p++) {
		if (*p == '%')
			pst_buf_str(&b, ground_dir);
		else
			pst_buf_char(&b, *p);
	}
	cr_assert_eq(pst_ovl_from_super(pst_buf_cstr(&b), &l, &err), PST_OK, "%s", err.msg);
	return l;
}

static struct pst_overlay_how how_of(enum pst_overlay_form form)
{
	ground_mkdir("scratch");
	return (struct pst_overlay_how){
		.form = form,
		.base = BASE,
		.userns = ground_userns(),
		.source = "postern",
		.scratch = open("scratch", O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
}

static int build(const char *options, enum pst_overlay_form form)
{
	pst_auto_ovl l = layout(options);
	const struct pst_overlay_how how = how_of(form);
	struct pst_err err = {0};
	int mnt = -1;
	cr_assert_eq(pst_overlay_build(&l, &how, &mnt, &err), PST_OK, "%s", err.msg);
	return mnt;
}

static void same_ids_as_before(void)
{
	cr_assert_eq(setfsuid((uid_t)-1), 0);
	cr_assert_eq(setfsgid((gid_t)-1), 0);
	cr_assert_eq(prctl(PR_GET_SECUREBITS), 0);
}

/* Attach at ./m and give the descriptor of its root. */
static int attach(int mnt)
{
	struct pst_err err = {0};
	pst_auto_fd here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(pst_stage_attach(here, "m", mnt, &err), PST_OK, "%s", err.msg);
	return open("m", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void host_stat(const char *path, struct stat *st)
{
	cr_assert_eq(lstat(path, st), 0, "%s", path);
}

static void ids_on_disk(enum pst_overlay_form form)
{
	cr_assert_eq(ground_sh("mkdir -p snap/fs snap/work low; echo old >low/gone; "
			       "echo data >low/data; chown 33:44 low/data; cp /bin/true low/tool; "
			       "chmod 4755 low/tool"),
		     0);
	const int root = attach(build("lowerdir=%/low,upperdir=%/snap/fs,workdir=%/snap/work", form));
	same_ids_as_before();
	const int userns = ground_userns();
	cr_assert_eq(ground_sh_in(userns, root,
				  "test $(stat -c %u:%g .) = 0:0; test $(stat -c %u:%g data) = 33:44;"
				  "test $(stat -c %a tool) = 4755;"
				  "echo new >new; echo x >other; chown 33:44 other; chmod 4755 other;"
				  "rm gone; echo more >>data; mkdir d; : >d/f"),
		     0);

	struct stat st;
	host_stat("snap/fs/new", &st);
	cr_assert(st.st_uid == 0 && st.st_gid == 0);
	host_stat("snap/fs/other", &st);
	cr_assert(st.st_uid == 33 && st.st_gid == 44);
	cr_assert_eq(st.st_mode & 07777, 04755);
	host_stat("snap/fs/gone", &st); /* a whiteout */
	cr_assert(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	cr_assert_eq(st.st_uid, 0);
	host_stat("snap/fs/data", &st); /* copied up, owner kept */
	cr_assert(st.st_uid == 33 && st.st_gid == 44);
	cr_assert_str_eq(ground_read("snap/fs/data"), "data\nmore\n");
	host_stat("m/new", &st);
	cr_assert_eq(st.st_uid, BASE);
}

Test(overlay, disk_ids_stay_unshifted_with_layers_by_descriptor)
{
	ids_on_disk(PST_OVERLAY_FD);
}

Test(overlay, disk_ids_stay_unshifted_with_attached_layers)
{
	ids_on_disk(PST_OVERLAY_ATTACHED);
	cr_assert_eq(rmdir("scratch"), 0); /* nothing hangs there any more */
}

Test(overlay, the_probe_finds_a_form_that_works_and_changes_nothing)
{
	enum pst_overlay_form form = PST_OVERLAY_NONE;
	struct pst_err err = {0};
	const int before = ground_mounts();
	cr_assert_eq(pst_overlay_probe(&form, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_mounts(), before);
	cr_assert_neq(form, PST_OVERLAY_NONE);
	ground_mkdir("low");
	ground_mkdir("s/fs");
	ground_mkdir("s/work");
	cr_assert_geq(build("lowerdir=%/low,upperdir=%/s/fs,workdir=%/s/work", form), 0);
	same_ids_as_before();
}

/* Without the block's fsuid the kernel mounts read-only and reports success. */
static int without_ids(void *arg, struct pst_err *err)
{
	int *mnt = ((void **)arg)[0];
	return pst_overlay_mount_fd(((void **)arg)[1], ((void **)arg)[2], "x", mnt, err);
}

Test(overlay, the_silent_read_only_mount_is_detected)
{
	ground_mkdir("low");
	ground_mkdir("s/fs");
	ground_mkdir("s/work");
	pst_auto_ovl l = layout("lowerdir=%/low,upperdir=%/s/fs,workdir=%/s/work");
	struct pst_overlay_how how = how_of(PST_OVERLAY_FD);
	struct pst_overlay_parts p = PST_OVERLAY_PARTS_EMPTY;
	struct pst_err err = {0};
	int mnt = -1;
	/* the trap is real on this kernel: plain root gets a mount, and it is read-only */
	cr_assert_eq(pst_overlay_parts_open(&l, &how, &p, &err), PST_OK, "%s", err.msg);
	void *arg[] = {&mnt, &p, &l};
	cr_assert_eq(without_ids(arg, &err), PST_OK, "%s", err.msg);
	struct statfs fs;
	cr_assert_eq(fstatfs(mnt, &fs), 0);
	cr_assert(fs.f_flags & 1);
	pst_overlay_parts_done(&p);
	close(mnt);

	/* a base that the map does not know makes the same trap; the build must say so */
	how.base = BASE - 1;
	mnt = -1;
	cr_assert_eq(pst_overlay_build(&l, &how, &mnt, &err), PST_E_HOST);
	cr_assert_eq(err.sys, EROFS, "%s", err.msg);
	cr_assert_eq(mnt, -1);
	same_ids_as_before();
}

static void many(int n, enum pst_overlay_form form)
{
	pst_auto_buf b = {0};
	char name[32], script[128];
	pst_buf_str(&b, "lowerdir=");
	for (int i = 0; i < n; i++) {
		(void)snprintf(name, sizeof name, "l%d", i);
		cr_assert_eq(mkdir(name, 0755), 0);
		(void)snprintf(name, sizeof name, "l%d/f%d", i, i);
		ground_write(name, "x");
		pst_buf_fmt(&b, "%s%%/l%d", i > 0 ? ":" : "", i);
	}
	ground_mkdir("s/fs");
	ground_mkdir("s/work");
	pst_buf_str(&b, ",upperdir=%/s/fs,workdir=%/s/work");
	const int root = attach(build(pst_buf_cstr(&b), form));
	(void)snprintf(script, sizeof script, "test $(ls | wc -l) = %d; echo y >f0; test $(cat f0) = y", n);
	cr_assert_eq(ground_sh_in(ground_userns(), root, script), 0);
}

Test(overlay, a_hundred_and_twenty_eight_layers_by_descriptor)
{
	many(128, PST_OVERLAY_FD);
}

Test(overlay, a_hundred_and_twenty_eight_attached_layers)
{
	many(128, PST_OVERLAY_ATTACHED);
}

static void odd_names(enum pst_overlay_form form)
{
	static const char *const dirs[] = {"a b", "c,d", "e:f", "g\\h", "i'j", "s,:\\ x/fs",
					   "s,:\\ x/work"};
	pst_auto_ovl l = {0};
	struct pst_err err = {0};
	cr_assert_eq(mkdir("s,:\\ x", 0755), 0);
	l.lower = calloc(5, sizeof *l.lower);
	for (size_t i = 0; i < PST_NELEM(dirs); i++) {
		char *full;
		cr_assert_gt(asprintf(&full, "%s/%s", ground_dir, dirs[i]), 0);
		cr_assert_eq(mkdir(full, 0755), 0, "%s", full);
		if (i < 5)
			l.lower[l.n++] = full;
		else
			*(i == 5 ? &l.upper : &l.work) = full;
	}
	ground_write("c,d/in", "x");
	const struct pst_overlay_how how = how_of(form);
	int mnt = -1;
	cr_assert_eq(pst_overlay_build(&l, &how, &mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh_in(how.userns, attach(mnt), "test -f in; : >out"), 0);
	cr_assert_eq(access("s,:\\ x/fs/out", F_OK), 0);
}

Test(overlay, odd_directory_names_by_descriptor)
{
	odd_names(PST_OVERLAY_FD);
}

Test(overlay, odd_directory_names_attached)
{
	odd_names(PST_OVERLAY_ATTACHED);
}

Test(overlay, lowers_only_and_a_single_lower_give_read_only_views)
{
	cr_assert_eq(ground_sh("mkdir a b; : >a/x; : >b/y"), 0);
	const int two = attach(build("lowerdir=%/a:%/b", PST_OVERLAY_FD));
	cr_assert_eq(ground_sh_in(ground_userns(), two,
				  "test -f x; test -f y; test $(stat -c %u x) = 0; ! touch z 2>/dev/null"),
		     0);
	const int one = build("lowerdir=%/a,nosuid,nodev,noexec", PST_OVERLAY_FD);
	struct statfs fs;
	cr_assert_eq(fstatfs(one, &fs), 0);
	cr_assert_eq(fs.f_flags & 15, 15); /* ro, nosuid, nodev, noexec */
}

Test(overlay, a_read_only_mount_stays_read_only)
{
	ground_mkdir("low");
	ground_mkdir("s/fs");
	ground_mkdir("s/work");
	const int root = attach(build("ro,lowerdir=%/low,upperdir=%/s/fs,workdir=%/s/work", PST_OVERLAY_FD));
	cr_assert_eq(ground_sh_in(ground_userns(), root, "! touch z 2>/dev/null"), 0);
}

Test(overlay, upper_and_work_may_have_different_parents)
{
	ground_mkdir("low");
	ground_mkdir("u/x/fs");
	ground_mkdir("w/work");
	const int root = attach(build("lowerdir=%/low,upperdir=%/u/x/fs,workdir=%/w/work", PST_OVERLAY_FD));
	cr_assert_eq(ground_sh_in(ground_userns(), root, ": >new"), 0);
	cr_assert_eq(access("u/x/fs/new", F_OK), 0);
}

Test(overlay, a_layer_that_cannot_be_mapped_is_named)
{
	pst_auto_ovl l = layout("lowerdir=/proc/sys,upperdir=%/s/fs,workdir=%/s/work");
	const struct pst_overlay_how how = how_of(PST_OVERLAY_FD);
	struct pst_err err = {0};
	int mnt = -1;
	ground_mkdir("s/fs");
	ground_mkdir("s/work");
	cr_assert_eq(pst_overlay_build(&l, &how, &mnt, &err), PST_E_HOST);
	cr_assert_eq(err.sys, EINVAL);
	cr_assert(strstr(err.msg, "/proc/sys") != NULL, "%s", err.msg);
	cr_assert(err.cure[0] != '\0');
}

Test(overlay, a_missing_layer_and_an_unsupported_layout_are_errors)
{
	const struct pst_overlay_how how = how_of(PST_OVERLAY_FD);
	struct pst_err err = {0};
	int mnt = -1;
	pst_auto_ovl gone = layout("lowerdir=%/nowhere");
	cr_assert_eq(pst_overlay_build(&gone, &how, &mnt, &err), PST_E_HOST);
	cr_assert_eq(err.sys, ENOENT);
	pst_auto_ovl user = layout("lowerdir=%,userxattr");
	cr_assert_eq(pst_overlay_build(&user, &how, &mnt, &err), PST_E_SPEC);
	pst_auto_ovl rel = layout("lowerdir=a:b");
	cr_assert_eq(pst_overlay_build(&rel, &how, &mnt, &err), PST_E_SPEC);
	cr_assert_eq(mnt, -1);
}

Test(overlay, no_descriptor_is_left_open)
{
	int last = -1;
	for (int i = 0; i < 3; i++) {
		if (i == 0) {
			ground_mkdir("low");
			ground_mkdir("s/fs");
			ground_mkdir("s/work");
		}
		pst_auto_ovl l = layout("lowerdir=%/low,upperdir=%/s/fs,workdir=%/s/work");
		struct pst_overlay_how how = how_of(PST_OVERLAY_FD);
		struct pst_err err = {0};
		int mnt = -1;
		if (i == 1) /* a failing one in between */
			how.base = 1;
		(void)!pst_overlay_build(&l, &how, &mnt, &err);
		close(mnt);
		close(how.userns);
		close(how.scratch);
		const int next = open("/", O_PATH | O_CLOEXEC);
		close(next);
		if (last >= 0)
			cr_assert_eq(next, last);
		last = next;
	}
}

Test(overlay, metacopy_and_redirect_survive)
{
	cr_assert_eq(ground_sh("mkdir -p low/d s/fs s/work; echo hello >low/f; : >low/d/x"), 0);
	const int root = attach(build("lowerdir=%/low,upperdir=%/s/fs,workdir=%/s/work,metacopy=on,"
				      "redirect_dir=on,index=on",
				      PST_OVERLAY_FD));
	cr_assert_eq(ground_sh_in(ground_userns(), root,
				  "chmod 600 f; mv d e; test -f e/x; test $(cat f) = hello"),
		     0);
	/* only the metadata was copied up */
	cr_assert_geq(lgetxattr("s/fs/f", "trusted.overlay.metacopy", NULL, 0), 0);
}

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/stage.h"
#include "host/volume.h"

TestSuite(volume, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static struct pst_volume open_ok(const char *source)
{
	struct pst_volume v = PST_VOLUME_EMPTY;
	struct pst_err err = {0};
	cr_assert_eq(pst_volume_open(AT_FDCWD, source, &v, &err), PST_OK, "%s: %s", source, err.msg);
	return v;
}

static int clone_ok(const struct pst_volume *v, struct pst_idmap_how how, enum pst_idmap_kind want)
{
	enum pst_idmap_kind kind = PST_IDMAP_NONE;
	struct pst_err err = {0};
	int mnt = -1;
	cr_assert_eq(pst_volume_clone(v, &how, &kind, &mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(kind, want, "%s", pst_idmap_kind_name(kind));
	return mnt;
}

static void attach(const char *name, int mnt)
{
	struct pst_err err = {0};
	pst_auto_fd here = open(".", O_PATH | O_CLOEXEC);
	cr_assert_eq(pst_stage_attach(here, name, mnt, &err), PST_OK, "%s", err.msg);
}

Test(volume, sources_of_every_kind_are_told_apart_links_followed)
{
	static const struct {
		const char *path;
		enum pst_volume_kind kind;
	} t[] = {{"dir", PST_VOLUME_DIR},   {"file", PST_VOLUME_FILE}, {"sock", PST_VOLUME_SOCKET},
		 {"null", PST_VOLUME_CHAR}, {"blk", PST_VOLUME_BLOCK}, {"fifo", PST_VOLUME_FIFO},
		 {"link", PST_VOLUME_FILE}};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "sock"};
	pst_auto_fd s = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(s, (struct sockaddr *)&un, sizeof un), 0);
	cr_assert_eq(ground_sh("mkdir dir; : >file; ln -s file link; mkfifo fifo;"
			       "mknod null c 1 3; mknod blk b 7 0"),
		     0);
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		pst_auto_volume v = open_ok(t[i].path);
		cr_assert_eq(v.kind, t[i].kind, "%s: %s", t[i].path, pst_volume_kind_name(v.kind));
		cr_assert_not(v.readonly);
	}
	pst_auto_volume v = open_ok("link");
	cr_assert(strcmp(v.path + strlen(ground_dir), "/file") == 0, "%s", v.path);
}

Test(volume, a_missing_source_is_the_caller_s_error)
{
	static const struct {
		const char *path;
		int sys;
	} bad[] = {{"nowhere", ENOENT}, {"file/x", ENOTDIR}, {"loop", ELOOP}};
	cr_assert_eq(ground_sh(": >file; ln -s loop loop"), 0);
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_volume v = PST_VOLUME_EMPTY;
		struct pst_err err = {0};
		cr_assert_eq(pst_volume_open(AT_FDCWD, bad[i].path, &v, &err), PST_E_SPEC);
		cr_assert(err.sys == bad[i].sys && v.fd == -1);
	}
}

Test(volume, what_the_container_writes_has_its_own_ids_on_disk)
{
	cr_assert_eq(ground_sh("mkdir -m 755 v; : >v/old; chown 5:6 v/old"), 0);
	pst_auto_volume v = open_ok("v");
	const int userns = ground_userns();
	pst_auto_fd mnt = clone_ok(&v, (struct pst_idmap_how){.userns = userns, .recursive = true},
				   PST_IDMAP_RECURSIVE);
	attach("m", mnt);
	cr_assert_eq(ground_sh_in(userns, mnt,
				  "test $(stat -c %u:%g old) = 5:6; : >new; chown 7:8 new"),
		     0);
	struct stat st;
	cr_assert_eq(stat("v/new", &st), 0);
	cr_assert(st.st_uid == 7 && st.st_gid == 8);
}

Test(volume, the_map_goes_as_far_as_the_file_systems_let_it)
{
	cr_assert_eq(ground_sh("mkdir -p v/t v/p; mount -t tmpfs t v/t"), 0);
	const int userns = ground_userns();
	const struct pst_idmap_how rec = {.userns = userns, .recursive = true};
	pst_auto_volume v = open_ok("v"), proc = open_ok("/proc/sys");
	cr_assert_eq(pst_idmap_probe(v.fd, userns, true), PST_IDMAP_RECURSIVE);
	cr_assert_eq(pst_idmap_probe(v.fd, userns, false), PST_IDMAP_FLAT);
	close(clone_ok(&v, rec, PST_IDMAP_RECURSIVE));

	cr_assert_eq(mount("proc", "v/p", "proc", 0, NULL), 0);
	cr_assert_eq(pst_idmap_probe(v.fd, userns, true), PST_IDMAP_FLAT);
	close(clone_ok(&v, rec, PST_IDMAP_FLAT));

	const int before = ground_mounts();
	cr_assert_eq(pst_idmap_probe(proc.fd, userns, true), PST_IDMAP_NONE);
	cr_assert_eq(ground_mounts(), before);
	close(clone_ok(&proc, rec, PST_IDMAP_NONE));
}

Test(volume, a_mapped_source_is_not_mapped_twice)
{
	struct pst_err err = {0};
	cr_assert_eq(ground_sh("mkdir v"), 0);
	pst_auto_volume v = open_ok("v");
	const struct pst_idmap_how how = {.userns = ground_userns()};
	pst_auto_fd mnt = clone_ok(&v, how, PST_IDMAP_FLAT);
	attach("m", mnt);
	pst_auto_volume again = open_ok("m");
	int twice = -1;
	cr_assert_eq(pst_idmap_clone(again.fd, &how, &twice, &err), PST_E_HOST);
	cr_assert(err.sys == EPERM && twice == -1);
}

Test(volume, a_socket_s_clone_is_plain_when_asked_so)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "sock"};
	pst_auto_fd s = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(s, (struct sockaddr *)&un, sizeof un), 0);
	pst_auto_volume v = open_ok("sock");
	pst_auto_fd mnt = clone_ok(&v, (struct pst_idmap_how){.userns = -1}, PST_IDMAP_NONE);
	attach("m", mnt);
	struct stat st;
	cr_assert_eq(stat("m", &st), 0);
	cr_assert(S_ISSOCK(st.st_mode) && st.st_uid == 0);
}

Test(volume, read_only_is_kept_and_set)
{
	cr_assert_eq(ground_sh("mkdir v w; mount --bind w w; mount -o remount,bind,ro w"), 0);
	pst_auto_volume v = open_ok("v"), w = open_ok("w");
	cr_assert(!v.readonly && w.readonly);
	pst_auto_fd mnt =
		clone_ok(&v, (struct pst_idmap_how){.userns = ground_userns(), .readonly = true},
			 PST_IDMAP_FLAT);
	cr_assert_eq(openat(mnt, "x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), -1);
	cr_assert_eq(errno, EROFS);
}

Test(volume, a_slave_clone_gets_later_mounts_a_private_one_does_not)
{
	cr_assert_eq(ground_sh("mkdir v"), 0);
	cr_assert_eq(mount("t", "v", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount(NULL, "v", NULL, MS_SHARED, NULL), 0);
	cr_assert_eq(ground_sh("mkdir v/sub"), 0);
	const int userns = ground_userns();
	pst_auto_volume v = open_ok("v");
	pst_auto_fd slave = clone_ok(
		&v, (struct pst_idmap_how){.userns = userns, .recursive = true, .slave = true},
		PST_IDMAP_RECURSIVE);
	pst_auto_fd private = clone_ok(&v, (struct pst_idmap_how){.userns = userns, .recursive = true},
				       PST_IDMAP_RECURSIVE);
	attach("s", slave);
	attach("p", private);
	cr_assert_eq(ground_sh("mount -t tmpfs late v/sub; : >v/sub/x"), 0);
	cr_assert_eq(access("s/sub/x", F_OK), 0);
	cr_assert_eq(access("p/sub/x", F_OK), -1);
	/* and nothing travels back */
	cr_assert_eq(ground_sh("mkdir v/b; mount -t tmpfs up s/b; : >s/b/y; test ! -e v/b/y"), 0);
}

Test(volume, a_replaced_source_is_noticed)
{
	struct pst_err err = {0};
	cr_assert_eq(ground_sh("mkdir a b"), 0);
	pst_auto_volume v = open_ok("a"), again = PST_VOLUME_EMPTY, third = PST_VOLUME_EMPTY;
	cr_assert_eq(pst_volume_reopen(&v, &again, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh("mv a old; mv b a"), 0);
	cr_assert_eq(pst_volume_reopen(&v, &third, &err), PST_E_STATE);
	cr_assert_eq(ground_sh("mv a b; ln -s old a"), 0);
	cr_assert_neq(pst_volume_reopen(&v, &third, &err), PST_OK);
	cr_assert_eq(third.fd, -1);
}

Test(volume, whether_others_may_reach_it_is_told)
{
	cr_assert_eq(ground_sh("mkdir -p a/b c; chmod 700 a"), 0);
	pst_auto_volume closed = open_ok("a/b"), open_ = open_ok("c");
	cr_assert_not(closed.searchable);
	cr_assert(open_.searchable);
}

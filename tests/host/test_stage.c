#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/idmap.h"
#include "host/overlay.h"
#include "host/rootfs.h"
#include "host/stage.h"

TestSuite(stage, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static const char *path_of(const char *name)
{
	static char full[512];
	(void)snprintf(full, sizeof full, "%s/%s", ground_dir, name);
	return full;
}

static int stage_make(void)
{
	struct pst_err err = {0};
	int dfd = -1;
	cr_assert_eq(pst_stage_make(path_of("run"), "c1", BASE, &dfd, &err), PST_OK, "%s", err.msg);
	return dfd;
}

Test(stage, belongs_to_the_block_below_a_parent_of_root)
{
	struct stat st;
	umask(077);
	close(stage_make());
	cr_assert_eq(stat("run", &st), 0);
	cr_assert(st.st_uid == 0 && (st.st_mode & 07777) == 0711);
	cr_assert_eq(stat("run/c1", &st), 0);
	cr_assert(st.st_uid == BASE && st.st_gid == BASE && (st.st_mode & 07777) == 0700);
	struct pst_err err = {0};
	int dfd = -1;
	cr_assert_eq(pst_stage_make(path_of("run"), "c1", BASE, &dfd, &err), PST_E_STATE);
	cr_assert_eq(dfd, -1);
}

Test(stage, refuses_a_parent_that_others_can_write_or_that_is_a_link)
{
	struct pst_err err = {0};
	int dfd = -1;
	cr_assert_eq(ground_sh("mkdir -m 1777 open; mkdir real; ln -s real link"), 0);
	cr_assert_eq(pst_stage_make(path_of("open"), "c", BASE, &dfd, &err), PST_E_POLICY);
	cr_assert(err.cure[0] != '\0');
	cr_assert_eq(pst_stage_make(path_of("link"), "c", BASE, &dfd, &err), PST_E_HOST);
	cr_assert_eq(pst_stage_make(path_of("real"), "../c", BASE, &dfd, &err), PST_E_BUG);
	cr_assert_eq(ground_sh("rmdir open real"), 0); /* nothing was made in them */
}

static int clone_of(const char *path)
{
	const struct pst_idmap_how how = {.userns = ground_userns()};
	struct pst_err err = {0};
	int mnt = -1;
	pst_auto_fd fd = open(path, O_PATH | O_CLOEXEC);
	cr_assert_eq(pst_idmap_clone(fd, &how, &mnt, &err), PST_OK, "%s", err.msg);
	return mnt;
}

Test(stage, attaches_directories_and_files_and_removal_spares_what_was_mounted)
{
	struct pst_err err = {0};
	cr_assert_eq(ground_sh("mkdir src; echo data >src/f; echo single >file"), 0);
	const int before = ground_mounts();
	pst_auto_fd dfd = stage_make();
	pst_auto_fd d = clone_of("src"), f = clone_of("file");
	cr_assert_eq(pst_stage_attach(dfd, "v0", d, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_stage_attach(dfd, "v1", f, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_stage_slot(dfd, "root", true, &err), PST_OK);
	cr_assert_str_eq(ground_read("run/c1/v0/f"), "data\n");
	cr_assert_str_eq(ground_read("run/c1/v1"), "single\n");
	cr_assert_eq(ground_mounts(), before + 2);

	/* stacked: both go */
	pst_auto_fd again = clone_of("src");
	cr_assert_eq(pst_stage_attach(dfd, "v0", again, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_stage_remove(path_of("run"), "c1", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(access("run/c1", F_OK), -1);
	cr_assert_eq(ground_mounts(), before);
	cr_assert_str_eq(ground_read("src/f"), "data\n");
	cr_assert_str_eq(ground_read("file"), "single\n");
	cr_assert_eq(pst_stage_remove(path_of("run"), "c1", &err), PST_OK); /* again: no-op */
	cr_assert_eq(pst_stage_remove(path_of("nowhere"), "c1", &err), PST_OK);
}

Test(stage, slots_are_kept_when_of_the_right_type)
{
	struct pst_err err = {0};
	pst_auto_fd dfd = stage_make();
	cr_assert_eq(pst_stage_slot(dfd, "d", true, &err), PST_OK);
	cr_assert_eq(pst_stage_slot(dfd, "d", true, &err), PST_OK);
	cr_assert_eq(pst_stage_slot(dfd, "d", false, &err), PST_E_STATE);
	cr_assert_eq(pst_stage_detach(dfd, "d", &err), PST_OK); /* no mount there */
	cr_assert_eq(pst_stage_detach(dfd, "e", &err), PST_OK);
}

Test(stage, private_mounts_do_not_reach_the_host_but_the_host_s_arrive)
{
	struct pst_err err = {0};
	cr_assert_eq(ground_sh("mkdir share"), 0);
	cr_assert_eq(mount("t", "share", "tmpfs", 0, NULL), 0);
	cr_assert_eq(mount(NULL, "share", NULL, MS_SHARED, NULL), 0);
	cr_assert_eq(ground_sh("mkdir share/a share/b"), 0);
	int go[2];
	cr_assert_eq(pipe(go), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		char c;
		if (pst_stage_private(&err) != PST_OK || mount("x", "share/a", "tmpfs", 0, NULL) != 0)
			_exit(1);
		if (write(go[1], "x", 1) != 1 || read(go[0], &c, 0) < 0)
			_exit(2);
		for (int i = 0; i < 200 && access("share/b/mark", F_OK) != 0; i++)
			usleep(10000);
		_exit(access("share/b/mark", F_OK) == 0 ? 0 : 3);
	}
	char c;
	cr_assert_eq(read(go[0], &c, 1), 1);
	cr_assert_eq(ground_sh("test $(grep -c share/a /proc/self/mountinfo) = 0;"
			       "mount -t tmpfs y share/b; : >share/b/mark"),
		     0);
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "status %x", status);
}

/* An engine's overlay at ./merged, and a rebuilt one over it. */
struct scene {
	int userns;
	struct pst_rootfs root;
	struct pst_cover mark;
	int mnt, clone;
};

static void cover(struct scene *s, const char *extra)
{
	char cmd[512];
	struct pst_err err = {0};
	(void)snprintf(cmd, sizeof cmd,
		       "mkdir -p low up work merged; echo one >low/one; echo two >low/two; echo three >low/three;"
		       "mount -t overlay engine -o "
		       "lowerdir=$PWD/low,upperdir=$PWD/up,workdir=$PWD/work%s merged;"
		       "echo early >merged/early",
		       extra);
	cr_assert_eq(ground_sh(cmd), 0);
	*s = (struct scene){.userns = ground_userns(), .root = PST_ROOTFS_EMPTY, .mnt = -1, .clone = -1};
	cr_assert_eq(pst_rootfs_open(ground_dir, "merged", &s->root, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(s->root.kind, PST_ROOTFS_OVERLAY, "%s", s->root.layout.unsupported);
	const struct pst_overlay_how how = {.form = PST_OVERLAY_FD,
					    .base = BASE,
					    .userns = s->userns,
					    .source = "postern-t1",
					    .scratch = -1,
					    .live = true};
	cr_assert_eq(pst_overlay_build(&s->root.layout, &how, &s->mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_stage_cover(s->root.path, s->root.fd, s->mnt, &s->mark, &s->clone, &err),
		     PST_OK, "%s", err.msg);
}

static void covered_and_back(const char *extra)
{
	struct scene s;
	bool removed = false;
	struct pst_err err = {0};
	cover(&s, extra);
	cr_assert_str_eq(s.mark.source, "postern-t1");
	pst_auto_fd dfd = stage_make();
	cr_assert_eq(pst_stage_attach(dfd, "root", s.clone, &err), PST_OK, "%s", err.msg);
	pst_auto_fd root = open("run/c1/root", O_PATH | O_CLOEXEC);
	cr_assert_eq(ground_sh_in(s.userns, root,
				  "test -f early; echo new >new; chown 7:8 new; rm one"),
		     0);
	/* one truth on both paths; shifted ids show that it is ours that is on top */
	struct stat st;
	cr_assert_eq(stat("merged/new", &st), 0);
	cr_assert(st.st_uid == BASE + 7 && st.st_gid == BASE + 8);

	cr_assert_eq(pst_stage_remove(path_of("run"), "c1", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_stage_uncover(s.root.path, &s.mark, &removed, &err), PST_OK, "%s", err.msg);
	cr_assert(removed);
	cr_assert_eq(access(PST_OVERLAY_WORK, F_OK), 0);
	cr_assert_eq(pst_overlay_forget(&s.root.layout, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(access(PST_OVERLAY_WORK, F_OK), -1);
	cr_assert_eq(pst_overlay_forget(&s.root.layout, &err), PST_OK); /* again: no-op */
	pst_rootfs_done(&s.root); /* its descriptor keeps the engine's mount busy */
	/* the engine's own mount again, with what was written, and fully writable */
	cr_assert_eq(stat("merged/new", &st), 0);
	cr_assert(st.st_uid == 7 && st.st_gid == 8);
	pst_fd_close(PST_TAKE_FD(s.root.fd)); /* it would keep the mount busy */
	pst_fd_close(PST_TAKE_FD(s.clone));
	pst_fd_close(PST_TAKE_FD(s.mnt));
	cr_assert_eq(ground_sh("test ! -e merged/one; echo late >merged/late; echo x >>merged/early;"
			       "test -f up/late; rm merged/two; test -c up/two; chmod 600 merged/three; mkdir merged/two;"
			       "umount merged; test -z \"$(ls merged)\""),
		     0);
	cr_assert_eq(pst_stage_uncover(path_of("merged"), &s.mark, &removed, &err), PST_OK);
	cr_assert_not(removed);
}

Test(stage, covers_an_engine_s_overlay_and_gives_it_back)
{
	covered_and_back("");
}

Test(stage, covers_a_volatile_overlay)
{
	covered_and_back(",volatile");
}

Test(stage, covers_an_overlay_made_with_index_on)
{
	covered_and_back(",index=on");
}

Test(stage, uncover_leaves_a_mount_alone_that_is_not_ours)
{
	struct scene s;
	struct pst_err err = {0};
	bool removed = true;
	cover(&s, "");
	cr_assert_eq(mount("foreign", "merged", "tmpfs", 0, NULL), 0);
	cr_assert_eq(pst_stage_uncover(s.root.path, &s.mark, &removed, &err), PST_OK);
	cr_assert_not(removed);
	cr_assert_eq(ground_sh("umount merged; test -f merged/one"), 0);
	struct pst_cover wrong = s.mark;
	wrong.source[0] = 'x';
	cr_assert_eq(pst_stage_uncover(s.root.path, &wrong, &removed, &err), PST_OK);
	cr_assert_not(removed);
	cr_assert_eq(pst_stage_uncover(s.root.path, &s.mark, &removed, &err), PST_OK);
	cr_assert(removed);
	pst_rootfs_done(&s.root);
	cr_assert_eq(ground_sh("umount merged; test -z \"$(ls merged)\""), 0);
}

Test(stage, cover_refuses_when_the_path_leads_elsewhere_now)
{
	struct scene s;
	struct pst_err err = {0};
	cover(&s, "");
	int mnt = clone_of("low"), clone = -1;
	struct pst_cover mark = {.major = 77};
	const int before = ground_mounts();
	/* root.fd is the engine's mount, covered by now */
	cr_assert_eq(pst_stage_cover(s.root.path, s.root.fd, mnt, &mark, &clone, &err), PST_E_STATE);
	cr_assert_eq(ground_mounts(), before);
	cr_assert(clone == -1 && mark.major == 77);
	pst_rootfs_done(&s.root);
}

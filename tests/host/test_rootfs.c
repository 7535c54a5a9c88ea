#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/overlay.h"
#include "host/rootfs.h"
#include "host/stage.h"

TestSuite(rootfs, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static struct pst_rootfs open_ok(const char *bundle, const char *path)
{
	struct pst_rootfs r = PST_ROOTFS_EMPTY;
	struct pst_err err = {0};
	cr_assert_eq(pst_rootfs_open(bundle, path, &r, &err), PST_OK, "%s: %s", path, err.msg);
	return r;
}

static const char *in_ground(const char *name)
{
	static char full[512];
	(void)snprintf(full, sizeof full, "%s/%s", ground_dir, name);
	return full;
}

Test(rootfs, a_plain_directory_is_mapped_and_disk_ids_stay)
{
	struct pst_err err = {0};
	cr_assert_eq(ground_sh("mkdir -p b/rootfs; : >b/rootfs/f; chown 5:6 b/rootfs/f"), 0);
	pst_auto_rootfs r = open_ok("b", "rootfs");
	cr_assert_eq(r.kind, PST_ROOTFS_PLAIN);
	cr_assert_str_eq(r.path, in_ground("b/rootfs"));
	const int userns = ground_userns();
	pst_auto_fd mnt = -1, here = open(".", O_PATH | O_CLOEXEC);
	enum pst_idmap_kind kind = PST_IDMAP_NONE;
	cr_assert_eq(pst_rootfs_clone(r.fd, userns, &kind, &mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(kind, PST_IDMAP_RECURSIVE);
	cr_assert_eq(pst_stage_attach(here, "m", mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh_in(userns, mnt,
				  "test $(stat -c %u:%g f) = 5:6; : >new; chown 7:8 new; chmod 4755 new"),
		     0);
	struct stat st;
	cr_assert_eq(stat("b/rootfs/new", &st), 0);
	cr_assert(st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 04755);
}

Test(rootfs, what_cannot_be_mapped_below_leaves_a_flat_clone_or_an_error)
{
	struct pst_err err = {0};
	enum pst_idmap_kind kind = PST_IDMAP_NONE;
	int mnt = -1;
	cr_assert_eq(ground_sh("mkdir -p r/proc; mount -t proc proc r/proc"), 0);
	pst_auto_rootfs r = open_ok(".", "r");
	cr_assert(r.submounts);
	const int userns = ground_userns();
	cr_assert_eq(pst_rootfs_clone(r.fd, userns, &kind, &mnt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(kind, PST_IDMAP_FLAT);
	close(mnt);
	mnt = -1;
	pst_auto_rootfs p = open_ok(".", "/proc/sys");
	cr_assert_eq(pst_rootfs_clone(p.fd, userns, &kind, &mnt, &err), PST_E_HOST);
	cr_assert(err.sys == EINVAL && err.cure[0] != '\0' && mnt == -1);
}

Test(rootfs, links_out_files_and_nothing_are_refused_with_pointer_and_cure)
{
	static const struct {
		const char *path;
		int sys;
	} bad[] = {{"link", ELOOP},	  {"sub/link/x", ELOOP}, {"file", ENOTDIR},
		   {"nowhere", ENOENT},  {"file/x", ENOTDIR},   {"../nowhere", ENOENT}};
	cr_assert_eq(ground_sh("mkdir -p sub/dir/x; ln -s / link; ln -s dir sub/link; : >file"), 0);
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_rootfs r = PST_ROOTFS_EMPTY;
		struct pst_err err = {0};
		cr_assert_eq(pst_rootfs_open(ground_dir, bad[i].path, &r, &err), PST_E_SPEC, "%s",
			     bad[i].path);
		cr_assert_eq(err.sys, bad[i].sys, "%s: %d", bad[i].path, err.sys);
		cr_assert_str_eq(err.pointer, "/root/path");
		cr_assert(err.cure[0] != '\0' && r.fd == -1 && r.path == NULL);
	}
	/* the bundle itself may be reached through a link, and ".." is text */
	cr_assert_eq(ground_sh("ln -s sub bundle"), 0);
	pst_auto_rootfs r = open_ok("bundle", "link/../dir");
	cr_assert_str_eq(r.path, in_ground("sub/dir"));
}

Test(rootfs, an_overlay_is_recognised_with_its_layers_flags_and_odd_names)
{
	cr_assert_eq(ground_sh("mkdir -p 'l,o:w er' 'b\\s' 'u,p' wk m;"
			       "mount -t overlay eng -o nosuid,nodev,"
			       "lowerdir=\"$PWD/l\\,o\\:w er:$PWD/b\\\\\\\\s\","
			       "upperdir=\"$PWD/u\\,p\",workdir=$PWD/wk m"),
		     0);
	pst_auto_rootfs r = open_ok(".", "m");
	cr_assert_eq(r.kind, PST_ROOTFS_OVERLAY);
	cr_assert_eq(r.layout.n, 2);
	cr_assert_str_eq(r.layout.lower[0], in_ground("l,o:w er"));
	cr_assert_str_eq(r.layout.lower[1], in_ground("b\\s"));
	cr_assert_str_eq(r.layout.upper, in_ground("u,p"));
	cr_assert(r.layout.nosuid && r.layout.nodev && !r.layout.noexec && !r.layout.readonly);
}

Test(rootfs, a_directory_inside_an_overlay_cannot_be_rebuilt)
{
	cr_assert_eq(ground_sh("mkdir -p l/in u w m b; mount -t overlay e -o "
			       "lowerdir=$PWD/l,upperdir=$PWD/u,workdir=$PWD/w m; mount --bind m/in b"),
		     0);
	pst_auto_rootfs inside = open_ok(".", "m/in");
	cr_assert_eq(inside.kind, PST_ROOTFS_OTHER);
	cr_assert_not_null(inside.layout.unsupported);
	pst_auto_rootfs bound = open_ok(".", "b");
	cr_assert_eq(bound.kind, PST_ROOTFS_OTHER);
}

Test(rootfs, of_two_overlays_on_one_path_the_topmost_counts)
{
	cr_assert_eq(ground_sh("mkdir a b c d m; mount -t overlay e1 -o lowerdir=$PWD/a:$PWD/b m;"
			       "mount -t overlay e2 -o lowerdir=$PWD/c:$PWD/d m"),
		     0);
	pst_auto_rootfs r = open_ok(".", "m");
	cr_assert_eq(r.kind, PST_ROOTFS_OVERLAY);
	cr_assert_str_eq(r.layout.lower[0], in_ground("c"));
	cr_assert_null(r.layout.upper);
}

/* As containerd shortens its options: chdir to the common directory first. */
Test(rootfs, relative_layers_are_found_from_the_upper_directory)
{
	cr_assert_eq(ground_sh("mkdir -p snaps/1/fs snaps/2/fs snaps/3/fs snaps/3/work m;"
			       ": >snaps/1/fs/low; : >snaps/2/fs/mid; G=$PWD; cd snaps;"
			       "mount -t overlay e -o "
			       "lowerdir=2/fs:1/fs,upperdir=$G/snaps/3/fs,workdir=$G/snaps/3/work $G/m"),
		     0);
	pst_auto_rootfs r = open_ok(".", "m");
	cr_assert_eq(r.kind, PST_ROOTFS_OVERLAY, "%s", r.layout.unsupported);
	cr_assert_str_eq(r.layout.lower[0], in_ground("snaps/2/fs"));
	cr_assert_str_eq(r.layout.lower[1], in_ground("snaps/1/fs"));
}

/* As Docker does: upper and work relative too, the mount point below the same
 * directory, layers by short links. */
Test(rootfs, relative_layers_are_found_from_the_mount_point)
{
	cr_assert_eq(ground_sh("mkdir -p o/l o/i1/diff o/c/diff o/c/work o/c/merged; : >o/i1/diff/x;"
			       "ln -s ../i1/diff o/l/ABC; cd o; mount -t overlay overlay -o "
			       "lowerdir=l/ABC,upperdir=c/diff,workdir=c/work c/merged"),
		     0);
	pst_auto_rootfs r = open_ok(".", "o/c/merged");
	cr_assert_eq(r.kind, PST_ROOTFS_OVERLAY, "%s", r.layout.unsupported);
	cr_assert_str_eq(r.layout.upper, in_ground("o/c/diff"));
	cr_assert_str_eq(r.layout.lower[0], in_ground("o/l/ABC"));
	const struct pst_overlay_how how = {.form = PST_OVERLAY_FD,
					    .base = BASE,
					    .userns = ground_userns(),
					    .source = "postern-x",
					    .scratch = -1,
					    .live = true};
	struct pst_err err = {0};
	pst_auto_fd mnt = -1;
	cr_assert_eq(pst_overlay_build(&r.layout, &how, &mnt, &err), PST_OK, "%s", err.msg);
}

Test(rootfs, a_relative_layer_that_only_looks_right_is_not_believed)
{
	/* the mounter's directory is gone from sight; a namesake lies beside upper */
	cr_assert_eq(ground_sh("mkdir -p far/2/fs near/2/fs near/3/fs near/3/work m;"
			       ": >far/2/fs/f; : >near/2/fs/f; G=$PWD; cd far; mount -t overlay e -o "
			       "lowerdir=2/fs,upperdir=$G/near/3/fs,workdir=$G/near/3/work $G/m"),
		     0);
	pst_auto_rootfs r = open_ok(".", "m");
	cr_assert_eq(r.kind, PST_ROOTFS_OTHER);
	cr_assert(strstr(r.layout.unsupported, "relative") != NULL, "%s", r.layout.unsupported);
}

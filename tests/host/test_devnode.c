#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/devnode.h"

TestSuite(devnode, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static int make(const struct pst_devnode *v, size_t n, struct pst_err *err)
{
	pst_auto_fd stage = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return pst_devnode_make(stage, "dev", BASE, v, n, err);
}

Test(devnode, nodes_have_the_owner_and_mode_asked_for_and_open)
{
	const struct pst_devnode v[] = {
		{.name = "fuse", .type = 'c', .major = 10, .minor = 229, .mode = 0640, .uid = BASE,
		 .gid = BASE + 44},
		{.name = "nul", .type = 'u', .major = 1, .minor = 3, .mode = 020666, .uid = BASE + 1,
		 .gid = BASE},
		{.name = "loop", .type = 'b', .major = 7, .minor = 9, .mode = 0600, .uid = BASE, .gid = BASE},
		{.name = "pipe", .type = 'p', .mode = 0622, .uid = BASE, .gid = BASE},
	};
	struct pst_err err = {0};
	struct stat st;
	umask(077);
	cr_assert_eq(make(v, PST_NELEM(v), &err), PST_OK, "%s", err.msg);
	cr_assert_eq(stat("dev", &st), 0);
	cr_assert(st.st_uid == BASE && (st.st_mode & 07777) == 0755);
	cr_assert_eq(stat("dev/fuse", &st), 0);
	cr_assert(S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229));
	cr_assert(st.st_uid == BASE && st.st_gid == BASE + 44 && (st.st_mode & 07777) == 0640);
	cr_assert_eq(stat("dev/loop", &st), 0);
	cr_assert(S_ISBLK(st.st_mode) && st.st_rdev == makedev(7, 9));
	cr_assert_eq(stat("dev/pipe", &st), 0);
	cr_assert(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0622);
	/* a user of the block writes to the node through the mount */
	pst_auto_fd dir = open("dev", O_PATH | O_CLOEXEC), userns = ground_userns();
	cr_assert_eq(ground_sh_in(userns, dir, "echo x >nul; test $(stat -c %u nul) = 1; ! mknod n c 1 3 2>/dev/null"),
		     0);
}

Test(devnode, an_unknown_type_or_a_path_as_name_mounts_nothing)
{
	static const struct pst_devnode bad[] = {{.name = "x", .type = 'z'},
						 {.name = "../x", .type = 'c'},
						 {.name = "..", .type = 'c'},
						 {.name = "", .type = 'c'}};
	const int before = ground_mounts();
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err err = {0};
		cr_assert_eq(make(&bad[i], 1, &err), PST_E_SPEC);
	}
	cr_assert_eq(ground_mounts(), before);
}

Test(devnode, as_many_as_promised_fit)
{
	static struct pst_devnode v[PST_DEVNODE_MAX];
	static char name[PST_DEVNODE_MAX][12];
	struct pst_err err = {0};
	for (size_t i = 0; i < PST_NELEM(v); i++) {
		(void)snprintf(name[i], sizeof name[i], "d%zu", i);
		v[i] = (struct pst_devnode){.name = name[i], .type = 'c', .major = 1, .minor = 3, .mode = 0666};
	}
	cr_assert_eq(make(v, PST_NELEM(v), &err), PST_OK, "%s", err.msg);
}

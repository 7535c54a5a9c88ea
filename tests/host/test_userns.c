#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/aside.h"
#include "host/userns.h"

TestSuite(userns, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static int map_is(int userns, const char *file, const char *want)
{
	char script[256];
	(void)snprintf(script, sizeof script, "test \"$(cat /proc/self/%s | tr -s ' ')\" = '%s'", file,
		       want);
	pst_auto_fd dir = open("/", O_PATH | O_CLOEXEC);
	return ground_sh_in(userns, dir, script);
}

Test(userns, the_map_is_the_block_and_no_process_stays)
{
	pst_auto_fd fd = ground_userns();
	cr_assert_eq(map_is(fd, "uid_map", " 0 1879113728 65536"), 0);
	cr_assert_eq(map_is(fd, "gid_map", " 0 1879113728 65536"), 0);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}

Test(userns, single_ids_above_the_block_are_mapped_too)
{
	const struct pst_idextra extra[] = {{1000650000, BASE + 65536, 1}};
	struct pst_err err = {0};
	uint32_t id = 7;
	pst_auto_fd fd = -1;
	cr_assert_eq(pst_userns_open(BASE, 65536, extra, 1, &fd, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(map_is(fd, "uid_map", " 0 1879113728 65536\n1000650000 1879179264 1"), 0);
	cr_assert(pst_userns_host_id(BASE, 65536, extra, 1, 1000650000, &id));
	cr_assert_eq(id, BASE + 65536);
	cr_assert(pst_userns_host_id(BASE, 65536, extra, 1, 33, &id));
	cr_assert_eq(id, BASE + 33);
	cr_assert_not(pst_userns_host_id(BASE, 65536, extra, 1, 65536, &id));
}

Test(userns, an_impossible_map_is_an_error_and_leaves_nothing)
{
	const struct pst_idextra overlap[] = {{10, BASE + 65536, 1}};
	struct pst_err err = {0};
	int fd = -1;
	cr_assert_eq(pst_userns_open(BASE, 65536, overlap, 1, &fd, &err), PST_E_HOST);
	cr_assert_eq(err.sys, EINVAL);
	cr_assert_eq(pst_userns_open(BASE, 0, NULL, 0, &fd, &err), PST_E_BUG);
	cr_assert_eq(fd, -1);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static int answer(void *arg, void *io, struct pst_err *err)
{
	if (arg == NULL)
		return pst_fail(err, PST_E_POLICY, "/x", "not so");
	memcpy(io, arg, 4);
	return PST_OK;
}

static int die(void *arg, void *io, struct pst_err *err)
{
	(void)arg;
	(void)io;
	(void)err;
	_exit(3);
}

Test(userns, a_child_s_answer_error_and_death_come_back)
{
	char io[4] = "abc";
	struct pst_err err = {0};
	char four[] = "xyz";
	cr_assert_eq(pst_aside_run(answer, four, io, 4, &err), PST_OK);
	cr_assert_str_eq(io, "xyz");
	cr_assert_eq(err.code, 0);
	cr_assert_eq(pst_aside_run(answer, NULL, io, 4, &err), PST_E_POLICY);
	cr_assert_str_eq(err.msg, "not so");
	cr_assert_str_eq(err.pointer, "/x");
	cr_assert_eq(pst_aside_run(die, NULL, NULL, 0, &err), PST_E_HOST);
	cr_assert_eq(pst_aside_run(answer, four, io, PST_ASIDE_IO_MAX + 1, &err), PST_E_BUG);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
}

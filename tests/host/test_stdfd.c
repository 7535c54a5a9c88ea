#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/stdfd.h"

TestSuite(stdfd, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static uid_t owner(int fd)
{
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	return st.st_uid;
}

Test(stdfd, pipes_fifos_sockets_and_pty_slaves_are_given_and_taken_back)
{
	int p[2], s[2];
	struct pst_err err = {0};
	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	cr_assert_eq(mkfifo("f", 0600), 0);
	const int fifo = open("f", O_RDWR | O_CLOEXEC);
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	const int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(slave, 0);
	/* the pipe twice, as stdout and stderr often are */
	const int fd[] = {p[1], p[1], s[0], fifo, slave};
	struct pst_stdfd_old old[5];
	const uid_t before = owner(slave);
	cr_assert_eq(pst_stdfd_give(fd, 5, BASE, BASE, old, &err), PST_OK, "%s", err.msg);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(owner(fd[i]), BASE, "%d", i);
	cr_assert(old[0].given && !old[1].given);
	cr_assert_eq(pst_stdfd_restore(fd, 5, old, &err), PST_OK);
	cr_assert_eq(owner(slave), before);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(owner(fd[i]), 0, "%d", i);
}

Test(stdfd, files_block_devices_and_other_character_devices_are_never_touched)
{
	struct pst_err err = {0};
	/* a node with a pty slave's number on a disk is not a pty slave */
	cr_assert_eq(ground_sh(": >log; mknod zero c 1 5; mknod blk b 1 0; mknod fake c 136 0"), 0);
	struct stat before;
	cr_assert_eq(stat("/dev/null", &before), 0);
	const int fd[] = {open("/dev/null", O_RDWR), open("log", O_RDWR), open("zero", O_RDONLY),
			  open("blk", O_PATH),	     open(".", O_RDONLY), open("fake", O_PATH),
			  -1,			     999};
	struct pst_stdfd_old old[PST_NELEM(fd)];
	cr_assert_eq(pst_stdfd_give(fd, PST_NELEM(fd), BASE, BASE, old, &err), PST_OK, "%s", err.msg);
	for (size_t i = 0; i < PST_NELEM(fd); i++) {
		cr_assert_not(old[i].given, "%zu", i);
		cr_assert_not(pst_stdfd_takes(fd[i]), "%zu", i);
	}
	struct stat after;
	cr_assert_eq(stat("/dev/null", &after), 0);
	cr_assert(after.st_uid == before.st_uid && after.st_gid == before.st_gid);
}

Test(stdfd, a_failure_puts_back_what_was_given)
{
	int p[2];
	struct pst_err err = {0};
	struct pst_stdfd_old old[2];
	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(mkfifo("f", 0600), 0);
	/* a descriptor opened with O_PATH takes no owner: EBADF */
	const int fd[] = {p[1], open("f", O_PATH | O_CLOEXEC)};
	cr_assert_eq(pst_stdfd_give(fd, 2, BASE, BASE, old, &err), PST_E_HOST);
	cr_assert_eq(owner(p[1]), 0);
}

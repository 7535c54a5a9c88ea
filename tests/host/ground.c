#include "ground.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/userns.h"

char ground_dir[256];

static int host_ns = -1;

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	if (getenv("POSTERN_MUST_WORK") != NULL)
		cr_assert_fail("this test must work and needs root");
	cr_skip("needs root");
}

void ground_enter(void)
{
	need_root();
	/* on the disk: tmpfs would hide what other file systems do */
	(void)snprintf(ground_dir, sizeof ground_dir, "/var/tmp/postern-test-XXXXXX");
	cr_assert_not_null(mkdtemp(ground_dir));
	cr_assert_eq(chmod(ground_dir, 0755), 0);
	cr_assert_eq(chdir(ground_dir), 0);
	host_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(host_ns, 0);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	umask(022);
}

/* Removed as the host sees it: there no test ever mounted anything, so nothing can
 * be reached through a mount that was left. */
void ground_leave(void)
{
	char cmd[300];
	if (ground_dir[0] == '\0')
		return;
	(void)snprintf(cmd, sizeof cmd, "rm -rf --one-file-system '%s'", ground_dir);
	if (setns(host_ns, CLONE_NEWNS) != 0 || chdir("/") != 0 || system(cmd) != 0)
		fprintf(stderr, "cannot remove %s\n", ground_dir);
}

int ground_userns(void)
{
	int fd = -1;
	struct pst_err err = {0};
	cr_assert_eq(pst_userns_open(BASE, 65536, NULL, 0, &fd, &err), PST_OK, "%s", err.msg);
	return fd;
}

int ground_sh(const char *script)
{
	const pid_t pid = fork();
	if (pid == 0) {
		if (chdir(ground_dir) != 0)
			_exit(126);
		execl("/bin/sh", "sh", "-ec", script, NULL);
		_exit(127);
	}
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int ground_sh_in(int userns, int dfd, const char *script)
{
	const pid_t pid = fork();
	if (pid == 0) {
		if (fchdir(dfd) != 0 || setgroups(0, NULL) != 0 || setns(userns, CLONE_NEWUSER) != 0 ||
		    setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
			_exit(126);
		execl("/bin/sh", "sh", "-ec", script, NULL);
		_exit(127);
	}
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void ground_mkdir(const char *path)
{
	char cmd[1200];
	(void)snprintf(cmd, sizeof cmd, "mkdir -p -- '%s'", path);
	cr_assert_eq(ground_sh(cmd), 0);
}

void ground_write(const char *path, const char *text)
{
	char full[1024];
	(void)snprintf(full, sizeof full, "%s/%s", ground_dir, path);
	FILE *f = fopen(full, "we");
	cr_assert_not_null(f, "%s", full);
	fputs(text, f);
	fclose(f);
}

const char *ground_read(const char *path)
{
	static char buf[4096];
	char full[1024];
	(void)snprintf(full, sizeof full, "%s/%s", path[0] == '/' ? "" : ground_dir, path);
	FILE *f = fopen(full, "re");
	buf[0] = '\0';
	if (f != NULL) {
		buf[fread(buf, 1, sizeof buf - 1, f)] = '\0';
		fclose(f);
	}
	return buf;
}

int ground_mounts(void)
{
	int n = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	cr_assert_not_null(f);
	for (int c; (c = fgetc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

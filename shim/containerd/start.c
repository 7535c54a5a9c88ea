/* `start`: bind, let a server of our own inherit the socket, say the address, end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/args.h"
#include "containerd/bootstrap.h"
#include "containerd/find.h"
#include "containerd/group.h"
#include "containerd/options.h"
#include "containerd/shimcgroup.h"
#include "containerd/socket.h"

extern char **environ;

/* Between vfork and exec. */
PST_NORETURN static void become(char *const argv[], int null, int log, int sock, int word)
{
	sigset_t all;
	sigemptyset(&all);
	(void)setsid();
	if (dup2(sock, PST_LISTEN_FD) < 0 || dup2(word, PST_WORD_FD) < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(log >= 0 ? log : null, 2) < 0)
		_exit(127);
	/* containerd leaks some, and one of them may be what it waits on for our end */
	(void)syscall(SYS_close_range, PST_WORD_FD + 1u, ~0u, 0u);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &all, NULL);
	execve("/proc/self/exe", argv, environ);
	_exit(127);
}

/* Descriptors above those, so that the moves above do not tread on them. */
static int high(int fd)
{
	const int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 16);
	pst_fd_close(fd);
	return up;
}

/* *word: to be written to once containerd has our answer; its end without a word ends the server. */
static int spawn(const struct pst_shim_args *a, const char *path, int sock, pid_t *ret, int *word,
		 struct pst_err *err)
{
	int ends[2] = {-1, -1};
	char *argv[] = {
		(char *)(uintptr_t)"containerd-shim-postern-v2",
		(char *)(uintptr_t)"-namespace", (char *)(uintptr_t)a->namespace_,
		(char *)(uintptr_t)"-id", (char *)(uintptr_t)a->id,
		(char *)(uintptr_t)"-address", (char *)(uintptr_t)a->address,
		(char *)(uintptr_t)"-socket", (char *)(uintptr_t)path,
		a->debug ? (char *)(uintptr_t)"-debug" : NULL, NULL,
	};
	if (pipe2(ends, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	*word = ends[1];
	pst_auto_fd heard = high(ends[0]);
	pst_auto_fd own = high(sock);
	pst_auto_fd null = high(open("/dev/null", O_RDWR | O_CLOEXEC));
	pst_auto_fd log = high(open("log", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
	if (heard < 0 || own < 0 || null < 0)
		return pst_fail_sys(err, "cannot prepare the server's descriptors");
	const pid_t pid = vfork();
	if (pid == 0)
		become(argv, null, log, own, heard);
	if (pid < 0)
		return pst_fail_sys(err, "cannot start the server");
	*ret = pid;
	return PST_OK;
}

/* One more than containerd's, so that it outlives us when memory is short. */
static void adjust_oom(pid_t pid)
{
	char path[64];
	char text[16];
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)getppid());
	pst_auto_fd from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : read(from, text, sizeof text - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	const long score = strtol(text, NULL, 10) + 1;
	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
	pst_auto_fd to = open(path, O_WRONLY | O_CLOEXEC);
	n = snprintf(text, sizeof text, "%ld", score > 1000 ? 1000 : score);
	if (to >= 0)
		(void)!write(to, text, (size_t)n);
}

static int write_address(const char *address, struct pst_err *err)
{
	(void)unlink(".address");
	pst_auto_fd fd = open(".address", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const ssize_t len = (ssize_t)strlen(address);
	if (fd < 0 || write(fd, address, (size_t)len) != len || rename(".address", "address") != 0)
		return pst_fail_sys(err, "cannot write the address file of the bundle");
	return PST_OK;
}

int pst_shim_start(const struct pst_shim_args *a, struct pst_err *err)
{
	char group[256];
	char address[128] = "unix://";
	char *path = address + 7;
	struct pst_bootstrap b = {0};
	int sock = -1;
	pst_auto_fd word = -1;
	pid_t pid = 0;
	const char *postern; /* the server looks again; here there is somebody to tell */
	int rc = pst_shim_postern_path(&postern, err);
	if (rc == PST_OK)
		rc = pst_bootstrap_read(STDIN_FILENO, a, &b, err);
	if (rc == PST_OK)
		rc = pst_group_read(group, sizeof group, err);
	if (rc == PST_OK)
		rc = pst_socket_path(b.socket_dir, a->address, a->namespace_,
				     group[0] != '\0' ? group : a->id, path, err);
	/* Before there is a socket: if we are killed, `delete` finds it by this. */
	if (rc == PST_OK)
		rc = write_address(address, err);
	if (rc == PST_OK)
		rc = pst_socket_listen(path, &sock, err);
	if (rc == PST_OK && sock >= 0) {
		rc = spawn(a, path, sock, &pid, &word, err);
		if (rc == PST_OK && b.shim_cgroup[0] != '\0')
			rc = pst_shimcgroup_join(b.shim_cgroup, pid, err);
		if (rc != PST_OK)
			(void)unlink(path);
	}
	if (rc != PST_OK) {
		if (pid > 0)
			(void)kill(pid, SIGKILL);
		return rc;
	}
	if (pid > 0)
		adjust_oom(pid);
	if (write(STDOUT_FILENO, address, strlen(address)) < 0)
		return pst_fail_sys(err, "cannot answer");
	if (word >= 0)
		(void)!write(word, "", 1);
	return PST_OK;
}

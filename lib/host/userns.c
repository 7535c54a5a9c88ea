#include "host/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "host/hostops.h"
#include "host/io.h"

/* In the child: only async-signal-safe calls. Ends when the parent closes its end
 * of `hold`, also if the parent dies. Exit status 0, or errno of unshare(2). */
static void PST_NORETURN child(int ready, int hold)
{
	char c = 0;
	if (pst_host->unshare(CLONE_NEWUSER) != 0)
		_exit(errno);
	if (pst_host->write(ready, &c, 1) != 1)
		_exit(errno);
	while (pst_host->read(hold, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

struct holder {
	pid_t pid;
	int hold; /* closing it lets the child go */
};

static int holder_end(struct holder *h)
{
	int status = 0;
	pst_fd_close(h->hold);
	h->hold = -1;
	while (pst_host->waitpid(h->pid, &status, 0) < 0)
		if (errno != EINTR)
			return ECHILD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int holder_start(struct holder *ret, struct pst_err *err)
{
	int a[2], b[2];
	if (pst_host->pipe2(a, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd ready_r = a[0], ready_w = a[1];
	if (pst_host->pipe2(b, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd hold_r = b[0], hold_w = b[1];

	const pid_t pid = pst_host->fork();
	if (pid < 0)
		return pst_fail_sys(err, "cannot start a child process");
	if (pid == 0) {
		pst_fd_close(ready_r);
		pst_fd_close(hold_w); /* else it would keep itself waiting */
		child(ready_w, hold_r);
	}
	pst_fd_close(ready_w);
	ready_w = -1;

	struct holder h = {.pid = pid, .hold = PST_TAKE_FD(hold_w)};
	char c;
	ssize_t n;
	while ((n = pst_host->read(ready_r, &c, 1)) < 0 && errno == EINTR)
		;
	if (n == 1) {
		*ret = h;
		return PST_OK;
	}
	const int died = holder_end(&h);
	errno = died != 0 ? died : EIO;
	pst_fail_sys(err, "cannot make a user namespace");
	pst_err_cure(err, "check user.max_user_namespaces and that the kernel has user namespaces");
	return PST_E_HOST;
}

static int write_map(pid_t pid, const char *file, const struct pst_buf *map, struct pst_err *err)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	/* The kernel takes a map in one write only (user_namespaces(7)). */
	if (fd < 0 || pst_host->write(fd, map->data, map->len) != (ssize_t)map->len)
		return pst_fail_sys(err, "cannot write an id map to %s", path);
	return PST_OK;
}

static int map_and_open(pid_t pid, const struct pst_buf *map, int *ret_fd, struct pst_err *err)
{
	int rc = write_map(pid, "uid_map", map, err);
	if (rc == PST_OK)
		rc = write_map(pid, "gid_map", map, err);
	if (rc != PST_OK)
		return rc;
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%ld/ns/user", (long)pid);
	const int fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s", path);
	*ret_fd = fd;
	return PST_OK;
}

int pst_userns_open(uint32_t base, uint32_t size, const struct pst_idextra *extra, size_t n,
		    int *ret_fd, struct pst_err *err)
{
	if (size == 0 || n > PST_USERNS_MAX_EXTRA)
		return pst_fail(err, PST_E_BUG, "", "an id map of %u ids and %zu extra lines", size, n);
	pst_auto_buf map = {0};
	pst_buf_fmt(&map, "0 %u %u\n", base, size);
	for (size_t i = 0; i < n; i++)
		pst_buf_fmt(&map, "%u %u %u\n", extra[i].container, extra[i].host, extra[i].count);
	if (!pst_buf_ok(&map))
		return pst_fail_nomem(err);

	struct holder h = {.pid = -1, .hold = -1};
	int rc = holder_start(&h, err);
	if (rc != PST_OK)
		return rc;
	int fd = -1;
	rc = map_and_open(h.pid, &map, &fd, err);
	(void)holder_end(&h); /* its end tells nothing new: the namespace is held by fd */
	if (rc == PST_OK)
		*ret_fd = fd;
	return rc;
}

bool pst_userns_host_id(uint32_t base, uint32_t size, const struct pst_idextra *extra, size_t n,
			uint32_t id, uint32_t *ret)
{
	if (id < size) {
		*ret = base + id;
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (id >= extra[i].container && id - extra[i].container < extra[i].count) {
			*ret = extra[i].host + (id - extra[i].container);
			return true;
		}
	}
	return false;
}

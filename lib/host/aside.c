#include "host/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/hostops.h"
#include "host/io.h"

/* What travels through the pipe, in one write of at most PIPE_BUF bytes. */
struct report {
	int rc;
	struct pst_err err;
	_Alignas(16) char io[PST_ASIDE_IO_MAX];
};

_Static_assert(sizeof(struct report) <= 4096, "a report must be one atomic write (pipe(7))");

static void PST_NORETURN child(pst_aside_fn fn, void *arg, const void *io, size_t size, int out)
{
	struct report r = {0};
	if (size > 0)
		memcpy(r.io, io, size);
	r.rc = fn(arg, r.io, &r.err);
	_exit(pst_io_write_all(out, &r, sizeof r) == 0 ? 0 : 1);
}

static int wait_for(pid_t pid)
{
	int status = 0;
	while (pst_host->waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* One report or, from a child that died, nothing. */
static bool receive(int fd, struct report *r)
{
	size_t have = 0;
	while (have < sizeof *r) {
		const ssize_t n = pst_host->read(fd, (char *)r + have, sizeof *r - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

int pst_aside_run(pst_aside_fn fn, void *arg, void *io, size_t size, struct pst_err *err)
{
	if (size > PST_ASIDE_IO_MAX)
		return pst_fail(err, PST_E_BUG, "", "%zu bytes do not fit a child's report", size);
	int fds[2];
	if (pst_host->pipe2(fds, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd in = fds[0], out = fds[1];

	const pid_t pid = pst_host->fork();
	if (pid < 0)
		return pst_fail_sys(err, "cannot start a child process");
	if (pid == 0)
		child(fn, arg, io, size, out);
	pst_fd_close(out);
	out = -1;

	struct report r;
	const bool got = receive(in, &r);
	const int status = wait_for(pid);
	if (!got)
		return pst_fail(err, PST_E_HOST, "", "a child process ended without a result (status 0x%x)",
				(unsigned)status);
	if (r.rc != PST_OK) {
		if (err != NULL)
			*err = r.err;
		return r.rc;
	}
	if (size > 0)
		memcpy(io, r.io, size);
	return PST_OK;
}

/* Starting the runtime: the other half of host/runtime.h. */
#include "host/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/io.h"

#define OUT_MAX ((size_t)16 << 20)
#define TELL_FD 64 /* above every descriptor that a child is given by number */

/* The environment with PST_RUNTIME_ENV set; the strings are borrowed but for `var`. */
struct env {
	char var[64];
	char **v;
};

static void env_done(struct env *e)
{
	free(e->v);
}

static int env_make(const char *const *envp, struct env *e, struct pst_err *err)
{
	char *const *const from = envp != NULL ? (char *const *)(uintptr_t)envp : environ;
	size_t n = 0;
	while (from != NULL && from[n] != NULL)
		n++;
	e->v = calloc(n + 2, sizeof *e->v);
	if (e->v == NULL)
		return pst_fail_nomem(err);
	snprintf(e->var, sizeof e->var, PST_RUNTIME_ENV "=%ld", (long)getpid());
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (!pst_starts(from[i], PST_RUNTIME_ENV "="))
			e->v[m++] = from[i];
	e->v[m] = e->var;
	return PST_OK;
}

/* What a child that could not become the runtime tells its parent. */
struct failure {
	int sys;
	bool before; /* s->before failed, not the exec */
};

/* Standard descriptors of the child. 0, or -1 with errno. */
static int child_stdio(const struct pst_spawn *s, int out)
{
	if (out >= 0 && pst_host->dup3(out, STDOUT_FILENO, 0) < 0)
		return -1;
	if (!s->quiet)
		return 0;
	const int null = pst_host->openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
	if (null < 0 || pst_host->dup3(null, STDIN_FILENO, 0) < 0 ||
	    pst_host->dup3(null, STDERR_FILENO, 0) < 0)
		return -1;
	return 0;
}

/* Between fork and exec; we have one thread, so `before` may do what it likes. */
static void child(const struct pst_spawn *s, char *const *env, int out, pid_t parent,
		  struct failure *f)
{
	if (s->mask != NULL)
		(void)pst_host->sigprocmask(SIG_SETMASK, s->mask, NULL);
	if (s->die_with_us) {
		if (pst_host->prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
			goto failed;
		if (getppid() != parent) /* it died before we asked to be told */
			_exit(127);
	}
	if (child_stdio(s, out) != 0)
		goto failed;
	if (s->before != NULL && s->before(s->before_arg) != 0) {
		f->before = true;
		goto failed;
	}
	(void)pst_host->execve(s->path, (char *const *)(uintptr_t)s->argv, env);
failed:
	f->sys = errno;
}

static int fail_start(const struct pst_spawn *s, const struct failure *f, struct pst_err *err)
{
	errno = f->sys;
	if (f->before)
		return pst_fail_sys(err, "cannot %s for the runtime",
				    s->before_what != NULL ? s->before_what : "prepare");
	pst_fail(err, PST_E_RUNTIME, "", "cannot execute the runtime %s: %s", s->path,
		 strerror(f->sys));
	if (err != NULL)
		err->sys = f->sys;
	return PST_E_RUNTIME;
}

static pid_t wait_pid(pid_t pid, int *st)
{
	pid_t r;
	do
		r = pst_host->waitpid(pid, st, 0);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Did the exec happen? The pipe closes by it, or brings the failure. */
static int await_exec(const struct pst_spawn *s, pid_t pid, int fd, struct pst_err *err)
{
	struct failure f = {0};
	ssize_t n;
	do
		n = pst_host->read(fd, &f, sizeof f);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return PST_OK;
	int rc = n == (ssize_t)sizeof f ? fail_start(s, &f, err)
					: pst_fail_sys(err, "cannot learn whether %s started", s->path);
	int st;
	(void)pst_host->kill(pid, SIGKILL); /* only matters if the read failed */
	(void)wait_pid(pid, &st);
	return rc;
}

int pst_runtime_spawn(const struct pst_spawn *s, struct pst_child *ret, struct pst_err *err)
{
	PST_CLEANUP(env_done) struct env env = {.v = NULL};
	int out[2] = {-1, -1}, sync[2];
	const pid_t self = getpid();

	const int rc = env_make(s->envp, &env, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->pipe2(sync, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd sync_r = sync[0];
	pst_auto_fd sync_w = sync[1];
	if (s->out != NULL && pst_host->pipe2(out, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd out_r = out[0];
	pst_auto_fd out_w = out[1];

	const pid_t pid = pst_host->fork();
	if (pid < 0)
		return pst_fail_sys(err, "cannot fork for the runtime");
	if (pid == 0) {
		struct failure f = {0};
		/* Out of the way of what `before` puts into fixed places. */
		const int tell = pst_host->fcntl(sync_w, F_DUPFD_CLOEXEC, TELL_FD);
		if (tell >= 0)
			child(s, env.v, out_w, self, &f);
		else
			f = (struct failure){.sys = errno, .before = true};
		_exit(pst_io_write_all(tell >= 0 ? tell : sync_w, &f, sizeof f) == 0 ? 127 : 126);
	}
	pst_fd_close(PST_TAKE_FD(sync_w));
	pst_fd_close(PST_TAKE_FD(out_w));
	const int started = await_exec(s, pid, sync_r, err);
	if (started != PST_OK)
		return started;
	*ret = (struct pst_child){
		.pid = pid,
		.out = PST_TAKE_FD(out_r),
		.max = s->out_max != 0 ? s->out_max : OUT_MAX,
		.buf = s->out,
	};
	return PST_OK;
}

int pst_runtime_wait(struct pst_child *c, int *ret_status, struct pst_err *err)
{
	int rc = PST_OK;
	if (c->out >= 0) {
		rc = pst_io_read_fd(c->out, c->max, "the runtime's output", c->buf, err);
		if (rc == PST_E_SPEC) /* too long: its fault, not the caller's */
			rc = pst_fail(err, PST_E_RUNTIME, "",
				      "the runtime's output is longer than %zu bytes", c->max);
		if (rc != PST_OK)
			(void)pst_host->kill(c->pid, SIGKILL);
		pst_fd_close(PST_TAKE_FD(c->out));
	}
	int st = 0;
	const pid_t r = wait_pid(c->pid, &st);
	if (rc != PST_OK)
		return rc;
	if (r < 0)
		return pst_fail_sys(err, "cannot wait for the runtime");
	*ret_status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return PST_OK;
}

int pst_runtime_run(const struct pst_spawn *s, int *ret_status, struct pst_err *err)
{
	struct pst_child c = {.out = -1};
	const int rc = pst_runtime_spawn(s, &c, err);
	return rc != PST_OK ? rc : pst_runtime_wait(&c, ret_status, err);
}

int pst_runtime_exec(const struct pst_spawn *s, struct pst_err *err)
{
	PST_CLEANUP(env_done) struct env env = {.v = NULL};
	const int rc = env_make(s->envp, &env, err);
	if (rc != PST_OK)
		return rc;
	struct failure f = {0};
	if (s->before != NULL && s->before(s->before_arg) != 0)
		f.before = true;
	else
		(void)pst_host->execve(s->path, (char *const *)(uintptr_t)s->argv, env.v);
	f.sys = errno;
	return fail_start(s, &f, err);
}

#include "containerd/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/runclog.h"
#include "proto/ttrpc.h"

extern char **environ;

void pst_args_add(struct pst_args *a, const char *word)
{
	if (a->n + 1 >= PST_ARGS_MAX) {
		a->full = true;
		return;
	}
	a->v[a->n++] = word;
	a->v[a->n] = NULL;
}

void pst_args_begin(struct pst_args *a, const struct pst_task *t)
{
	*a = (struct pst_args){0};
	pst_args_add(a, pst_service.postern);
	if (t->opt.policy != NULL) {
		pst_args_add(a, "--policy");
		pst_args_add(a, t->opt.policy);
	}
	if (t->opt.class_name != NULL) {
		pst_args_add(a, "--class");
		pst_args_add(a, t->opt.class_name);
	}
	if (t->opt.binary_name != NULL) {
		pst_args_add(a, "--runtime");
		pst_args_add(a, t->opt.binary_name);
	}
	pst_args_add(a, "--root");
	pst_args_add(a, t->root);
	pst_args_add(a, "--log");
	pst_args_add(a, "log.json"); /* in the bundle, where the child stands */
	pst_args_add(a, "--log-format");
	pst_args_add(a, "json");
	if (t->opt.systemd_cgroup)
		pst_args_add(a, "--systemd-cgroup");
}

/* Between vfork and exec: only calls that touch nothing of the parent's memory. */
PST_NORETURN static void become(const char *const *argv, const char *dir, const int fds[4])
{
	for (int i = 0; i < 4; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			_exit(127);
	if (chdir(dir) != 0)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, pst_loop_mask(), NULL);
	execve(argv[0], (char *const *)argv, environ);
	_exit(127);
}

static void ended(void *ctx, int status)
{
	struct pst_job *j = ctx;
	j->done(j, status);
	pst_fd_close(j->fd);
	pst_task_release(j->task);
	free(j->path);
	free(j);
}

int pst_job_run(const struct pst_job *j, struct pst_args *a, const int fds[3], int extra,
		struct pst_err *err)
{
	if (a->full)
		return pst_fail(err, PST_E_SPEC, "", "too many words for one call of the runtime");
	struct pst_job *own = malloc(sizeof *own);
	if (own == NULL)
		return pst_fail_nomem(err);
	pst_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0) {
		free(own);
		return pst_fail_sys(err, "cannot open /dev/null");
	}
	*own = *j;
	const int all[4] = {
		fds[0] < 0 ? null : fds[0],
		fds[1] < 0 ? null : fds[1],
		fds[2] < 0 ? null : fds[2],
		extra,
	};
	const pid_t pid = vfork();
	if (pid == 0)
		become(a->v, j->task->bundle, all);
	if (pid < 0) {
		free(own);
		return pst_fail_sys(err, "cannot start %s", a->v[0]);
	}
	own->child.pid = pid;
	own->child.ctx = own;
	own->child.ended = ended;
	pst_child_await(&own->child);
	own->task->jobs++;
	return PST_OK;
}

off_t pst_job_log_size(const struct pst_task *t)
{
	char path[512];
	struct stat st;
	snprintf(path, sizeof path, "%s/log.json", t->bundle);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

void pst_job_fail(struct pst_call *c, const struct pst_task *t, off_t log_at, const char *what,
		  int status)
{
	char path[512];
	char piece[1024];
	ssize_t n;
	pst_auto_runclog log = {0};
	snprintf(path, sizeof path, "%s/log.json", t->bundle);
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = pread(fd, piece, sizeof piece, log_at)) > 0) {
		pst_runclog_feed(&log, piece, (size_t)n);
		log_at += n;
	}
	const char *msg = pst_runclog_end(&log);
	if (msg != NULL)
		pst_call_fail(c, PST_RPC_UNKNOWN, "%s: %s", what, msg);
	else
		pst_call_fail(c, PST_RPC_UNKNOWN, "%s: postern ended with status %d and logged no error",
			      what, status);
}

void pst_job_ignore(struct pst_job *j, int status)
{
	if (status != 0)
		pst_log("warning", "%s: a clean-up call ended with status %d", j->task->id, status);
}

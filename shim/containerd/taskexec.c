/* Exec: registered first, run by Start. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

static int fill(struct pst_proc *p, const Pst__ExecProcessRequest *q, struct pst_err *err)
{
	p->id = strdup(q->exec_id);
	p->in = strdup(q->stdin);
	p->out = strdup(q->stdout);
	p->err = strdup(q->stderr);
	p->spec_len = q->spec->value.len;
	p->spec = malloc(p->spec_len);
	p->terminal = q->terminal;
	p->status = PST_STATUS_CREATED;
	if (p->id == NULL || p->in == NULL || p->out == NULL || p->err == NULL || p->spec == NULL)
		return pst_fail_nomem(err);
	memcpy(p->spec, q->spec->value.data, p->spec_len);
	return PST_OK;
}

static bool plain_exec_id(const char *id)
{
	const size_t n = strlen(id);
	return n <= 128 && id[0] != '.' && id[0] != '-' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+") == n;
}

void pst_task_exec_add(struct pst_call *c, const void *msg)
{
	const Pst__ExecProcessRequest *q = msg;
	struct pst_err err = {0};
	struct pst_proc *init = pst_task_proc(c, q->id, "");
	if (init == NULL)
		return;
	if (!plain_exec_id(q->exec_id) || q->exec_id[0] == '\0' || q->spec == NULL ||
	    q->spec->value.len == 0) {
		pst_call_fail(c, PST_RPC_INVALID_ARGUMENT, "no valid exec id or process");
		return;
	}
	if (pst_task_exec(init->task, q->exec_id) != NULL) {
		pst_call_fail(c, PST_RPC_ALREADY_EXISTS, "id %s: already exists", q->exec_id);
		return;
	}
	struct pst_proc *p = calloc(1, sizeof *p);
	if (p == NULL) {
		pst_call_fail(c, PST_RPC_RESOURCE_EXHAUSTED, "out of memory");
		return;
	}
	p->task = init->task;
	if (fill(p, q, &err) != PST_OK) {
		pst_call_error(c, &err);
		pst_proc_free_fields(p);
		free(p);
		return;
	}
	p->next = init->task->execs;
	init->task->execs = p;
	Pst__TaskExecAdded e = PST__TASK_EXEC_ADDED__INIT;
	e.container_id = p->task->id;
	e.exec_id = p->id;
	pst_events_send("/tasks/exec-added", "containerd.events.TaskExecAdded", &e.base);
	pst_call_reply(c, NULL);
}

static int read_pid(const struct pst_proc *p, pid_t *ret, struct pst_err *err)
{
	char path[640];
	char text[32];
	snprintf(path, sizeof path, "%s/%s.pid", p->task->bundle, p->id);
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return pst_fail_sys(err, "cannot read %s", path);
	text[n] = '\0';
	*ret = (pid_t)strtol(text, NULL, 10);
	return *ret > 1 ? PST_OK : pst_fail(err, PST_E_RUNTIME, "", "%s holds no process id", path);
}

/* An exec that runs, but cannot be reached: ended, if it is our child still and the number its own. */
static void exec_failed(struct pst_proc *p)
{
	siginfo_t si;
	if (p->pid > 1 && waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		(void)kill(p->pid, SIGKILL);
	pst_procio_free(PST_TAKE(p->io));
	pst_proc_failed(p);
}

static void exec_ended(struct pst_job *j, int status)
{
	struct pst_proc *p = j->proc;
	struct pst_err err = {0};
	int rc = PST_OK;
	if (p->gone) {
		pst_call_fail(j->call, PST_RPC_NOT_FOUND, "container deleted: not found");
		pst_child_release();
		free(p);
		return;
	}
	if (status == 0)
		rc = read_pid(p, &p->pid, &err);
	if (status == 0 && rc == PST_OK)
		rc = pst_procio_begin(p->io, &err);
	if (status == 0 && rc == PST_OK)
		rc = pst_procio_begin_in(p->io, &err);
	if (status != 0 || rc != PST_OK) {
		/* The waiters first: clients expect the Wait to be over by then. */
		exec_failed(p);
		if (status != 0)
			pst_job_fail(j->call, j->task, j->log_at, "OCI runtime exec failed", status);
		else
			pst_call_error(j->call, &err);
		pst_child_release();
		return;
	}
	Pst__TaskExecStarted e = PST__TASK_EXEC_STARTED__INIT;
	Pst__StartResponse r = PST__START_RESPONSE__INIT;
	pst_proc_await(p);
	pst_child_release();
	e.container_id = p->task->id;
	e.exec_id = p->id;
	e.pid = r.pid = (uint32_t)p->pid;
	pst_events_send("/tasks/exec-started", "containerd.events.TaskExecStarted", &e.base);
	pst_call_reply(j->call, &r.base);
	pst_proc_started(p);
}

/* The process document, as a file without a name; -1 on failure. */
static int spec_file(struct pst_proc *p)
{
	const int fd = memfd_create("postern-exec", MFD_CLOEXEC);
	if (fd >= 0 && (write(fd, p->spec, p->spec_len) != (ssize_t)p->spec_len ||
			lseek(fd, 0, SEEK_SET) != 0)) {
		pst_fd_close(fd);
		return -1;
	}
	return fd;
}

static int run(struct pst_call *c, struct pst_proc *p, struct pst_err *err)
{
	int fds[3];
	char pid_file[640];
	struct pst_args a;
	pst_auto_fd spec = spec_file(p);
	if (spec < 0)
		return pst_fail_sys(err, "cannot hold the process document");
	const char *console = pst_procio_console_socket(p->io);
	pst_args_begin(&a, p->task);
	pst_args_add(&a, "exec");
	pst_args_add(&a, "--detach");
	pst_args_add(&a, "--process");
	pst_args_add(&a, "/proc/self/fd/3");
	pst_args_add(&a, p->terminal ? "--tty=true" : "--tty=false");
	pst_args_add(&a, "--pid-file");
	snprintf(pid_file, sizeof pid_file, "%s/%s.pid", p->task->bundle, p->id);
	pst_args_add(&a, pid_file);
	if (console != NULL) {
		pst_args_add(&a, "--console-socket");
		pst_args_add(&a, console);
	}
	pst_args_add(&a, p->task->id);
	pst_procio_ends(p->io, fds);
	const struct pst_job j = {.call = c, .task = p->task, .proc = p, .fd = -1,
				  .log_at = pst_job_log_size(p->task), .done = exec_ended};
	return pst_job_run(&j, &a, fds, spec, err);
}

void pst_exec_start(struct pst_call *c, struct pst_proc *p)
{
	struct pst_task *t = p->task;
	struct pst_err err = {0};
	if (t->init.ended || t->init.status == PST_STATUS_STOPPED) {
		pst_call_fail(c, PST_RPC_FAILED_PRECONDITION,
			      "container %s has ended: failed precondition", t->id);
		pst_proc_failed(p);
		return;
	}
	const struct pst_procio_want w = {
		.in = p->in,
		.out = p->out,
		.err = p->err,
		.terminal = p->terminal,
		.uid = t->opt.io_uid,
		.gid = t->opt.io_gid,
		.id = t->id,
		.namespace_ = pst_service.namespace_,
	};
	p->starting = true;
	int rc = pst_procio_open(&w, &p->io, &err);
	pst_child_hold();
	if (rc == PST_OK)
		rc = run(c, p, &err);
	free(PST_TAKE(p->spec));
	if (rc == PST_OK)
		return;
	pst_child_release();
	exec_failed(p);
	pst_call_error(c, &err);
}

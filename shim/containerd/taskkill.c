/* Kill and Delete. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

/* As long as the stock shim of containerd 1.7 and later waits for the output. */
#define DRAIN_MS 10000

static const int none[3] = {-1, -1, -1};

static void killed(struct pst_job *j, int status)
{
	if (status == 0)
		pst_call_reply(j->call, NULL);
	else if (j->task->init.ended)
		pst_call_fail(j->call, PST_RPC_NOT_FOUND, "process already finished: not found");
	else
		pst_job_fail(j->call, j->task, j->log_at, "kill", status);
}

static void kill_by_runtime(struct pst_call *c, struct pst_task *t, uint32_t signal, bool all)
{
	char number[16];
	struct pst_args a;
	struct pst_err err = {0};
	snprintf(number, sizeof number, "%u", signal);
	pst_args_begin(&a, t);
	pst_args_add(&a, "kill");
	if (all)
		pst_args_add(&a, "--all");
	pst_args_add(&a, t->id);
	pst_args_add(&a, number);
	const struct pst_job j = {.call = c, .task = t, .fd = -1, .log_at = pst_job_log_size(t),
				  .done = killed};
	if (pst_job_run(&j, &a, none, -1, &err) != PST_OK)
		pst_call_error(c, &err);
}

void pst_task_kill(struct pst_call *c, const void *msg)
{
	const Pst__KillRequest *q = msg;
	struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (q->signal > 64) {
		pst_call_fail(c, PST_RPC_INVALID_ARGUMENT, "%u is no signal", q->signal);
	} else if (p->ended || p->failed) {
		pst_call_fail(c, PST_RPC_NOT_FOUND, "process already finished: not found");
	} else if (p->pid == 0) {
		pst_call_fail(c, PST_RPC_FAILED_PRECONDITION, "process not created: failed precondition");
	} else if (p->id == NULL && (q->all || (q->signal == SIGKILL && p->task->paused))) {
		/* Who is frozen by cgroup v1 dies only when thawed, which the runtime does. */
		kill_by_runtime(c, p->task, q->signal, q->all);
	} else if (kill(p->pid, (int)q->signal) != 0) {
		/* Our own child, not reaped: the number is still its own. */
		pst_call_fail(c, errno == ESRCH ? PST_RPC_NOT_FOUND : PST_RPC_UNKNOWN, "kill: %s",
			      strerror(errno));
	} else {
		pst_call_reply(c, NULL);
	}
}

static void fill(Pst__DeleteResponse *r, Pst__Timestamp *at, const struct pst_proc *p)
{
	r->pid = (uint32_t)p->pid;
	r->exit_status = (uint32_t)p->exit_status;
	at->seconds = p->exited_at.tv_sec;
	at->nanos = (int32_t)p->exited_at.tv_nsec;
	r->exited_at = p->exited_at.tv_sec != 0 ? at : NULL;
}

static void deleted(struct pst_job *j, int status)
{
	struct pst_task *t = j->task;
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__DeleteResponse r = PST__DELETE_RESPONSE__INIT;
	Pst__TaskDelete e = PST__TASK_DELETE__INIT;
	t->init.deleting = false;
	if (status != 0) {
		pst_job_fail(j->call, t, j->log_at, "OCI runtime delete failed", status);
		return;
	}
	fill(&r, &at, &t->init);
	e.container_id = t->id;
	e.pid = r.pid;
	e.exit_status = r.exit_status;
	e.exited_at = r.exited_at;
	pst_events_send("/tasks/delete", "containerd.events.TaskDelete", &e.base);
	pst_call_reply(j->call, &r.base);
	pst_options_forget(t->bundle);
	pst_task_free(t);
}

static void run_delete(struct pst_call *c, struct pst_task *t)
{
	struct pst_args a;
	struct pst_err err = {0};
	pst_args_begin(&a, t);
	pst_args_add(&a, "delete");
	/* Not to kill: init has ended or was never started. One that somebody deleted behind our
	 * back, as a checkpoint does, must not make this fail for ever. */
	pst_args_add(&a, "--force");
	pst_args_add(&a, t->id);
	const struct pst_job j = {.call = c, .task = t, .fd = -1, .log_at = pst_job_log_size(t),
				  .done = deleted};
	if (pst_job_run(&j, &a, none, -1, &err) == PST_OK)
		return;
	t->init.deleting = false;
	pst_call_error(c, &err);
}

void pst_task_swept(struct pst_task *t)
{
	t->sweeping = false;
	if (t->init.deleter != NULL && t->init.io == NULL)
		run_delete(PST_TAKE(t->init.deleter), t);
}

static void delete_exec(struct pst_call *c, struct pst_proc *p)
{
	char path[640];
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__DeleteResponse r = PST__DELETE_RESPONSE__INIT;
	fill(&r, &at, p);
	snprintf(path, sizeof path, "%s/%s.pid", p->task->bundle, p->id);
	(void)unlink(path);
	pst_exec_free(p);
	pst_call_reply(c, &r.base);
}

static void drained(void *ctx)
{
	struct pst_proc *p = ctx;
	pst_procio_free(PST_TAKE(p->io));
	if (p->id != NULL)
		delete_exec(PST_TAKE(p->deleter), p);
	else if (!p->task->sweeping) /* a runtime that begins would make its directory again */
		run_delete(PST_TAKE(p->deleter), p->task);
}

void pst_task_delete(struct pst_call *c, const void *msg)
{
	const Pst__DeleteRequest *q = msg;
	struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (p->deleting || p->starting ||
	    (p->status != PST_STATUS_STOPPED && p->status != PST_STATUS_CREATED)) {
		pst_call_fail(c, PST_RPC_FAILED_PRECONDITION,
			      "cannot delete a running process: failed precondition");
		return;
	}
	if (p->id == NULL && p->task->gate >= 0)
		pst_fd_close(PST_TAKE_FD(p->task->gate));
	p->deleting = true;
	p->deleter = c;
	if (p->io == NULL)
		drained(p);
	else
		pst_procio_drain(p->io, p->status == PST_STATUS_STOPPED ? DRAIN_MS : 0, drained, p);
}

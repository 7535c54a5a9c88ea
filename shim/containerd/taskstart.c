/* Start of a container: the held runtime is let through, or its start is called. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/hold.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

static void started(struct pst_call *c, struct pst_task *t)
{
	Pst__TaskStart e = PST__TASK_START__INIT;
	Pst__StartResponse r = PST__START_RESPONSE__INIT;
	e.container_id = t->id;
	e.pid = r.pid = (uint32_t)t->init.pid;
	pst_events_send("/tasks/start", "containerd.events.TaskStart", &e.base);
	pst_call_reply(c, &r.base);
	pst_proc_started(&t->init);
}

/* An init that ended meanwhile is announced; otherwise it stays created. */
static void not_started(struct pst_call *c, struct pst_task *t, off_t log_at, int status)
{
	pst_job_fail(c, t, log_at, "OCI runtime start failed", status);
	if (t->init.ended)
		pst_proc_started(&t->init);
	else
		t->init.starting = false;
}

static void start_ended(struct pst_job *j, int status)
{
	if (status == 0)
		started(j->call, j->task);
	else
		not_started(j->call, j->task, j->log_at, status);
}

static int run_start(struct pst_call *c, struct pst_task *t, const char *flag,
		     void (*done)(struct pst_job *j, int status), struct pst_err *err)
{
	static const int none[3] = {-1, -1, -1};
	struct pst_args a;
	pst_args_begin(&a, t);
	pst_args_add(&a, "start");
	if (flag != NULL)
		pst_args_add(&a, flag);
	pst_args_add(&a, t->id);
	const struct pst_job j = {.call = c, .task = t, .fd = -1, .log_at = pst_job_log_size(t),
				  .done = done};
	return pst_job_run(&j, &a, none, -1, err);
}

static void call_start(struct pst_call *c, struct pst_task *t)
{
	struct pst_err err = {0};
	if (run_start(c, t, NULL, start_ended, &err) == PST_OK)
		return;
	t->init.starting = false;
	pst_call_error(c, &err);
}

static void let_through(struct pst_task *t)
{
	struct pst_call *c = t->starter;
	t->starter = NULL;
	t->held_then = NULL;
	pst_fd_close(PST_TAKE_FD(t->gate));
	if (t->held_status == 0)
		started(c, t);
	else
		not_started(c, t, t->log_at, t->held_status);
}

/* It was being ended for its size when the Start came. */
static void start_anew(struct pst_task *t)
{
	struct pst_call *c = t->starter;
	t->starter = NULL;
	t->held_then = NULL;
	pst_fd_close(PST_TAKE_FD(t->gate));
	call_start(c, t);
}

static void open_gate(struct pst_call *c, struct pst_task *t)
{
	if (t->held.pid == 0) { /* it ended meanwhile */
		call_start(c, t);
		return;
	}
	t->starter = c;
	t->log_at = pst_job_log_size(t);
	t->held_then = let_through;
	/* A gate that is gone has ended the runtime too: its status says why. */
	(void)!write(t->gate, "y", 1);
}

/* Killed, the held runtime leaves a created container, as after a start that failed. */
static void let_go(struct pst_task *t)
{
	if (t->held.pid != 0)
		(void)kill(t->held.pid, SIGKILL);
}

static void looked(struct pst_job *j, int status)
{
	if (status == 0) {
		open_gate(j->call, j->task);
		return;
	}
	let_go(j->task);
	not_started(j->call, j->task, j->log_at, status);
}

/* Links came since create looked, or may have: they are limited before it runs. */
static void look_again(struct pst_call *c, struct pst_task *t)
{
	struct pst_err err = {0};
	if (run_start(c, t, "--held", looked, &err) == PST_OK)
		return;
	let_go(t);
	t->init.starting = false;
	pst_call_error(c, &err);
}

static void start_init(struct pst_call *c, struct pst_task *t)
{
	struct pst_err err = {0};
	if (pst_procio_begin_in(t->init.io, &err) != PST_OK) {
		pst_call_error(c, &err);
		return;
	}
	t->init.starting = true;
	if (t->held.pid == 0) {
		call_start(c, t);
		return;
	}
	if (t->hold_end.at == 0) {
		t->starter = c;
		t->log_at = pst_job_log_size(t);
		t->held_then = start_anew;
		return;
	}
	pst_timer_stop(&t->hold_end);
	if (t->look && pst_hold_links(t->init.pid))
		look_again(c, t);
	else
		open_gate(c, t);
}

void pst_task_start(struct pst_call *c, const void *msg)
{
	const Pst__StartRequest *q = msg;
	struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (p->starting || p->deleting || p->ended || p->status != PST_STATUS_CREATED)
		pst_call_fail(c, PST_RPC_FAILED_PRECONDITION,
			      "cannot start a process that is not in state created: failed precondition");
	else if (p->id != NULL)
		pst_exec_start(c, p);
	else
		start_init(c, p->task);
}

/* The end of processes, and who is told in which order. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

/* What runs on when init is gone must be reaped within this, before its exit is
 * announced all the same. */
#define LATE_MS 2000

static void answer_wait(struct pst_call *c, const struct pst_proc *p)
{
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__WaitResponse r = PST__WAIT_RESPONSE__INIT;
	at.seconds = p->exited_at.tv_sec;
	at.nanos = (int32_t)p->exited_at.tv_nsec;
	r.exit_status = (uint32_t)p->exit_status;
	r.exited_at = p->failed ? NULL : &at;
	pst_call_reply(c, &r.base);
}

static void let_go(struct pst_proc *p)
{
	while (p->waiters != NULL) {
		struct pst_waiter *w = p->waiters;
		p->waiters = w->next;
		answer_wait(w->call, p);
		free(w);
	}
}

static void announce(struct pst_proc *p)
{
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__TaskExit e = PST__TASK_EXIT__INIT;
	p->status = PST_STATUS_STOPPED;
	at.seconds = p->exited_at.tv_sec;
	at.nanos = (int32_t)p->exited_at.tv_nsec;
	e.container_id = p->task->id;
	e.id = p->id != NULL ? p->id : p->task->id;
	e.pid = (uint32_t)p->pid;
	e.exit_status = (uint32_t)p->exit_status;
	e.exited_at = &at;
	pst_events_send("/tasks/exit", "containerd.events.TaskExit", &e.base);
	let_go(p);
}

static bool execs_run(const struct pst_task *t)
{
	for (const struct pst_proc *p = t->execs; p != NULL; p = p->next)
		if (p->starting || p->status == PST_STATUS_RUNNING)
			return true;
	return false;
}

static void announce_init(struct pst_task *t)
{
	t->init_waits = false;
	pst_timer_stop(&t->late);
	announce(&t->init);
}

static void too_late(void *ctx)
{
	announce_init(ctx);
}

static void swept(struct pst_job *j, int status)
{
	if (status != 0)
		pst_log("warning", "processes of %s that outlived its init may run on (status %d)",
			j->task->id, status);
	pst_task_swept(j->task);
}

/* Without a pid namespace of its own, the container's other processes live on. */
static void kill_rest(struct pst_task *t)
{
	static const int none[3] = {-1, -1, -1};
	struct pst_args a;
	struct pst_err err = {0};
	pst_args_begin(&a, t);
	pst_args_add(&a, "kill");
	pst_args_add(&a, "--all");
	pst_args_add(&a, t->id);
	pst_args_add(&a, "KILL");
	const struct pst_job j = {.task = t, .fd = -1, .done = swept};
	t->sweeping = pst_job_run(&j, &a, none, -1, &err) == PST_OK;
	if (!t->sweeping)
		pst_log("warning", "%s: %s", t->id, err.msg);
}

/* An end that is known and may be told. */
static void settle(struct pst_proc *p)
{
	struct pst_task *t = p->task;
	if (!p->ended || p->starting || p->status == PST_STATUS_STOPPED)
		return;
	if (p != &t->init) {
		announce(p);
		if (t->init_waits && !execs_run(t))
			announce_init(t);
		return;
	}
	pst_parts_end(t);
	if (!t->own_pidns)
		kill_rest(t);
	if (!execs_run(t)) {
		announce(p);
		return;
	}
	t->init_waits = true;
	t->late.fire = too_late;
	t->late.ctx = t;
	pst_timer_set(&t->late, LATE_MS);
}

static void on_end(void *ctx, int status)
{
	struct pst_proc *p = ctx;
	p->ended = true;
	p->exit_status = status;
	p->exited_at = pst_child_time();
	/* Killed before its start: the runtime that waits for the word goes too. */
	if (p == &p->task->init && p->task->gate >= 0)
		pst_fd_close(PST_TAKE_FD(p->task->gate));
	settle(p);
}

void pst_proc_await(struct pst_proc *p)
{
	p->child = (struct pst_child){.pid = p->pid, .ended = on_end, .ctx = p};
	pst_child_await(&p->child);
}

void pst_proc_started(struct pst_proc *p)
{
	p->starting = false;
	if (p->status == PST_STATUS_CREATED)
		p->status = PST_STATUS_RUNNING;
	settle(p);
}

void pst_proc_failed(struct pst_proc *p)
{
	struct pst_task *t = p->task;
	p->starting = false;
	p->failed = true;
	p->status = PST_STATUS_STOPPED;
	p->exit_status = 255;
	let_go(p);
	if (t->init_waits && !execs_run(t))
		announce_init(t);
}

void pst_task_wait(struct pst_call *c, const void *msg)
{
	const Pst__WaitRequest *q = msg;
	struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (p->status == PST_STATUS_STOPPED) {
		answer_wait(c, p);
		return;
	}
	struct pst_waiter *w = malloc(sizeof *w);
	if (w == NULL) {
		pst_call_fail(c, PST_RPC_RESOURCE_EXHAUSTED, "out of memory");
		return;
	}
	*w = (struct pst_waiter){.call = c, .next = p->waiters};
	p->waiters = w;
}

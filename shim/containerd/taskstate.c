/* What only looks: State, Pids, Stats, Connect; and the small ones of stdio. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "containerd/stats.h"
#include "containerd/task.h"
#include "proto/options.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

void pst_task_state(struct pst_call *c, const void *msg)
{
	const Pst__StateRequest *q = msg;
	const struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__StateResponse r = PST__STATE_RESPONSE__INIT;
	r.id = p->id != NULL ? p->id : p->task->id;
	r.bundle = p->task->bundle;
	r.pid = (uint32_t)p->pid;
	r.status = (Pst__Status)p->status;
	if (p->task->paused && p->status == PST_STATUS_RUNNING)
		r.status = (Pst__Status)PST_STATUS_PAUSED;
	r.stdin = p->in;
	r.stdout = p->out;
	r.stderr = p->err;
	r.terminal = p->terminal;
	r.exit_status = (uint32_t)p->exit_status;
	if (p->status == PST_STATUS_STOPPED && !p->failed) {
		at.seconds = p->exited_at.tv_sec;
		at.nanos = (int32_t)p->exited_at.tv_nsec;
		r.exited_at = &at;
	}
	pst_call_reply(c, &r.base);
}

void pst_task_connect(struct pst_call *c, const void *msg)
{
	const Pst__ConnectRequest *q = msg;
	const struct pst_task *t = pst_task_find(q->id);
	Pst__ConnectResponse r = PST__CONNECT_RESPONSE__INIT;
	r.shim_pid = (uint32_t)getpid();
	r.task_pid = t != NULL ? (uint32_t)t->init.pid : 0;
	pst_call_reply(c, &r.base);
}

/* The exec whose first process `pid` is, or NULL. */
static const struct pst_proc *exec_of(const struct pst_task *t, pid_t pid)
{
	const struct pst_proc *p = t->execs;
	while (p != NULL && (p->pid != pid || p->status != PST_STATUS_RUNNING))
		p = p->next;
	return p;
}

struct pids {
	Pst__PidsResponse r;
	Pst__ProcessInfo *info;
	Pst__ProcessInfo **list;
	Pst__Any *any;
	uint8_t (*text)[192];
};

static void describe(struct pids *s, size_t i, const struct pst_proc *exec)
{
	Pst__ProcessDetails d = PST__PROCESS_DETAILS__INIT;
	static char type[] = "containerd.runc.v1.ProcessDetails";
	pst__any__init(&s->any[i]);
	d.exec_id = exec->id;
	if (pst__process_details__get_packed_size(&d) > sizeof s->text[i])
		return;
	s->any[i].type_url = type;
	s->any[i].value.data = s->text[i];
	s->any[i].value.len = pst__process_details__pack(&d, s->text[i]);
	s->info[i].info = &s->any[i];
}

static void reply_pids(struct pst_call *c, const struct pst_task *t, const pid_t *pids, size_t n)
{
	struct pids s = {
		.info = calloc(n + 1, sizeof *s.info),
		.list = calloc(n + 1, sizeof(void *)),
		.any = calloc(n + 1, sizeof *s.any),
		.text = calloc(n + 1, sizeof *s.text),
	};
	pst__pids_response__init(&s.r);
	if (s.info == NULL || s.list == NULL || s.any == NULL || s.text == NULL) {
		pst_call_fail(c, PST_RPC_RESOURCE_EXHAUSTED, "out of memory");
	} else {
		for (size_t i = 0; i < n; i++) {
			pst__process_info__init(&s.info[i]);
			s.info[i].pid = (uint32_t)pids[i];
			s.list[i] = &s.info[i];
			const struct pst_proc *exec = exec_of(t, pids[i]);
			if (exec != NULL)
				describe(&s, i, exec);
		}
		s.r.processes = s.list;
		s.r.n_processes = n;
		pst_call_reply(c, &s.r.base);
	}
	free(s.info);
	free(s.list);
	free(s.any);
	free(s.text);
}

void pst_task_pids(struct pst_call *c, const void *msg)
{
	const Pst__PidsRequest *q = msg;
	const struct pst_proc *p = pst_task_proc(c, q->id, "");
	struct pst_err err = {0};
	pid_t *pids = NULL;
	size_t n = 0;
	if (p == NULL)
		return;
	if (!p->ended && pst_cgroup_pids(&p->task->cgroup, &pids, &n, &err) != PST_OK) {
		pst_call_error(c, &err);
		return;
	}
	reply_pids(c, p->task, pids, n);
	free(pids);
}

void pst_task_stats(struct pst_call *c, const void *msg)
{
	const Pst__StatsRequest *q = msg;
	const struct pst_proc *p = pst_task_proc(c, q->id, "");
	struct pst_err err = {0};
	if (p == NULL)
		return;
	if (!pst_cgroup_exists(&p->task->cgroup)) {
		pst_call_fail(c, PST_RPC_NOT_FOUND, "cgroup does not exist: not found");
		return;
	}
	Pst__Any any = PST__ANY__INIT;
	Pst__StatsResponse r = PST__STATS_RESPONSE__INIT;
	if (pst_stats_pack(&p->task->cgroup, &any, &err) != PST_OK) {
		pst_call_error(c, &err);
		return;
	}
	r.stats = &any;
	pst_call_reply(c, &r.base);
	free(any.value.data);
}

void pst_task_resize(struct pst_call *c, const void *msg)
{
	const Pst__ResizePtyRequest *q = msg;
	struct pst_err err = {0};
	const struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (p->io != NULL && pst_procio_resize(p->io, q->width, q->height, &err) != PST_OK)
		pst_call_error(c, &err);
	else
		pst_call_reply(c, NULL);
}

void pst_task_close_io(struct pst_call *c, const void *msg)
{
	const Pst__CloseIORequest *q = msg;
	const struct pst_proc *p = pst_task_proc(c, q->id, q->exec_id);
	if (p == NULL)
		return;
	if (q->stdin && p->io != NULL)
		pst_procio_close_in(p->io);
	pst_call_reply(c, NULL);
}

/* Pause, Resume, Update, Checkpoint: one call of postern each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/options.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

static const int none[3] = {-1, -1, -1};

static struct pst_task *running(struct pst_call *c, const char *id)
{
	struct pst_proc *p = pst_task_proc(c, id, "");
	if (p == NULL)
		return NULL;
	if (p->status == PST_STATUS_RUNNING && !p->ended)
		return p->task;
	pst_call_fail(c, PST_RPC_FAILED_PRECONDITION, "container %s is not running: failed precondition",
		      id);
	return NULL;
}

static void run(struct pst_call *c, struct pst_task *t, struct pst_args *a, int extra,
		void (*done)(struct pst_job *j, int status))
{
	struct pst_err err = {0};
	const struct pst_job j = {.call = c, .task = t, .fd = -1, .log_at = pst_job_log_size(t),
				  .done = done};
	if (pst_job_run(&j, a, none, extra, &err) != PST_OK)
		pst_call_error(c, &err);
}

static void paused(struct pst_job *j, int status)
{
	Pst__TaskPaused e = PST__TASK_PAUSED__INIT;
	if (status != 0) {
		pst_job_fail(j->call, j->task, j->log_at, "OCI runtime pause failed", status);
		return;
	}
	j->task->paused = true;
	e.container_id = j->task->id;
	pst_events_send("/tasks/paused", "containerd.events.TaskPaused", &e.base);
	pst_call_reply(j->call, NULL);
}

static void resumed(struct pst_job *j, int status)
{
	Pst__TaskResumed e = PST__TASK_RESUMED__INIT;
	if (status != 0) {
		pst_job_fail(j->call, j->task, j->log_at, "OCI runtime resume failed", status);
		return;
	}
	j->task->paused = false;
	e.container_id = j->task->id;
	pst_events_send("/tasks/resumed", "containerd.events.TaskResumed", &e.base);
	pst_call_reply(j->call, NULL);
}

void pst_task_pause(struct pst_call *c, const void *msg)
{
	const Pst__PauseRequest *q = msg;
	struct pst_args a;
	struct pst_task *t = running(c, q->id);
	if (t == NULL)
		return;
	pst_args_begin(&a, t);
	pst_args_add(&a, "pause");
	pst_args_add(&a, t->id);
	run(c, t, &a, -1, paused);
}

void pst_task_resume(struct pst_call *c, const void *msg)
{
	const Pst__ResumeRequest *q = msg;
	struct pst_args a;
	struct pst_task *t = running(c, q->id);
	if (t == NULL)
		return;
	pst_args_begin(&a, t);
	pst_args_add(&a, "resume");
	pst_args_add(&a, t->id);
	run(c, t, &a, -1, resumed);
}

static void updated(struct pst_job *j, int status)
{
	if (status == 0)
		pst_call_reply(j->call, NULL);
	else
		pst_job_fail(j->call, j->task, j->log_at, "OCI runtime update failed", status);
}

void pst_task_update(struct pst_call *c, const void *msg)
{
	const Pst__UpdateTaskRequest *q = msg;
	struct pst_args a;
	struct pst_proc *p = pst_task_proc(c, q->id, "");
	if (p == NULL)
		return;
	if (q->resources == NULL || q->resources->value.len == 0) {
		pst_call_fail(c, PST_RPC_INVALID_ARGUMENT, "no resources to update");
		return;
	}
	pst_auto_fd doc = memfd_create("postern-update", MFD_CLOEXEC);
	const size_t len = q->resources->value.len;
	if (doc < 0 || write(doc, q->resources->value.data, len) != (ssize_t)len ||
	    lseek(doc, 0, SEEK_SET) != 0) {
		pst_call_fail(c, PST_RPC_INTERNAL, "cannot hold the resources: %s", strerror(errno));
		return;
	}
	pst_args_begin(&a, p->task);
	pst_args_add(&a, "update");
	pst_args_add(&a, "--resources");
	pst_args_add(&a, "/proc/self/fd/3");
	pst_args_add(&a, p->task->id);
	run(c, p->task, &a, doc, updated);
}

static void checkpointed(struct pst_job *j, int status)
{
	Pst__TaskCheckpointed e = PST__TASK_CHECKPOINTED__INIT;
	if (status != 0) {
		pst_job_fail(j->call, j->task, j->log_at, "OCI runtime checkpoint failed", status);
		return;
	}
	e.container_id = j->task->id;
	e.checkpoint = j->path;
	pst_events_send("/tasks/checkpointed", "containerd.events.TaskCheckpointed", &e.base);
	pst_call_reply(j->call, NULL);
}

static void checkpoint_flags(struct pst_args *a, const Pst__CheckpointOptions *o)
{
	if (o == NULL || !o->exit)
		pst_args_add(a, "--leave-running");
	if (o == NULL)
		return;
	if (o->open_tcp)
		pst_args_add(a, "--tcp-established");
	if (o->external_unix_sockets)
		pst_args_add(a, "--ext-unix-sk");
	if (o->terminal)
		pst_args_add(a, "--shell-job");
	if (o->file_locks)
		pst_args_add(a, "--file-locks");
}

void pst_task_checkpoint(struct pst_call *c, const void *msg)
{
	const Pst__CheckpointTaskRequest *q = msg;
	struct pst_args a;
	Pst__CheckpointOptions *o = NULL;
	struct pst_task *t = running(c, q->id);
	if (t == NULL)
		return;
	if (q->options != NULL)
		o = pst__checkpoint_options__unpack(NULL, q->options->value.len,
						    q->options->value.data);
	struct pst_err err = {0};
	struct pst_job j = {.call = c, .task = t, .fd = -1, .log_at = pst_job_log_size(t),
			    .done = checkpointed, .path = strdup(q->path)};
	pst_args_begin(&a, t);
	pst_args_add(&a, "checkpoint");
	pst_args_add(&a, "--image-path");
	pst_args_add(&a, q->path);
	pst_args_add(&a, "--work-path");
	pst_args_add(&a, o != NULL && o->work_path[0] != '\0' ? o->work_path : t->bundle);
	checkpoint_flags(&a, o);
	pst_args_add(&a, t->id);
	const int rc = j.path == NULL ? pst_fail_nomem(&err) : pst_job_run(&j, &a, none, -1, &err);
	if (rc != PST_OK) {
		free(j.path);
		pst_call_error(c, &err);
	}
	if (o != NULL)
		pst__checkpoint_options__free_unpacked(o, NULL);
}

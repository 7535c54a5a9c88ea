/*
 * containerd/task.h - containers and their processes, as the task service sees them.
 *
 * A task is one container; it has one init and any number of execs. Everything here
 * is changed by the loop's thread alone. What comes beside a container (OOM
 * watch, and later listener, limits, gate of execs) hangs on the task as a
 * struct pst_part: begun when init is known, ended when it has exited.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/attr.h"
#include "base/err.h"
#include "containerd/cgroup.h"
#include "containerd/loop.h"
#include "containerd/options.h"
#include "containerd/serve.h"
#include "containerd/procio.h"

/* The numbers of containerd.types.Status. */
enum pst_status {
	PST_STATUS_CREATED = 1,
	PST_STATUS_RUNNING = 2,
	PST_STATUS_STOPPED = 3,
	PST_STATUS_PAUSED = 4,
};

struct pst_task;
struct pst_proc;

/* What lives beside a container, one interface for all. A part that cannot begin says
 * so in the log; the container goes on without it. */
struct pst_part {
	const char *name;
	int (*begin)(struct pst_task *t, void **ret_state, struct pst_err *err);
	void (*end)(void *state); /* NULL is never passed */
};
#define PST_PARTS_MAX 4

/* A Wait that is not answered yet. */
struct pst_waiter {
	struct pst_call *call;
	struct pst_waiter *next;
};

struct pst_proc {
	struct pst_task *task;
	struct pst_proc *next; /* among the execs */
	char *id;              /* exec id; NULL for init */
	char *in, *out, *err;
	bool terminal;
	enum pst_status status;
	bool starting; /* between the start's begin and its event */
	bool ended;    /* the kernel has said so; announced only once not starting */
	bool failed;   /* it never ran */
	bool deleting;
	bool gone; /* freed, but for the call that starts it (taskexec.c) */
	struct pst_call *deleter; /* the Delete that waits for the output */
	pid_t pid;
	struct pst_child child;
	int exit_status;
	struct timespec exited_at;
	struct pst_waiter *waiters;
	struct pst_procio *io;
	uint8_t *spec; /* process JSON of an exec until it starts */
	size_t spec_len;
};

struct pst_task {
	struct pst_task *next;
	char *id;
	char *bundle;
	struct pst_shim_options opt;
	char *root; /* --root of the runtime: option or default, with the namespace */
	struct pst_proc init;
	struct pst_proc *execs;
	unsigned jobs; /* calls of postern that run for it */
	bool gone;     /* freed, but for those */
	bool creating;
	bool paused;
	bool own_pidns; /* init is number 1 of a pid namespace: its end is everybody's */
	bool init_waits; /* init has ended, execs have not been reaped yet */
	bool oom_bounded; /* of its OOM events some are not told (parts.c) */
	bool sweeping;   /* what outlived init is being killed: its Delete waits for that */
	struct pst_timer late; /* bounds init_waits */
	struct pst_cgroup cgroup;
	void *part[PST_PARTS_MAX];
	/* A runtime held between create and start (postern create --hold). */
	int gate; /* -1: none */
	bool look; /* start --held is called before it is let through */
	struct pst_child held;
	struct pst_timer hold_end;
	bool held_gone;
	int held_status;
	void (*held_then)(struct pst_task *t);
	struct pst_call *starter; /* the Start that waits for the held runtime */
	off_t log_at; /* size of log.json before that */
	struct Pst__TaskCreate *announce; /* the create event, until the pid is known */
};

/* Never NULL: what the service was opened with. */
struct pst_service {
	const char *namespace_;
	const char *postern; /* path of the program that does the work */
	struct pst_task *tasks;
};
extern struct pst_service pst_service;

PST_CHECKED struct pst_task *pst_task_find(const char *id);
PST_CHECKED struct pst_proc *pst_task_exec(struct pst_task *t, const char *exec_id);
/* The process a request names, or NULL after answering NotFound. */
PST_CHECKED struct pst_proc *pst_task_proc(struct pst_call *c, const char *id, const char *exec_id);

void pst_proc_free_fields(struct pst_proc *p);
void pst_exec_free(struct pst_proc *p);
/* What outlived init has been killed: a Delete that waited for it goes on. */
void pst_task_swept(struct pst_task *t);
/* Off the list and gone; the memory follows when no call runs for it any more. */
void pst_task_free(struct pst_task *t);
/* One call less (job.c). */
void pst_task_release(struct pst_task *t);

/* taskend.c: p->pid is known, await its end. */
void pst_proc_await(struct pst_proc *p);
/* The start's event is queued: an end that came meanwhile may follow. */
void pst_proc_started(struct pst_proc *p);
/* An exec whose start failed: waiters are let go. */
void pst_proc_failed(struct pst_proc *p);

/* parts.c: begin and end all parts of a task. */
void pst_parts_begin(struct pst_task *t);
void pst_parts_end(struct pst_task *t);

/* One line to the log containerd reads, dropped when that is full. */
PST_PRINTF(2, 3) void pst_log(const char *level, const char *fmt, ...);

/* Answer with an error value of the library. */
void pst_call_error(struct pst_call *c, const struct pst_err *err);

/* The handlers; msg is the unpacked request, freed by the caller. */
void pst_task_create(struct pst_call *c, const void *msg);
void pst_task_start(struct pst_call *c, const void *msg);
void pst_task_exec_add(struct pst_call *c, const void *msg);
void pst_task_kill(struct pst_call *c, const void *msg);
void pst_task_wait(struct pst_call *c, const void *msg);
void pst_task_delete(struct pst_call *c, const void *msg);
void pst_task_pause(struct pst_call *c, const void *msg);
void pst_task_resume(struct pst_call *c, const void *msg);
void pst_task_update(struct pst_call *c, const void *msg);
void pst_task_checkpoint(struct pst_call *c, const void *msg);
void pst_task_state(struct pst_call *c, const void *msg);
void pst_task_pids(struct pst_call *c, const void *msg);
void pst_task_stats(struct pst_call *c, const void *msg);
void pst_task_connect(struct pst_call *c, const void *msg);
void pst_task_resize(struct pst_call *c, const void *msg);
void pst_task_close_io(struct pst_call *c, const void *msg);

/* taskexec.c */
void pst_exec_start(struct pst_call *c, struct pst_proc *p);

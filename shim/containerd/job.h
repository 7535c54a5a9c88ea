/*
 * containerd/job.h - a call of postern as a child process, with a callback.
 *
 * The shim plans nothing itself: `postern VERB` does, and ends. So the process that
 * lives as long as the pod has no JSON, no libseccomp and no journal in its memory.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "containerd/task.h"

struct pst_job {
	struct pst_child child;
	struct pst_call *call; /* to be answered at the end, or NULL */
	struct pst_task *task;
	struct pst_proc *proc; /* or NULL */
	int fd;                /* our end of what belongs to the call (hold socket), or -1 */
	char *path;            /* what `done` is to name, or NULL; freed with the job */
	off_t log_at;          /* size of log.json before the call */
	/* The child ended; the job is freed after this returns. */
	void (*done)(struct pst_job *j, int status);
};

#define PST_ARGS_MAX 96

/* A command line being put together. Words are borrowed. */
struct pst_args {
	const char *v[PST_ARGS_MAX];
	size_t n;
	bool full; /* a word was lost: the call must not be made */
};
void pst_args_add(struct pst_args *a, const char *word);

/* postern's own path and the global flags for this task's container. */
void pst_args_begin(struct pst_args *a, const struct pst_task *t);

/*
 * Run it. fds: what the child gets as 0, 1 and 2; -1 means /dev/null; extra: its
 * descriptor 3, or -1. The working directory is the bundle. *j is copied to the
 * heap; on failure nothing runs, nothing is called, and j->path stays the caller's.
 */
PST_CHECKED int pst_job_run(const struct pst_job *j, struct pst_args *a, const int fds[3],
			    int extra, struct pst_err *err);

/* The size of the task's log.json now. */
PST_CHECKED off_t pst_job_log_size(const struct pst_task *t);

/* Answer j->call with what the call logged as its last error, behind `what`. */
void pst_job_fail(struct pst_call *c, const struct pst_task *t, off_t log_at, const char *what,
		  int status);

/* A `done` for calls whose end changes nothing. */
void pst_job_ignore(struct pst_job *j, int status);

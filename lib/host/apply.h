/*
 * host/apply.h - carry a plan out, step by step, each journalled before it runs,
 * and take it back (I-5).
 *
 * One table (apply.c) knows for each kind of step how to run and how to undo it.
 * Undo reads only the journal, so failure, delete and recovery after a crash are
 * the same walk, and undoing what never happened does nothing.
 */
#pragma once

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "core/plan.h"
#include "host/ctx.h"
#include "host/journal.h"
#include "host/state.h"
#include "host/stdfd.h"

/* The parent's side of `runc run` (host/runloop.h). */
struct pst_runloop {
	int listen; /* the gate's socket */
	int conn;   /* the hook that waits for our word */
	int sig;    /* signalfd */
	pid_t pid;  /* the runtime; 0 once it was waited for */
	sigset_t mask; /* signal mask from before */
};

#define PST_RUNLOOP_NONE {.listen = -1, .conn = -1, .sig = -1}

/* One container being made. */
struct pst_apply {
	struct pst_ctx *ctx;
	const struct pst_create *create;
	const struct pst_plan *plan;
	struct pst_state *state;
	struct pst_record *record;
	struct pst_journal journal;
	int userns; /* id map of the block */
	int stage;  /* STAGE in the present mount namespace */
	int hostns; /* mount namespace we came from, once we left it; else -1 */
	bool attached; /* `run` without --detach: the runtime relays stdio itself */
	struct pst_stdfd_old std_old[3]; /* owners of stdio before the step of that name */
	bool std_given;
	pid_t init; /* the container's init on the host, once the runtime made it */
	int status; /* exit code of the runtime */
	struct pst_runloop loop;
	bool run;   /* create and start in one call of the runtime, see host/gate.h */
};

/* Give stdio back after a failure; no-op when it was not given away. */
void pst_apply_restore(struct pst_apply *a);


/* Run all steps of a->plan. On failure nothing is undone yet. */
PST_CHECKED int pst_apply_run(struct pst_apply *a, struct pst_err *err);

/* What undo may know beyond the journal. */
struct pst_undo {
	struct pst_ctx *ctx;
	const struct pst_state *state;
	const struct pst_record *record;
	struct pst_journal *journal;
	bool failed; /* the container never came to be: what it shared is put back */
};

/*
 * Undo every step that was begun and not undone, latest first, in the host's
 * mount namespace. Goes on after a failure and returns the first.
 */
PST_CHECKED int pst_apply_undo(struct pst_undo *u, struct pst_err *err);

/* Remember the mount namespace we are in as the host's, once. */
PST_CHECKED int pst_apply_mark(struct pst_apply *a, struct pst_err *err);

/* Back to the mount namespace we came from; no-op if we never left it. */
PST_CHECKED int pst_apply_leave(struct pst_apply *a, struct pst_err *err);

/* Text a cover of ours has in the mount table, unique per container. */
void pst_apply_source(const char *key, char out[64]);

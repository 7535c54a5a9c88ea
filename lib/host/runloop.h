/*
 * host/runloop.h - the parent's part of `runc run`: the gate, signals, the end.
 */
#pragma once

#include "host/apply.h"
#include "host/runcall.h"

/*
 * Start `c` (a `run` of the runtime), wait until its hook brings the pid of the
 * container's init; a->init is set. If the runtime ends before: PST_E_RUNTIME with an
 * empty message (it has spoken), a->status its code.
 */
PST_CHECKED int pst_runloop_start(struct pst_apply *a, struct pst_runcall *c, struct pst_err *err);

/* Block the signals that are the container's, and read them from a->loop.sig instead. */
PST_CHECKED int pst_runloop_signals(struct pst_apply *a, struct pst_err *err);

/* After verification: let the container start, forward signals until the runtime
 * ends; a->status is its exit code. */
PST_CHECKED int pst_runloop_wait(struct pst_apply *a, struct pst_err *err);

/* Tell the hook no if it waits, end the runtime if it runs, close what is open. Also
 * the way to close up after pst_runloop_wait. */
void pst_runloop_abort(struct pst_apply *a);

/* The runtime failed and has said why itself; see stepsrun.c. */
int pst_apply_runtime_failed(struct pst_err *err);

/*
 * containerd/hold.h - a runtime process held between create and start.
 *
 * `postern create --hold` leaves the runtime's `run` waiting at the gate, verified.
 * A Start that comes soon opens it: one process of the runtime serves both. One that
 * does not come soon finds the process ended (it is ten times the shim's size) and
 * the container created; then the runtime's own `start` does it.
 */
#pragma once

#include "containerd/task.h"

/* What create handed over on `sock`: init's pid, the gate, the held process, and whether
 * another look is due before that is let through. */
PST_CHECKED int pst_hold_take(struct pst_task *t, int sock, struct pst_err *err);

/* Has the network namespace of `pid` links besides loopback? If it cannot be read: it has. */
PST_CHECKED bool pst_hold_links(pid_t pid);

/* Is `pid` number 1 of a pid namespace of its own? */
PST_CHECKED bool pst_hold_own_pidns(pid_t pid);

/*
 * host/gate.h - hold `runc run` between create and start, for one look.
 *
 * runc runs the poststart hooks after the container's init waits and before it
 * is released (through 1.5; container_linux.go, start), and a hook that fails
 * makes it kill the container. So one process of the runtime serves create and
 * start, and still nothing runs unverified: the hook (postern-gate) connects to a
 * socket of ours, hands over the state it was given, and succeeds only on our word.
 * If we are dead it cannot connect, fails, and the container is gone (I-4).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/runver.h"

/* Does this runtime run poststart hooks before the start? */
PST_CHECKED bool pst_gate_works(const struct pst_runtime *rt);

/* Path of the postern-gate program: beside our own executable, else where it is
 * installed. malloc'd; NULL if there is none that root alone can write. */
PST_CHECKED char *pst_gate_program(void);

/* Listen at dfd/"gate" (`path` is its absolute path). *ret_fd is the caller's. */
PST_CHECKED int pst_gate_listen(const char *path, int *ret_fd, struct pst_err *err);

/*
 * One hook is connecting: take it and read the pid it brings.
 * *ret_conn stays open for pst_gate_answer. The peer must be root.
 */
PST_CHECKED int pst_gate_accept(int listen_fd, int *ret_conn, pid_t *ret_pid, struct pst_err *err);

/* Let the container start, or not. Closes `conn`. */
PST_CHECKED int pst_gate_answer(int conn, bool yes, struct pst_err *err);

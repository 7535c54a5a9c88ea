/*
 * containerd/console.h - the socket on which a runtime hands over a terminal.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

struct pst_console {
	int sock;       /* -1: none */
	char dir[32];   /* a folder of its own, 0700 */
	char path[48];  /* for --console-socket */
};

PST_CHECKED PST_NONNULL(1) int pst_console_open(struct pst_console *c, struct pst_err *err);

/* The runtime has connected: take the master (non-blocking, yours) and remove the
 * socket. PST_E_RUNTIME if what came is no terminal. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_console_take(struct pst_console *c, int *ret_master, struct pst_err *err);

/* Remove socket and folder. */
PST_NONNULL(1) void pst_console_close(struct pst_console *c);

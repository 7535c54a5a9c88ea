/*
 * containerd/procio.h - the standard streams of one container process.
 *
 * What Create and Exec name (nothing, a fifo, file://, binary://, a terminal), the
 * ends the runtime gets, and the copying between them, driven by the loop and never
 * blocking it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* As asked by containerd; strings are borrowed during pst_procio_open only. */
struct pst_procio_want {
	const char *in, *out, *err; /* "" = none (/dev/null) */
	bool terminal;              /* then `err` is not used */
	uint32_t uid, gid;          /* owner of the pipes (IoUid, IoGid options) */
	const char *id;             /* CONTAINER_ID of a logging program */
	const char *namespace_;     /* CONTAINER_NAMESPACE */
};

struct pst_procio; /* opaque; lives until pst_procio_free */

/* Open everything. With `terminal` a console socket is made instead of pipes.
 * PST_OK or an error, nothing left behind. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_procio_open(const struct pst_procio_want *want, struct pst_procio **ret, struct pst_err *err);

/* The child's ends, owned by the stdio: fds[0..2] are what the runtime gets as 0, 1
 * and 2 (/dev/null where nothing is wanted). Valid until pst_procio_begin. */
void pst_procio_ends(const struct pst_procio *s, int fds[3]);

/* Path for --console-socket, or NULL without a terminal. */
const char *pst_procio_console_socket(const struct pst_procio *s);

/* The runtime's create or exec came back with success: close the child's ends, take
 * the terminal from the console socket, remove the socket, and begin to copy the output. */
PST_CHECKED int pst_procio_begin(struct pst_procio *s, struct pst_err *err);

/* Start: open the client's stdin fifo and begin to copy it; again, or without one,
 * nothing. Not before Start, since ctr reads its own input as soon as somebody takes it
 * and at its end calls CloseIO only if it has had the answer of Create or Exec: an input
 * that fits the pipes would never end. */
PST_CHECKED int pst_procio_begin_in(struct pst_procio *s, struct pst_err *err);

/* The process has ended: when its streams are delivered (or `ms` have passed with a
 * stranger holding the pipe), call done(ctx) once, from the loop; at once, but still
 * from the loop, if nothing is left. `ms` counts from this call. */
void pst_procio_drain(struct pst_procio *s, unsigned ms, void (*done)(void *ctx), void *ctx);

/* CloseIO: give up our own writer of the stdin fifo, so that the container sees the end
 * once the client's writers are gone too. */
void pst_procio_close_in(struct pst_procio *s);

/* TIOCSWINSZ; without a terminal, or before there is one, nothing. 0x0 is ignored. */
PST_CHECKED int pst_procio_resize(struct pst_procio *s, unsigned width, unsigned height,
				 struct pst_err *err);

/* Close all, stop a logging program; NULL is allowed. No callback comes after it. */
void pst_procio_free(struct pst_procio *s);

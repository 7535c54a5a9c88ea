/*
 * containerd/serve.h - the ttrpc server on the loop.
 *
 * Accepts connections of the shim's own uid and gid (SO_PEERCRED), reads frames
 * (proto/ttrpc.h), and hands each request to one function; answers may come in any
 * order and at any later time. A connection that ended swallows its answers.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_call; /* one request until it is answered */

/* Exactly one pst_call_reply or pst_call_fail must follow, now or later. The strings
 * and the payload are valid during this call only. */
typedef void pst_serve_fn(struct pst_call *call, const char *service, const char *method,
			  const uint8_t *payload, size_t len);

/* Serve on a listening socket; takes the descriptor. left: called when the last connection
 * has ended, from within any call of this module; it may set a timer and no more. */
PST_CHECKED int pst_serve_open(int listen_fd, pst_serve_fn *fn, void (*left)(void),
			       struct pst_err *err);

/* Take no new connection; those there are go on. */
void pst_serve_no_more(void);

/* How many connections are open now. */
PST_CHECKED unsigned pst_serve_connections(void);

/* Answer with a message (NULL: Empty, a response of zero bytes). Frees the call. */
void pst_call_reply(struct pst_call *c, const ProtobufCMessage *m);

/* Answer with a status. `code` is one of enum pst_rpc_code. Frees the call. */
PST_PRINTF(3, 4)
void pst_call_fail(struct pst_call *c, int code, const char *fmt, ...);

/* Write out what is queued, for at most `ms`, before the process ends. */
void pst_serve_flush(unsigned ms);

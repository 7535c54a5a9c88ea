/*
 * containerd/stream.h - one direction of copying, driven by the loop.
 *
 * Pipes and fifos are joined by splice(2): no byte enters our memory. A terminal's
 * master is read and written through one buffer that all streams share; what a full
 * fifo does not take waits in a small one of the stream's own. Only one side is
 * ever watched: the source while it is empty, the destination while it is full.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "containerd/loop.h"

struct pst_stream {
	int from, to;    /* -1: closed. Both are the stream's own; `to` is closed at the end,
			  * which its reader sees */
	bool by_read;    /* a terminal is at one end: splice does not do */
	bool done;
	bool bulk;       /* pipes were made bigger */
	uint8_t *carry;  /* read, not yet written */
	size_t ncarry, at;
	struct pst_watch w;
	void (*ended)(void *ctx);
	void *ctx;
};
#define PST_STREAM_NONE ((struct pst_stream){.from = -1, .to = -1, .done = true, .w = {.fd = -1}})

/* Begin to copy; from, to and the rest are set. */
PST_CHECKED int pst_stream_begin(struct pst_stream *s, struct pst_err *err);

/* Move what can be moved at once, for a stream that is about to be given up. */
void pst_stream_push(struct pst_stream *s);

/* Stop and close what is owned. No callback. */
void pst_stream_stop(struct pst_stream *s);

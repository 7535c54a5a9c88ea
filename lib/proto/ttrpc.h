/*
 * proto/ttrpc.h - frames of the ttrpc protocol: bytes <-> structs.
 *
 * Pure. A frame is a header of ten bytes, big-endian (u32 length of the payload, u32
 * stream, u8 type, u8 flags), and the payload (containerd/ttrpc, PROTOCOL.md). Frames
 * arrive in any split; a reader takes what there is and hands out whole frames.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PST_TTRPC_HEADER 10
#define PST_TTRPC_MAX (4u << 20) /* largest payload, the protocol's own */

enum pst_ttrpc_type {
	PST_TTRPC_REQUEST = 1,
	PST_TTRPC_RESPONSE = 2,
	PST_TTRPC_DATA = 3,
};

/* google.rpc.Code, as far as it is used. */
enum pst_rpc_code {
	PST_RPC_OK = 0,
	PST_RPC_CANCELED = 1,
	PST_RPC_UNKNOWN = 2,
	PST_RPC_INVALID_ARGUMENT = 3,
	PST_RPC_DEADLINE_EXCEEDED = 4,
	PST_RPC_NOT_FOUND = 5,
	PST_RPC_ALREADY_EXISTS = 6,
	PST_RPC_PERMISSION_DENIED = 7,
	PST_RPC_RESOURCE_EXHAUSTED = 8,
	PST_RPC_FAILED_PRECONDITION = 9,
	PST_RPC_UNIMPLEMENTED = 12,
	PST_RPC_INTERNAL = 13,
	PST_RPC_UNAVAILABLE = 14,
};

struct pst_ttrpc_header {
	uint32_t length;
	uint32_t stream;
	uint8_t type;
	uint8_t flags;
};

PST_NONNULL(1, 2)
void pst_ttrpc_emit(const struct pst_ttrpc_header *h, uint8_t out[PST_TTRPC_HEADER]);
PST_NONNULL(1, 2)
void pst_ttrpc_parse(const uint8_t in[PST_TTRPC_HEADER], struct pst_ttrpc_header *ret);

/* Collects one frame at a time. Zero-initialised is empty; between frames it holds
 * no memory. */
struct pst_ttrpc_reader {
	uint8_t head[PST_TTRPC_HEADER];
	struct pst_ttrpc_header h; /* valid once nhead is complete */
	size_t nhead;
	uint8_t *body; /* grows as bytes come, so that a promise of 4 MiB costs nothing */
	size_t nbody, space;
	size_t skip; /* bytes of an oversized frame still to be thrown away */
};

enum pst_ttrpc_got {
	PST_TTRPC_MORE,   /* all bytes taken, no frame is complete */
	PST_TTRPC_FRAME,  /* r->h and r->body are one frame; call pst_ttrpc_next */
	PST_TTRPC_TOOBIG, /* r->h is the header of a frame above the maximum, which will
			     be skipped; answer it, and call pst_ttrpc_next */
	PST_TTRPC_NOMEM,  /* give the connection up */
};

/* Take bytes; *used says how many, the rest is to be given again. */
PST_CHECKED PST_NONNULL(1, 2, 4)
enum pst_ttrpc_got pst_ttrpc_take(struct pst_ttrpc_reader *r, const uint8_t *in, size_t len,
				  size_t *used);

/* Done with a frame: free it and be ready for the next. */
PST_NONNULL(1) void pst_ttrpc_next(struct pst_ttrpc_reader *r);

/* Free whatever is held. */
PST_NONNULL(1) void pst_ttrpc_done(struct pst_ttrpc_reader *r);

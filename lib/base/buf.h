/*
 * base/buf.h - a growable byte buffer, always NUL-terminated, with a cap.
 *
 * Pure. A failed append (no memory, cap reached) sets `bad` and leaves what was
 * there; later appends do nothing, so callers check pst_buf_ok() once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define PST_BUF_CAP ((size_t)256 << 20) /* no document of ours is larger */

struct pst_buf {
	char *data; /* NULL until the first append */
	size_t len; /* bytes, without the terminating NUL */
	size_t cap;
	bool bad;
};

/* Frees the bytes and empties the buffer. Accepts an empty one. */
void pst_buf_done(struct pst_buf *b);

/* A struct pst_buf on the stack, freed at end of scope; initialise with {0}. */
#define pst_auto_buf PST_CLEANUP(pst_buf_done) struct pst_buf

void pst_buf_add(struct pst_buf *b, const void *data, size_t len);
void pst_buf_str(struct pst_buf *b, const char *s);
void pst_buf_char(struct pst_buf *b, char c);
PST_PRINTF(2, 3) void pst_buf_fmt(struct pst_buf *b, const char *fmt, ...);

/* False after any failed append. */
PST_CHECKED bool pst_buf_ok(const struct pst_buf *b);

/* The text so far: never NULL, valid until the next append. */
const char *pst_buf_cstr(const struct pst_buf *b);

/* Hand the bytes over to the caller (free(3)); the buffer is empty afterwards.
 * NULL if an append failed or memory is short. */
PST_CHECKED char *pst_buf_take(struct pst_buf *b);

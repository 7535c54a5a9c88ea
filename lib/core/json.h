/*
 * core/json.h - untrusted JSON in, byte-true JSON out.
 *
 * Pure. yajl reads, so that depth, size, duplicate keys, UTF-8 and trailing
 * bytes are judged before a tree exists, and numbers arrive as source text.
 * The tree is jansson's. A number that jansson cannot hold or would reprint
 * differently (18446744073709551615, 1.10, 1e3) is kept as a *raw number*: a
 * json_string whose first byte is 0xFF, which no valid UTF-8 text can start
 * with, followed by the number's source text. pst_json_dump writes it back as
 * that number. (I-6; jansson docs "json_int_t"; yajl_gen.h yajl_gen_number.)
 *
 * Trees are read through the pst_json_* getters where a value may be raw.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct pst_json_limits {
	size_t bytes;   /* longest document */
	unsigned depth; /* deepest nesting */
};

/* What an OCI document may be: 16 MiB, 64 levels. */
extern const struct pst_json_limits pst_json_oci;

static inline void pst_cleanup_json(json_t **j)
{
	json_decref(*j);
}

/* An owned reference, dropped at end of scope; initialise with NULL. */
#define pst_auto_json PST_CLEANUP(pst_cleanup_json) json_t

/*
 * Parse `len` bytes at `text`. On success *ret is a new reference the caller
 * owns. On failure: PST_E_SPEC with line, column and JSON pointer of the fault
 * in the error (pointer field; "line L, column C" in the message), or
 * PST_E_NOMEM. `name` is put into err->file.
 */
PST_CHECKED PST_NONNULL(1, 3, 4, 5)
int pst_json_parse(const char *text, size_t len, const char *name,
		   const struct pst_json_limits *lim, json_t **ret, struct pst_err *err);

enum pst_json_style { PST_JSON_COMPACT, PST_JSON_PRETTY };

/* Append `j` as JSON text; object keys in insertion order, raw numbers as they
 * stood. PST_E_NOMEM when the buffer is full. */
PST_CHECKED int pst_json_dump(const json_t *j, enum pst_json_style style, struct pst_buf *out,
			      struct pst_err *err);

/* A raw number? (see above) */
PST_CHECKED bool pst_json_is_raw(const json_t *j);

/* Any JSON number: json_integer, json_real or raw. */
PST_CHECKED bool pst_json_is_num(const json_t *j);

/* A JSON string that is not a raw number; NULL for everything else. Borrowed. */
const char *pst_json_str(const json_t *j);

/* The value as uint64/int64 if it is a whole number in range, raw or not. */
PST_CHECKED bool pst_json_u64(const json_t *j, uint64_t *ret);
PST_CHECKED bool pst_json_i64(const json_t *j, int64_t *ret);

/* A number node for `v`: json_integer below 2^63, else raw. NULL without memory. */
PST_CHECKED json_t *pst_json_from_u64(uint64_t v);

/*
 * Member by RFC 6901 pointer ("/linux/seccomp"); NULL if a part is missing.
 * Borrowed. "" is `root` itself.
 */
json_t *pst_json_at(const json_t *root, const char *pointer);

/*
 * Set (or with value NULL remove) the member at `pointer`, making missing
 * objects on the way; "-" as last part appends to an array. Steals `value`
 * always. False when a part on the way is not a container or memory is short.
 */
PST_CHECKED bool pst_json_put(json_t *root, const char *pointer, json_t *value);

/* A deep copy, raw numbers included; new reference, NULL without memory. */
PST_CHECKED json_t *pst_json_copy(const json_t *j);

/*
 * Append "/" and `key`, escaped as RFC 6901 wants, to the pointer in buf. A key
 * that does not fit is left out whole, so that what stands there stays true.
 */
void pst_json_pointer_push(char *buf, size_t size, const char *key);

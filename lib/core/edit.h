/*
 * core/edit.h - changes to a document, each with its reason and source (I-8).
 *
 * Pure. An append-only list: the hardened config.json is the caller's tree plus
 * these, applied in order, so fields nobody edited pass as they stood (I-6).
 * Texts are copied. A failed append (no memory) sets `bad`, which apply and
 * json report, so that a lost edit can never end in a container without it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_edit {
	char *pointer; /* RFC 6901 into the document; last part "-" appends to an array */
	json_t *value; /* what it becomes; NULL removes the member */
	char *reason;  /* one sentence, lower case, no full stop */
	char *source;  /* policy rule, profile line, spec pointer or kernel fact */
};

struct pst_edits {
	struct pst_edit *v;
	size_t n;
	size_t cap;
	bool bad;
};

/*
 * Append "`pointer` becomes `value`". `value` is stolen, also on failure. A NULL
 * value is a constructor that ran out of memory and sets `bad`: it must not turn
 * into a removal. The reason is cut at 1023 bytes.
 */
PST_PRINTF(5, 6) PST_NONNULL(1, 2, 4, 5)
void pst_edit_set(struct pst_edits *l, const char *pointer, json_t *value, const char *source,
		  const char *fmt, ...);

/* Append "`pointer` goes"; removing what is absent is no error when applied.
 * Indexes of an array count in the document as earlier edits left it. */
PST_PRINTF(4, 5) PST_NONNULL(1, 2, 3, 4)
void pst_edit_remove(struct pst_edits *l, const char *pointer, const char *source, const char *fmt,
		     ...);

/* Frees all; accepts an empty list. */
void pst_edits_done(struct pst_edits *l);

/* A list on the stack, freed at end of scope; initialise with {0}. */
#define pst_auto_edits PST_CLEANUP(pst_edits_done) struct pst_edits

/*
 * Apply all edits to `tree` in order. Values are copied, so later changes of
 * the tree leave the list alone. PST_E_NOMEM for a `bad` list (nothing is
 * applied), PST_E_SPEC when a part on the way to a pointer is neither object nor
 * array; the tree may then be half-edited and must be dropped.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_edits_apply(const struct pst_edits *l, json_t *tree, struct pst_err *err);

/*
 * [{"op":"set"|"remove","pointer","value" (set only),"reason","source"},...] in
 * order; new reference, NULL without memory or for a `bad` list. Bytes of a text
 * that are not UTF-8 (file names of the host) print as '?'.
 */
PST_CHECKED json_t *pst_edits_json(const struct pst_edits *l);

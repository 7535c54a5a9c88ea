/*
 * core/tomlscan.h - the statements of a TOML text, with their places in it.
 *
 * Pure. For files that belong to somebody else, which are added to and never written
 * anew: what matters is where a statement stands, to the byte. Lexical only: quotes,
 * brackets, multi-line values and comments are followed, so that nothing inside a text
 * is taken for a statement; types, dates and doubled keys are for the engine to judge.
 * (TOML 1.0.0; CR LF counts as a line end.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_TOML_PATH 512

enum pst_toml_kind {
	PST_TOML_TABLE,   /* [a.b] */
	PST_TOML_TABLES,  /* [[a.b]] */
	PST_TOML_KEY,     /* a.b = value */
	PST_TOML_COMMENT, /* a line that is a comment and nothing else */
};

struct pst_toml_stmt {
	enum pst_toml_kind kind;
	char path[PST_TOML_PATH]; /* of the table, or of the key with its table, as a JSON pointer:
				     [a."b.c"] x = 1 is /a/b.c/x; "" for a comment */
	size_t at, end;           /* first byte of its first line, byte behind its last line end */
	unsigned line;            /* of its first line, from 1 */
	const char *value;        /* of a key: its text; of a comment: from the #. Line end and
				     blanks at the end are left out. Borrowed */
	size_t value_len;
};

/* Called for each; a code other than PST_OK ends the walk. */
typedef int pst_toml_fn(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err);

/* Walk `len` bytes. PST_E_SPEC with file `name` and the line when quotes or brackets do
 * not end, a line is no statement, or a path is longer than PST_TOML_PATH. */
PST_CHECKED PST_NONNULL(1, 3, 4)
int pst_tomlscan(const char *text, size_t len, const char *name, pst_toml_fn *fn, void *ctx,
		 struct pst_err *err);

/* A value that is one string, without quotes and with \" and \\ resolved, into buf. False:
 * no string, another escape, or no room. */
PST_CHECKED PST_NONNULL(1, 3)
bool pst_toml_string(const char *value, size_t len, char *buf, size_t size);

/* Call fn with each string of a value that is an array of strings; false when it is none
 * (fn may have been called by then). */
PST_CHECKED PST_NONNULL(1, 3)
bool pst_toml_strings(const char *value, size_t len, void (*fn)(void *ctx, const char *s),
		      void *ctx);

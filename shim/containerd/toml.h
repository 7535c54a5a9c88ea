/*
 * containerd/toml.h - the options table containerd passes on as TOML.
 *
 * Keys with strings, whole numbers and true/false, comments, and table headers; keys
 * below a header other than [options] or a table ending in .options are skipped.
 * Pure. Not a TOML library: what it does not know is an error.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* Call set(ctx, key, value) for each; value without quotes, escapes resolved. Ends at
 * the first error, set's own among them. */
PST_CHECKED PST_NONNULL(3)
int pst_toml_read(const char *text, size_t len,
		  int (*set)(void *ctx, const char *key, const char *value, struct pst_err *err),
		  void *ctx, struct pst_err *err);

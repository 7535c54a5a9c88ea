/*
 * core/linediff.h - what changes in a file, for a person to read.
 *
 * Pure. One hunk in the form of diff -U0: the lines between the common begin and the common
 * end of both. No context: a configuration file's other lines may hold passwords, and this
 * goes to logs.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"

/* Append the difference of `before` to `after` of file `path`; NULL is no file. Nothing when
 * they are equal. Lines are made safe to print (core/oneline.h). */
PST_NONNULL(1, 6)
void pst_linediff(const char *path, const char *before, size_t before_len, const char *after,
		  size_t after_len, struct pst_buf *out);

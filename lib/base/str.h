/*
 * base/str.h - small pure helpers on strings and numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

PST_CHECKED bool pst_streq(const char *a, const char *b); /* NULL equals only NULL */
PST_CHECKED bool pst_starts(const char *s, const char *prefix);
PST_CHECKED bool pst_ends(const char *s, const char *suffix);

/*
 * The whole of `s` as an unsigned decimal (base 10) or, with base 0, decimal,
 * 0x hexadecimal or 0 octal number. No sign, no space, no empty string.
 * Returns false on anything else or above `max`; *ret is then untouched.
 */
PST_CHECKED bool pst_num_parse(const char *s, int base, uint64_t max, uint64_t *ret);

/*
 * Is `path` equal to `dir` or below it? Both must be absolute and clean
 * (no "." or ".." parts, no doubled slashes); a trailing slash of `dir` is
 * ignored. Compares text only.
 */
PST_CHECKED bool pst_path_under(const char *path, const char *dir);

/* True if a part of `path` is "..". */
PST_CHECKED bool pst_path_has_dotdot(const char *path);

/*
 * Clean an absolute path in text only (path_clean(3) of plan9, Go's
 * filepath.Clean): doubled slashes, "." and ".." go. Returns malloc'd text, or
 * NULL when memory is short or `path` is not absolute.
 */
PST_CHECKED char *pst_path_clean(const char *path);

/*
 * host/memdoc.h - hand a judged document to the runtime, so that what it reads is
 * what was judged.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Put `doc` into a memory file the runtime inherits over exec and opens by `path`
 * ("/proc/self/fd/N"). Numbered high, so that it never stands among
 * --preserve-fds; the runtime closes what it was not told to preserve.
 */
PST_CHECKED int pst_memdoc_write(const json_t *doc, char path[64], struct pst_err *err);

/* Read a JSON document of the caller's: a file, a pipe, or "-" for stdin. */
PST_CHECKED int pst_memdoc_read(const char *path, json_t **ret, struct pst_err *err);

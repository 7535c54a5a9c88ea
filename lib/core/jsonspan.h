/*
 * core/jsonspan.h - where in a JSON text the members of an object stand.
 *
 * Pure. For texts that pst_json_parse has accepted: nothing is judged here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct pst_jsonspan {
	size_t key, value; /* first bytes of both */
	size_t end;        /* behind the value */
};

/* The place of the opening brace of the object at the top. */
PST_CHECKED PST_NONNULL(1) size_t pst_jsonspan_top(const char *text);

/*
 * The next member of the object whose brace is at `open`: of the one after `prev`, or the
 * first with prev NULL. False: there is none (more). `ret` may be `prev`.
 */
PST_CHECKED PST_NONNULL(1, 4)
bool pst_jsonspan_next(const char *text, size_t open, const struct pst_jsonspan *prev,
		       struct pst_jsonspan *ret);

/* The member with that key (as it is written, without escapes); false: none. */
PST_CHECKED PST_NONNULL(1, 3, 4)
bool pst_jsonspan_find(const char *text, size_t open, const char *key, struct pst_jsonspan *ret);

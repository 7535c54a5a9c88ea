/*
 * core/keyfold.h - keys that a runtime written in Go takes for other keys.
 *
 * Pure. Go's encoding/json matches object keys without regard to case (Unicode
 * simple folding: U+017F is an s and U+212A a k), last one wins. A document
 * judged by exact keys could thus carry a second, unjudged "Capabilities".
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Does `key` fold to `name` (ASCII) without being it? */
PST_CHECKED PST_NONNULL(1, 2)
bool pst_keyfold_is(const char *key, const char *name);

/*
 * PST_E_SPEC with the pointer when a key anywhere in `doc` folds to one of `names`
 * (NULL-terminated) without being it. Below a key of `maps` (NULL-terminated:
 * annotations, sysctl, ...) keys are the caller's own and are not looked at.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_keyfold_check(const json_t *doc, const char *const names[], const char *const maps[],
		      struct pst_err *err);

/*
 * core/nearest.h - "did you mean": the known word closest to a mistyped one. Pure.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/*
 * Steps of adding, dropping or changing a letter, or swapping neighbours, that
 * turn a into b; `limit` + 1 if it takes more or a word has over 63 bytes.
 * Upper and lower case are the same letter.
 */
PST_CHECKED unsigned pst_nearest_steps(const char *a, const char *b, unsigned limit);

/*
 * The word of list[0..n) nearest to `word`, the first of equals; NULL when none
 * is within a third of its length (at least 1 step), because a far-fetched
 * suggestion is worse than none. NULL entries are skipped. Borrowed from list.
 */
const char *pst_nearest(const char *word, const char *const list[], size_t n);

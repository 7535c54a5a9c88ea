/*
 * core/oneline.h - text of unknown origin as one line that is safe to print.
 *
 * Pure. File names, JSON values and a runtime's words reach messages; some come
 * out of a container. A terminal must not obey them, a log must not get a
 * second line from them, and a JSON record must be valid UTF-8.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"

/*
 * Append `text` with everything but printable UTF-8 written as \xNN, a byte each:
 * control characters (C0, DEL, C1), bytes that are no UTF-8 (a sequence cut short,
 * overlong, a surrogate), and the signs that reorder a line (U+200E, U+200F, U+202A..E,
 * U+2028, U+2029, U+2066..9).
 */
PST_NONNULL(1, 2)
void pst_oneline(struct pst_buf *out, const char *text);

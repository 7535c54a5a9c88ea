/*
 * core/formatver.h - the version that a state file says it has.
 *
 * Pure. Programs of two builds work side by side while a node is upgraded: pods keep those
 * they were started with. A file of a newer form is named as such and left alone.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * PST_OK when /version of `doc` is `known`, or 1 to `known` for a form whose older versions
 * the caller reads too. Else PST_E_STATE: the file `what` is newer, with the cure and sys
 * EPROTONOSUPPORT, or has no version at all.
 */
PST_CHECKED PST_NONNULL(3)
int pst_formatver_check(const json_t *doc, unsigned known, const char *what, struct pst_err *err);

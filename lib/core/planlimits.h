/* core/planlimits.h - the limits of a hardened spec in words, each with its source. Pure. */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/buf.h"
#include "core/edit.h"

/*
 * A heading and a line a limit: "  memory 256 MiB  [policy.json /limits/memory/max]"; what no
 * edit set has the spec's own place as its source. Appends nothing for a spec without limits.
 */
PST_NONNULL(1, 2, 3)
void pst_planlimits_text(const json_t *spec, const struct pst_edits *edits, struct pst_buf *out);

/*
 * core/scview.h - what a profile does with a call, for a reader.
 *
 * Pure. A call is allowed (whatever its arguments), conditional (some arguments get
 * through), notified (some are put to an agent, none gets through by itself) or
 * denied. LOG and TRACE let a call through.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/scprof.h"

enum pst_scstate { PST_SC_ALLOWED, PST_SC_CONDITIONAL, PST_SC_NOTIFIED, PST_SC_DENIED };
#define PST_SC_NSTATES 4

/* "allowed", "conditional", "notified", "denied". */
const char *pst_scstate_word(enum pst_scstate s);

/* The state of a slot; p NULL is no filter: allowed. */
PST_CHECKED enum pst_scstate pst_scview_state(const struct pst_scprof *p, unsigned slot);

/*
 * Does the call of `slot` get through with some arguments of `box`?
 * p              NULL: no filter, always.
 * notify_denies  what is notified does not get through.
 * Says yes when the rules are too many to tell.
 */
PST_CHECKED PST_NONNULL(3) bool pst_scview_passes(const struct pst_scprof *p, unsigned slot,
						  const struct pst_box *box, bool notify_denies);

/*
 * The arguments a profile lets through for a slot, as boxes appended to `out`
 * (disjoint from what it denies; boxes of one action may overlap). out->bad is set
 * when there are too many.
 */
PST_NONNULL(1, 3)
void pst_scview_open(const struct pst_scprof *p, unsigned slot, struct pst_boxes *out);

/* The answer to a denied call when all denied arguments get the same one: the
 * action word; 0 where answers differ or nothing is denied. */
PST_CHECKED PST_NONNULL(1) uint32_t pst_scview_denial(const struct pst_scprof *p, unsigned slot);

/* Calls of the native table with an entry point in an ordinary kernel (live), by state.
 * counts[PST_SC_NSTATES]; returns how many there are in all. */
size_t pst_scview_count(const struct pst_scprof *p, size_t counts[PST_SC_NSTATES]);

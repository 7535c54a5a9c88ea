/*
 * core/sccheck.h - is a loaded filter chain at least as strict as a profile?
 *
 * Pure. No proof, but a walk over the points where a wrong filter shows: every
 * call number with arguments 0, and for calls with conditions each box's own
 * values, each condition with one bit wrong (lowest, highest, the high half) and
 * with a high bit set; the x32 numbers, and i386's. Linear in boxes; well below a
 * millisecond for the profiles shipped.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "core/bpfsim.h"
#include "core/scprof.h"

/* Where the chain is weaker. */
struct pst_scpoint {
	struct seccomp_data d;
	uint32_t got;
	uint32_t want;
};

/*
 * chain  programs in any order, not yet checked: a bad one is PST_E_RUNTIME.
 * n      0: no filter at all, weaker than any profile that denies something.
 * want   the intended profile.
 * point  filled when weaker; NULL: not wanted.
 *
 * PST_OK, or PST_E_STATE with the first point in words.
 */
PST_CHECKED PST_NONNULL(3)
int pst_sccheck(const struct pst_bpf chain[], size_t n, const struct pst_scprof *want,
		struct pst_scpoint *point, struct pst_err *err);

/*
 * Call `see` for each corner point of one slot's rules until it returns false.
 * args are the six arguments; the first point is all zeros.
 * Returns false if `see` did.
 */
typedef bool pst_sccheck_see(void *ctx, const uint64_t args[PST_NARGS]);
PST_CHECKED PST_NONNULL(1, 2)
bool pst_sccheck_corners(const struct pst_scslot *s, pst_sccheck_see *see, void *ctx);

/*
 * core/scdiff.h - how two system call profiles differ, exactly.
 *
 * Pure. Profiles are compared as functions from (call, arguments) to an action, so
 * two that are written differently and mean the same are equal. Native calls only.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/cube.h"
#include "core/scprof.h"

enum pst_scdiff_kind {
	PST_SCDIFF_ONLY_A, /* some arguments get through under a, none under b */
	PST_SCDIFF_ONLY_B,
	PST_SCDIFF_WHEN,   /* both let some through, not the same ones */
	PST_SCDIFF_ANSWER, /* the same get through; what is denied is answered otherwise */
};

/* One call. Boxes live for the call of `see` only. */
struct pst_scdiff {
	enum pst_scdiff_kind kind;
	const struct pst_sc *sc;
	const struct pst_boxes *a; /* through under a and not under b; ANSWER: where they differ */
	const struct pst_boxes *b; /* the other way round */
	uint32_t ret_a, ret_b;     /* ANSWER: the first pair of answers that differ */
	bool unsure;               /* too many conditions to tell: taken as different */
};

typedef void pst_scdiff_see(void *ctx, const struct pst_scdiff *d);

/*
 * Call `see` for every call that differs, in order of names. An action that lets
 * through differs from another that does (LOG, ALLOW) as an answer does. NOTIFY is
 * an answer, neither open nor denied.
 *
 * Returns the number of differences.
 */
PST_NONNULL(1, 2, 3)
size_t pst_scdiff(const struct pst_scprof *a, const struct pst_scprof *b, pst_scdiff_see *see,
		  void *ctx);

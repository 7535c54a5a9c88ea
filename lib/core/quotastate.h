/*
 * core/quotastate.h - what is kept of one limited subvolume: STATE/quota/UUID-ID. Pure.
 *
 * Several containers may run on one root directory, so its quota group is limited once: at the
 * least of what they want, until the last has gone. Lines of words (docs/formats.md):
 *
 *   was N        the limit that was there before us
 *   set N N      what we set last, and what was in force then: one of them is, unless
 *                somebody else changed it
 *   hold KEY N   a container, and the limit it wants
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/ctrid.h"

#define PST_QUOTA_HOLDERS_MAX 64

struct pst_quotastate {
	uint64_t was, set, before;
	struct {
		char key[PST_KEY_LEN + 1];
		uint64_t want;
	} holder[PST_QUOTA_HOLDERS_MAX];
	size_t n;
};

/* Container `key` wants `want`; what it wanted before is forgotten. PST_E_EXHAUSTED above
 * PST_QUOTA_HOLDERS_MAX. */
PST_CHECKED int pst_quotastate_hold(struct pst_quotastate *s, const char *key, uint64_t want, struct pst_err *err);
/* It wants nothing any more; false: it never did. */
bool pst_quotastate_drop(struct pst_quotastate *s, const char *key);
PST_CHECKED bool pst_quotastate_holds(const struct pst_quotastate *s, const char *key);

/* The limit they want together, never above the one that was there. */
PST_CHECKED uint64_t pst_quotastate_least(const struct pst_quotastate *s);

/* Is `now`, the limit in force, one of ours? */
PST_CHECKED bool pst_quotastate_ours(const struct pst_quotastate *s, uint64_t now);

/* Text and back. parse changes `text`; PST_E_STATE for anything that is no such file. */
PST_CHECKED int pst_quotastate_print(const struct pst_quotastate *s, struct pst_buf *out, struct pst_err *err);
PST_CHECKED int pst_quotastate_parse(char *text, struct pst_quotastate *ret, struct pst_err *err);

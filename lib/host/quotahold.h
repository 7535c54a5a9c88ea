/*
 * host/quotahold.h - the size of a subvolume, limited for the containers that run on it.
 *
 * Each limited subvolume has a record STATE/quota/UUID-ID (core/quotastate.h), written before the
 * kernel is told anything; one lock over the directory serialises all of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "host/statedir.h"

/*
 * Container `key` wants no more than `bytes` in the subvolume at `dir`; with `more` no more than that
 * beyond what it holds now. Others may want less; a lower limit that is there stays.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_quotahold_set(struct pst_statedir *sd, const char *key, const char *dir, uint64_t bytes, bool more,
		      struct pst_err *err);

/*
 * Container `key` is gone: the subvolume gets what the others want, or the limit it had. A limit
 * that somebody else changed meanwhile stays. That no record holds it is success; PST_E_STATE: none of
 * those that can be read does.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_quotahold_drop(struct pst_statedir *sd, const char *key, const char *dir, struct pst_err *err);

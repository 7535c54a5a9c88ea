/*
 * host/denials.h - the files of STATE/denials: read, follow, keep few.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "core/denial.h"
#include "host/container.h"
#include "host/statedir.h"

/* Files of containers that are gone, of calls and of limits: the newest so many stay. */
#define PST_DENIALS_KEEP 128

/* Called for each record that matches; an error ends the walk. */
typedef int pst_denial_see(void *ctx, json_t *record, struct pst_err *err);

/*
 * Read what is written, after asking the keepers for counts that are not. With
 * `follow` go on with what comes, looking four times a second, until a signal ends
 * the process. *ret_bad: lines that were no records.
 */
PST_CHECKED int pst_denials_walk(const struct pst_global *g, const struct pst_denial_filter *f,
				 bool follow, pst_denial_see *see, void *ctx, size_t *ret_bad,
				 struct pst_err *err);

/* Remove the oldest files of containers that are no more. Failures are no one's error. */
void pst_denials_prune(struct pst_statedir *sd);

/*
 * host/look.h - what is on record of a container, for verbs that come after create.
 */
#pragma once

#include <jansson.h>

#include "core/plan.h"
#include "host/ctx.h"
#include "host/state.h"

struct pst_seen {
	bool found; /* a container of ours */
	struct pst_state state;
	struct pst_record record;
};

#define PST_SEEN_NONE {.state = PST_STATE_NONE}
void pst_seen_done(struct pst_seen *s);
#define pst_auto_seen PST_CLEANUP(pst_seen_done) struct pst_seen

/* Look for container `id`; s->found is false when it is none of ours. */
PST_CHECKED int pst_look(struct pst_ctx *ctx, const char *id, enum pst_lock lock,
			 struct pst_seen *s, struct pst_err *err);

/* The plan written down at its create. *ret_tree (new reference) holds what *ret
 * borrows; free both. With `filter` the syscall profile is read too. */
PST_CHECKED int pst_look_plan(const struct pst_seen *s, bool filter, json_t **ret_tree,
			      struct pst_plan *ret, struct pst_err *err);

/* The hardened config.json it runs with; new reference. */
PST_CHECKED int pst_look_spec(const struct pst_seen *s, json_t **ret, struct pst_err *err);

/* PST_E_STATE unless the journal says verified (I-4). */
PST_CHECKED int pst_look_verified(const struct pst_seen *s, struct pst_err *err);

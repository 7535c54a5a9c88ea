/*
 * host/decide.h - from a bundle to a plan: read, collect facts, decide. No effect
 * but a user namespace held open by the id map's descriptor.
 */
#pragma once

#include "core/plan.h"
#include "host/ctx.h"
#include "host/factfind.h"

/* A bundle's config.json, read and typed. */
struct pst_bundle {
	char *path; /* canonical */
	json_t *tree;
	struct pst_spec spec;
};

void pst_bundle_done(struct pst_bundle *b);
#define pst_auto_bundle PST_CLEANUP(pst_bundle_done) struct pst_bundle

/* Read `dir`/config.json. Errors name the file and the pointer. */
PST_CHECKED int pst_bundle_read(const char *dir, struct pst_bundle *ret, struct pst_err *err);

/* Would the plan want a block of ids? Decides nothing: says whether to lease one. */
PST_CHECKED bool pst_bundle_wants_ids(const struct pst_ctx *c, const struct pst_bundle *b);

/* Decide with the facts given. Adds the bundle's file to errors about it. */
PST_CHECKED int pst_decide(const struct pst_ctx *c, const struct pst_bundle *b,
			   const json_t *facts, struct pst_plan *ret, struct pst_err *err);

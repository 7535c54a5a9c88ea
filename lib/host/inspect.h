/*
 * host/inspect.h - look without touching: facts, a plan that is not carried out,
 * and the health of the node.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "core/note.h"
#include "core/plan.h"
#include "host/container.h"

/* The facts of this machine, and of `bundle` if it is not NULL. New reference. */
PST_CHECKED int pst_inspect_facts(const struct pst_global *g, const char *bundle, json_t **ret,
				  struct pst_err *err);

/*
 * The plan for `bundle`: with the facts of file `facts` (no privilege, no runtime
 * needed), or with those of this machine. Free with pst_inspected_done.
 */
struct pst_inspected {
	struct pst_plan plan;
	struct pst_bundle *bundle; /* private */
};
PST_CHECKED int pst_inspect_plan(const struct pst_global *g, const char *bundle, const char *facts,
				 struct pst_inspected *ret, struct pst_err *err);
void pst_inspected_done(struct pst_inspected *i);

enum pst_health { PST_HEALTH_OK, PST_HEALTH_WARN, PST_HEALTH_BAD };

/* One thing looked at. Strings are fixed size: printable without allocation. */
struct pst_finding {
	enum pst_health health;
	char what[64];  /* "kernel", "runtime", ... */
	char text[320]; /* what was seen */
	char cure[320]; /* "" if nothing is to be done */
};

#define PST_FINDINGS_MAX 32

/*
 * Is this node ready? Fills v (PST_FINDINGS_MAX places). With `repair` what dead
 * containers left is cleared away first, and told in `notes`.
 */
PST_CHECKED int pst_inspect_doctor(const struct pst_global *g, bool repair, struct pst_finding v[],
				   size_t *n, struct pst_notes *notes, struct pst_err *err);

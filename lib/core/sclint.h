/*
 * core/sclint.h - what is wrong or risky in a profile somebody wrote.
 *
 * Pure. The profile is an OCI seccomp object, with or without our `postern` member.
 * Every finding has a JSON pointer and a cure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/caps.h"
#include "core/scprof.h"

enum pst_sclint_level {
	PST_LINT_ERROR,   /* it does not do what it says, or claims what does not hold */
	PST_LINT_WARNING, /* it works, and something in it is without effect or risky */
	PST_LINT_NOTE,    /* worth knowing */
};

struct pst_sclint_finding {
	enum pst_sclint_level level;
	char *pointer; /* into the document */
	char *text;
	char *cure;
};

struct pst_sclint {
	struct pst_sclint_finding *v;
	size_t n;
	size_t cap;
	bool bad; /* a finding was lost: no memory */
};

struct pst_sclint_in {
	const json_t *obj;             /* the seccomp object */
	const char *pointer;           /* where it stands in the document, "" or "/linux/seccomp" */
	const struct pst_scprof *base; /* what it is compared with; not NULL */
	const char *base_name;
	pst_capset caps; /* for the kernel bugs it opens: what a container holds */
	bool (*library)(const char *name); /* does libseccomp know the name? NULL: not asked */
	unsigned major, minor;             /* kernel it will run on; 0.0: not asked */
};

/* Fills `ret` (pst_sclint_done); PST_E_NOMEM is the only failure: what cannot be
 * parsed is a finding. */
PST_CHECKED PST_NONNULL(1, 2) int pst_sclint_run(const struct pst_sclint_in *in,
						 struct pst_sclint *ret, struct pst_err *err);

/* "error", "warning", "note". */
const char *pst_sclint_word(enum pst_sclint_level level);

/* How many findings of a level. */
PST_CHECKED PST_NONNULL(1) size_t
	pst_sclint_count(const struct pst_sclint *l, enum pst_sclint_level level);

/* Frees; accepts an empty one. */
void pst_sclint_done(struct pst_sclint *l);

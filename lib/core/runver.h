/*
 * core/runver.h - what an OCI runtime says of itself, and what follows from it.
 *
 * Pure. The text is the standard output of `RUNTIME --version`: a first line
 * "NAME version X.Y.Z[suffix]", then "key: value" lines (runc's main.go, crun's
 * --version). Unknown lines are ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_runtime {
	char *path;          /* absolute path; owned. NULL from the pure parser */
	char name[16];       /* "runc", "crun", ... */
	int version[3];      /* major, minor, patch; a suffix such as -rc.1 is dropped */
	char spec[16];       /* the "spec:" line, "" if it gave none */
	char libseccomp[16]; /* "2.5.4", "" if it was built without or does not say */
	bool has_features;   /* knows the verb `features` (asked, not guessed) */
};

/*
 * Parse the text of `--version`. On success fills *ret but for path and
 * has_features, which become NULL and false. PST_E_RUNTIME when the first line is
 * not "NAME version NUMBERS".
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_runver_parse(const char *text, size_t len, struct pst_runtime *ret, struct pst_err *err);

/* Is `rt` runtime `name` at version major.minor.patch or later? False for another name. */
PST_CHECKED bool pst_runver_at_least(const struct pst_runtime *rt, const char *name, int major,
				     int minor, int patch);

/*
 * Can it enter a network namespace the host owns together with a user namespace?
 * runc since 1.3.0 joins all other namespaces before the user one, and crun since
 * its first release; a runtime we do not know is trusted to (the check after
 * create decides).
 */
PST_CHECKED bool pst_runver_joins_netns(const struct pst_runtime *rt);

/*
 * Does it hand over a filter's listener (listenerPath)? runc since 1.1.0, crun since
 * 1.0; for one we do not know the answer is no.
 */
PST_CHECKED bool pst_runver_notifies(const struct pst_runtime *rt);

/* Frees path and empties *rt. Accepts an empty one. */
void pst_runtime_done(struct pst_runtime *rt);
#define pst_auto_runtime PST_CLEANUP(pst_runtime_done) struct pst_runtime

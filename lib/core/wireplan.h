/*
 * core/wireplan.h - which configuration files of an engine change, and how.
 *
 * Pure. The decision modules (wirecontainerd, wiredocker, wirefile) fill the list, lib/host
 * reads before and writes after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* What is to be wired: programs, and handlers `postern` and postern-CLASS of each class. */
struct pst_wire {
	const char *bin;            /* folder of the programs as the engine shall find them */
	const char *policy;         /* the policy file, NULL for the usual one */
	const char *const *classes; /* of the policy: DNS labels (core/policytext.h) */
	size_t nclasses;
};

/* "postern" for i == 0, "postern-CLASS" of classes[i - 1]. */
#define PST_HANDLER_MAX 64
void pst_wire_handler(const struct pst_wire *w, size_t i, char buf[PST_HANDLER_MAX]);

/* Is `name` one that install writes: "postern" or "postern-..."? */
PST_CHECKED bool pst_wire_is_handler(const char *name);

struct pst_wirefile {
	char *path;
	char *before, *after; /* NULL: no file */
	size_t before_len, after_len;
	bool folder;          /* made with the file, removed with it when empty */
};

struct pst_wireplan {
	struct pst_wirefile *v;
	size_t n;
};

void pst_wireplan_done(struct pst_wireplan *p);
#define pst_auto_wireplan PST_CLEANUP(pst_wireplan_done) struct pst_wireplan

/* Add a file; nothing when before and after are the same. Texts are copied; NULL: no file. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_wireplan_add(struct pst_wireplan *p, const char *path, const struct pst_buf *before,
		     const struct pst_buf *after, bool folder, struct pst_err *err);

/*
 * Add a file that is ours alone (core/owntext.h): `body` to be in it, NULL for none.
 * folder  there is no such folder yet
 *
 * PST_E_STATE when the file is somebody else's, or was edited since; an absent file and no
 * body is nothing to do.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_wireplan_own(struct pst_wireplan *p, const char *path, const struct pst_buf *before,
		     const char *body, bool folder, struct pst_err *err);

/*
 * postern/profiles.h - profiles by name or file, for the verbs that work on them.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/caps.h"
#include "core/note.h"
#include "core/scprof.h"

/* A document with a profile in it. */
struct profile_doc {
	json_t *tree;        /* the whole file */
	const json_t *obj;   /* the OCI seccomp object in it, borrowed */
	const char *pointer; /* where that stands: "" or "/linux/seccomp" */
};

/* A built-in profile by name, or a file: an OCI seccomp object, or a config.json's.
 * Free with profile_doc_done. */
PST_CHECKED int profile_load(const char *what, struct profile_doc *ret, struct pst_err *err);

void profile_doc_done(struct profile_doc *d);
#define profile_auto_doc PST_CLEANUP(profile_doc_done) struct profile_doc

/* Its rules; notes may be NULL. Errors name `what`. */
PST_CHECKED int profile_parse(const struct profile_doc *d, const char *what,
			      struct pst_notes *notes, struct pst_scprof **ret,
			      struct pst_err *err);

/* profile_load and profile_parse. */
PST_CHECKED int profile_rules(const char *what, struct pst_notes *notes, struct pst_scprof **ret,
			      struct pst_err *err);

/*
 * What --caps says: "default" (the ceiling of postern's own policy; also for NULL),
 * "docker", "all", "none", or names with commas.
 */
PST_CHECKED int profile_caps(const char *text, pst_capset *ret, struct pst_err *err);

/* Is --format json? PST_E_USAGE for anything but text and json. */
PST_CHECKED int profile_format(const char *format, bool *json, struct pst_err *err);

/* Print a document, indented; NULL is out of memory. */
PST_CHECKED int profile_print(const json_t *j, struct pst_err *err);

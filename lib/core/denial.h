/*
 * core/denial.h - records of denied calls and of limits that were met, read back and put into words. Pure.
 *
 * A record is one line of JSON (docs/formats.md "denials"); the keeper writes them.
 * Lines of one container, call, program and outcome are one group: its count is the
 * sum of theirs.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define PST_DENIAL_SHOWN 3 /* different arguments kept of a group */

struct pst_denial_group {
	json_t *record;   /* the first one with a process; owned */
	uint64_t count;
	char first[32], last[32]; /* RFC 3339 times */
	char *args[PST_DENIAL_SHOWN];
	bool more_args;
};

struct pst_denials {
	struct pst_denial_group *v;
	size_t n, cap;
	size_t bad; /* lines that are no record */
};

struct pst_denial_filter {
	const char *id;    /* NULL: every container */
	const char *since; /* RFC 3339 time in UTC; NULL: from the beginning */
	bool limits;       /* records of limits in place of those of calls */
	bool runtime;      /* what the OCI runtime's own init tried, too */
};

/* Does the filter take this record? */
PST_CHECKED bool pst_denial_matches(const json_t *record, const struct pst_denial_filter *f);

/* One line, without its newline: a record (new reference), or NULL. */
json_t *pst_denial_parse(const char *line, size_t len);

/* Add a record to its group, or make one. PST_E_NOMEM. */
PST_CHECKED int pst_denials_add(struct pst_denials *d, json_t *record, struct pst_err *err);

/* Frees all; accepts an empty one. */
void pst_denials_done(struct pst_denials *d);
#define pst_auto_denials PST_CLEANUP(pst_denials_done) struct pst_denials

/* All groups, by container, the most frequent first, each with the line that would allow
 * it. */
PST_CHECKED int pst_denials_text(struct pst_denials *d, struct pst_buf *out, struct pst_err *err);

/* One record as one line: what --follow prints. */
void pst_denial_line(const json_t *record, struct pst_buf *out);

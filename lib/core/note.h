/*
 * core/note.h - sentences for a person, each with the source of its reason (I-8).
 *
 * Pure. A growing list; texts are copied. A failed append (no memory) sets
 * `bad`, checked once by whoever prints or emits the list.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct pst_note {
	char *pointer; /* what it is about: JSON pointer into config.json, or "" */
	char *text;    /* one sentence, lower case, no full stop */
	char *source;  /* policy rule, profile line, spec pointer or kernel fact */
};

struct pst_notes {
	struct pst_note *v;
	size_t n;
	size_t cap;
	bool bad;
};

PST_PRINTF(4, 5)
void pst_note_add(struct pst_notes *l, const char *pointer, const char *source, const char *fmt,
		  ...);

/* Frees all; accepts an empty list. */
void pst_notes_done(struct pst_notes *l);

/* [{"pointer","text","source"},...]; new reference or NULL without memory. */
PST_CHECKED json_t *pst_notes_json(const struct pst_notes *l);

#include "core/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct pst_notes *l)
{
	if (l->n < l->cap)
		return true;
	const size_t cap = l->cap == 0 ? 8 : l->cap * 2;
	struct pst_note *v = reallocarray(l->v, cap, sizeof *v);
	if (v == NULL)
		return false;
	l->v = v;
	l->cap = cap;
	return true;
}

static void note_done(struct pst_note *n)
{
	free(n->pointer);
	free(n->text);
	free(n->source);
}

void pst_note_add(struct pst_notes *l, const char *pointer, const char *source, const char *fmt,
		  ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	if (l->bad || !grow(l)) {
		l->bad = true;
		return;
	}
	struct pst_note n = {
		.pointer = strdup(pointer), .text = strdup(text), .source = strdup(source)};
	if (n.pointer == NULL || n.text == NULL || n.source == NULL) {
		note_done(&n);
		l->bad = true;
		return;
	}
	l->v[l->n++] = n;
}

void pst_notes_done(struct pst_notes *l)
{
	for (size_t i = 0; i < l->n; i++)
		note_done(&l->v[i]);
	free(l->v);
	*l = (struct pst_notes){0};
}

json_t *pst_notes_json(const struct pst_notes *l)
{
	json_t *a = l->bad ? NULL : json_array();
	for (size_t i = 0; a != NULL && i < l->n; i++) {
		json_t *o = json_pack("{s:s, s:s, s:s}", "pointer", l->v[i].pointer, "text",
				      l->v[i].text, "source", l->v[i].source);
		if (json_array_append_new(a, o) != 0) {
			json_decref(a);
			a = NULL;
		}
	}
	return a;
}

#include "core/edit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

static bool grow(struct pst_edits *l)
{
	if (l->n < l->cap)
		return true;
	const size_t cap = l->cap == 0 ? 16 : l->cap * 2;
	struct pst_edit *v = reallocarray(l->v, cap, sizeof *v);
	if (v == NULL)
		return false;
	l->v = v;
	l->cap = cap;
	return true;
}

static void edit_done(struct pst_edit *e)
{
	free(e->pointer);
	json_decref(e->value);
	free(e->reason);
	free(e->source);
}

PST_PRINTF(5, 0)
static void append(struct pst_edits *l, const char *pointer, json_t *value, const char *source,
		   const char *fmt, va_list ap)
{
	char reason[1024];
	vsnprintf(reason, sizeof reason, fmt, ap);

	struct pst_edit e = {.pointer = strdup(pointer),
			     .value = value,
			     .reason = strdup(reason),
			     .source = strdup(source)};
	if (e.pointer == NULL || e.reason == NULL || e.source == NULL || l->bad || !grow(l)) {
		edit_done(&e);
		l->bad = true;
		return;
	}
	l->v[l->n++] = e;
}

void pst_edit_set(struct pst_edits *l, const char *pointer, json_t *value, const char *source,
		  const char *fmt, ...)
{
	if (value == NULL) {
		l->bad = true;
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	append(l, pointer, value, source, fmt, ap);
	va_end(ap);
}

void pst_edit_remove(struct pst_edits *l, const char *pointer, const char *source, const char *fmt,
		     ...)
{
	va_list ap;
	va_start(ap, fmt);
	append(l, pointer, NULL, source, fmt, ap);
	va_end(ap);
}

void pst_edits_done(struct pst_edits *l)
{
	for (size_t i = 0; i < l->n; i++)
		edit_done(&l->v[i]);
	free(l->v);
	*l = (struct pst_edits){0};
}

static int apply_one(const struct pst_edit *e, json_t *tree, struct pst_err *err)
{
	json_t *value = NULL;
	if (e->value != NULL) {
		value = pst_json_copy(e->value);
		if (value == NULL)
			return pst_fail_nomem(err);
	}
	if (!pst_json_put(tree, e->pointer, value))
		return pst_fail(err, PST_E_SPEC, e->pointer,
				"cannot edit %s: a part of it is not an object or array",
				e->pointer);
	return PST_OK;
}

int pst_edits_apply(const struct pst_edits *l, json_t *tree, struct pst_err *err)
{
	if (l->bad)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < l->n; i++) {
		const int rc = apply_one(&l->v[i], tree, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static json_t *text_json(const char *s)
{
	json_t *j = json_string(s); /* refuses what is not UTF-8 */
	if (j != NULL)
		return j;
	pst_auto_free char *ascii = strdup(s);
	if (ascii == NULL)
		return NULL;
	for (char *p = ascii; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(ascii);
}

static json_t *edit_json(const struct pst_edit *e)
{
	json_t *o = json_object();
	if (o == NULL)
		return NULL;
	int bad = json_object_set_new(o, "op", json_string(e->value == NULL ? "remove" : "set"));
	bad |= json_object_set_new(o, "pointer", text_json(e->pointer));
	if (e->value != NULL)
		bad |= json_object_set_new(o, "value", pst_json_copy(e->value));
	bad |= json_object_set_new(o, "reason", text_json(e->reason));
	bad |= json_object_set_new(o, "source", text_json(e->source));
	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *pst_edits_json(const struct pst_edits *l)
{
	json_t *a = l->bad ? NULL : json_array();
	for (size_t i = 0; a != NULL && i < l->n; i++)
		if (json_array_append_new(a, edit_json(&l->v[i])) != 0) {
			json_decref(a);
			a = NULL;
		}
	return a;
}

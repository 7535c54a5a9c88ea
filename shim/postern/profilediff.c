/* profile diff: how two profiles differ in what they mean. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/scdiff.h"
#include "core/scwords.h"
#include "profiles.h"
#include "profileverbs.h"

struct sides {
	const char *a, *b;
	json_t *list;
	bool bad;
};

static const char *const kinds[] = {"only-a", "only-b", "conditions", "answer"};

static void put(json_t *o, const char *key, struct pst_buf *text, bool *bad)
{
	*bad = *bad || !pst_buf_ok(text) ||
	       json_object_set_new(o, key, json_string(pst_buf_cstr(text))) != 0;
}

/* One difference as {"call", "kind", "a", "b", "for"}. */
static void see(void *ctx, const struct pst_scdiff *d)
{
	struct sides *x = ctx;
	pst_auto_buf a = {0};
	pst_auto_buf b = {0};
	json_t *o = json_pack("{s:s, s:s}", "call", d->sc->name, "kind", kinds[d->kind]);
	if (d->kind == PST_SCDIFF_ANSWER && !d->unsure) {
		pst_auto_buf where = {0};
		pst_scwords_answer(d->ret_a, &a);
		pst_scwords_answer(d->ret_b, &b);
		pst_scwords_boxes(d->sc, d->a->v, d->a->n, &where);
		put(o, "for", &where, &x->bad);
	} else if (d->unsure) {
		pst_buf_str(&a, "more conditions than can be compared");
		pst_buf_str(&b, "more conditions than can be compared");
	} else {
		pst_scwords_boxes(d->sc, d->a->v, d->a->n, &a);
		pst_scwords_boxes(d->sc, d->b->v, d->b->n, &b);
	}
	put(o, "a", &a, &x->bad);
	put(o, "b", &b, &x->bad);
	x->bad = json_array_append_new(x->list, o) != 0 || x->bad;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = pst_json_str(json_object_get(o, key));
	return s == NULL ? "" : s;
}

static void print(const struct sides *x)
{
	for (size_t i = 0; i < json_array_size(x->list); i++) {
		const json_t *o = json_array_get(x->list, i);
		const char *call = text_of(o, "call");
		const char *kind = text_of(o, "kind");
		const char *a = text_of(o, "a");
		const char *b = text_of(o, "b");
		if (strcmp(kind, "only-a") == 0)
			printf("< %s: only %s lets it through: %s\n", call, x->a, a);
		else if (strcmp(kind, "only-b") == 0)
			printf("> %s: only %s lets it through: %s\n", call, x->b, b);
		else if (strcmp(kind, "answer") == 0)
			printf("~ %s: %s with %s, %s with %s, for %s\n", call, a, x->a, b, x->b,
			       text_of(o, "for"));
		else
			printf("! %s: only with %s: %s; only with %s: %s\n", call, x->a, a, x->b,
			       b);
	}
}

static void add_head(struct sides *x, const char *what, enum pst_scdiff_kind kind, const char *a,
		     const char *b)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "call", what, "kind", kinds[kind], "a", a,
			      "b", b);
	x->bad = json_array_append_new(x->list, o) != 0 || x->bad;
}

/* "LOG TSYNC" or "none". */
static const char *flag_words(unsigned flags, char buf[64])
{
	static const char *const words[] = {"TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"};
	buf[0] = '\0';
	for (size_t i = 0; i < PST_NELEM(words); i++) {
		const size_t at = strlen(buf);
		if (((flags >> i) & 1) != 0)
			snprintf(buf + at, 64 - at, "%s%s", at > 0 ? " " : "", words[i]);
	}
	return buf[0] != '\0' ? buf : "none";
}

/* What is not about one call: foreign ABIs and filter flags. */
static void heads(struct sides *x, const struct pst_scprof *a, const struct pst_scprof *b)
{
	static const struct {
		unsigned bit;
		const char *name;
	} archs[] = {{PST_SCARCH_X86, "32-bit programs"}, {PST_SCARCH_X32, "x32 programs"}};
	char fa[64];
	char fb[64];
	for (size_t i = 0; i < PST_NELEM(archs); i++) {
		const bool in_a = (a->archs & archs[i].bit) != 0;
		const bool in_b = (b->archs & archs[i].bit) != 0;
		if (in_a != in_b)
			add_head(x, archs[i].name, in_a ? PST_SCDIFF_ONLY_A : PST_SCDIFF_ONLY_B,
				 in_a ? "as its rules say" : "nothing",
				 in_b ? "as its rules say" : "nothing");
	}
	if (a->flags != b->flags)
		add_head(x, "filter flags", PST_SCDIFF_WHEN, flag_words(a->flags, fa),
			 flag_words(b->flags, fb));
}

static int compare(const struct front *f, struct sides *x, struct pst_err *err)
{
	pst_auto_scprof *a = NULL;
	pst_auto_scprof *b = NULL;
	bool json = false;
	int rc = profile_format(pst_argv_value(&f->args, "format"), &json, err);
	if (rc == PST_OK)
		rc = profile_rules(x->a, NULL, &a, err);
	if (rc == PST_OK)
		rc = profile_rules(x->b, NULL, &b, err);
	if (rc != PST_OK)
		return rc;
	heads(x, a, b);
	(void)pst_scdiff(a, b, see, x);
	if (x->bad)
		return pst_fail_nomem(err);
	if (json)
		return profile_print(x->list, err);
	print(x);
	return PST_OK;
}

int profile_diff(const struct front *f, const char *a, const char *b)
{
	struct pst_err err = {0};
	pst_auto_json *list = json_array();
	struct sides x = {.a = a, .b = b, .list = list};
	if (compare(f, &x, &err) == PST_OK)
		return json_array_size(list) > 0;
	(void)front_report(f, &err);
	return 2;
}

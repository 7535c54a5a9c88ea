#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/str.h"
#include "core/json.h"
#include "core/json_priv.h"

const struct pst_json_limits pst_json_oci = {.bytes = (size_t)16 << 20, .depth = 64};

#define MAX_LEVELS 256

/* One open object or array: the container, and the key a value will get. */
struct level {
	json_t *node; /* borrowed: its parent (or reader.root) owns it */
	char *key;    /* last key read of an object, else NULL */
};

struct reader {
	struct level stack[MAX_LEVELS];
	unsigned depth;
	unsigned max_depth;
	json_t *root;
	char fault[200]; /* set when a callback refuses; "" means yajl's own error */
	bool nomem;
};

static void reader_done(struct reader *r)
{
	for (unsigned i = 0; i < r->depth; i++)
		free(r->stack[i].key);
	json_decref(r->root);
}

/* The place of the value being read, as a JSON pointer (RFC 6901). */
static void where(const struct reader *r, char *out, size_t size)
{
	struct pst_buf b = {0};
	for (unsigned i = 0; i < r->depth; i++) {
		const struct level *l = &r->stack[i];
		if (json_is_array(l->node)) {
			/* Below the top, the open child is already its last element. */
			pst_buf_fmt(&b, "/%zu", json_array_size(l->node) - (i + 1 < r->depth));
		} else if (l->key != NULL) {
			pst_buf_char(&b, '/');
			for (const char *p = l->key; *p != '\0'; p++)
				pst_buf_str(&b, *p == '~'   ? "~0"
						: *p == '/' ? "~1"
							    : (char[]){*p, '\0'});
		}
	}
	snprintf(out, size, "%s", pst_buf_cstr(&b));
	pst_buf_done(&b);
}

static int refuse(struct reader *r, const char *why)
{
	snprintf(r->fault, sizeof r->fault, "%s", why);
	return 0; /* yajl stops with yajl_status_client_canceled */
}

/* Give `v` (stolen) to the container on top of the stack. Borrowed pointer back via *at. */
static int place(struct reader *r, json_t *v)
{
	if (v == NULL) {
		r->nomem = true;
		return 0;
	}
	if (r->depth == 0) {
		r->root = v;
		return 1;
	}
	struct level *top = &r->stack[r->depth - 1];
	/* The key stays until the next one: it names the place of a fault below. */
	const int rc = json_is_array(top->node)
			       ? json_array_append_new(top->node, v)
			       : json_object_set_new_nocheck(top->node, top->key, v);
	if (rc != 0)
		r->nomem = true;
	return rc == 0;
}

static int on_null(void *ctx)
{
	return place(ctx, json_null());
}

static int on_bool(void *ctx, int v)
{
	return place(ctx, json_boolean(v));
}

static json_t *raw_number(const char *s, size_t len)
{
	char small[64];
	char *t = len + 2 <= sizeof small ? small : malloc(len + 2);
	if (t == NULL)
		return NULL;
	t[0] = PST_JSON_RAW_MARK;
	memcpy(t + 1, s, len);
	json_t *j = json_stringn_nocheck(t, len + 1);
	if (t != small)
		free(t);
	return j;
}

static int on_number(void *ctx, const char *s, size_t len)
{
	/* json_integer only where jansson would print the very same text. */
	char text[32];
	if (len < sizeof text) {
		memcpy(text, s, len);
		text[len] = '\0';
		uint64_t u;
		const bool neg = text[0] == '-';
		if (pst_num_parse(text + neg, 10, INT64_MAX, &u) && !(neg && u == 0))
			return place(ctx, json_integer(neg ? -(json_int_t)u : (json_int_t)u));
	}
	return place(ctx, raw_number(s, len));
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
	/* A NUL would cut the text for every C reader after us: what is checked
	 * and what is used must be the same string. */
	if (memchr(s, '\0', len) != NULL)
		return refuse(ctx, "string with a NUL character (\\u0000)");
	/* yajl lets overlong forms and surrogates through; jansson's check does not. */
	json_t *j = json_stringn((const char *)s, len);
	return j == NULL ? refuse(ctx, "string is not valid UTF-8") : place(ctx, j);
}

static int on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;
	struct level *top = &r->stack[r->depth - 1];

	if (memchr(s, '\0', len) != NULL)
		return refuse(r, "key with a NUL character (\\u0000)");
	char *key = strndup((const char *)s, len);
	if (key == NULL) {
		r->nomem = true;
		return 0;
	}
	free(top->key);
	top->key = key;
	/* Readers differ on which of two equal keys counts. */
	if (json_object_get(top->node, key) != NULL)
		return refuse(r, "duplicate key");
	json_t *utf8 = json_string(key);
	if (utf8 == NULL)
		return refuse(r, "key is not valid UTF-8");
	json_decref(utf8);
	return 1;
}

static int open_level(struct reader *r, json_t *node)
{
	if (r->depth >= r->max_depth) {
		json_decref(node);
		char why[64];
		snprintf(why, sizeof why, "nested deeper than %u levels", r->max_depth);
		return refuse(r, why);
	}
	if (!place(r, node))
		return 0;
	r->stack[r->depth++] = (struct level){.node = node};
	return 1;
}

static int on_map(void *ctx)
{
	return open_level(ctx, json_object());
}

static int on_array(void *ctx)
{
	return open_level(ctx, json_array());
}

static int on_close(void *ctx)
{
	struct reader *r = ctx;
	free(r->stack[--r->depth].key);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_array,
	.yajl_end_array = on_close,
};

static void line_column(const char *text, size_t at, size_t *line, size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else {
			++*column;
		}
	}
}

/* yajl's text is "parse error: what ..." with a picture of the place below. */
static void yajl_words(yajl_handle h, char *out, size_t size)
{
	unsigned char *s = yajl_get_error(h, 0, NULL, 0);
	const char *t = s == NULL ? "syntax error" : (const char *)s;
	snprintf(out, size, "%.*s", (int)strcspn(t, "\n"), t);
	if (s != NULL)
		yajl_free_error(h, s);
}

static int report(const struct reader *r, yajl_handle h, const char *text, size_t len,
		  const char *name, struct pst_err *err)
{
	if (r->nomem)
		return pst_fail_nomem(err);

	char why[200], pointer[sizeof err->pointer];
	if (r->fault[0] != '\0')
		snprintf(why, sizeof why, "%s", r->fault);
	else
		yajl_words(h, why, sizeof why);
	where(r, pointer, sizeof pointer);

	size_t at = yajl_get_bytes_consumed(h), line, column;
	line_column(text, at < len ? at : len, &line, &column);
	pst_fail(err, PST_E_SPEC, pointer, "not valid JSON: line %zu, column %zu: %s", line, column,
		 why);
	pst_err_cure(err, "correct the document; each key once, plain UTF-8, nothing after the value");
	return pst_err_file(err, name);
}

int pst_json_parse(const char *text, size_t len, const char *name,
		   const struct pst_json_limits *lim, json_t **ret, struct pst_err *err)
{
	if (len > lim->bytes) {
		pst_fail(err, PST_E_SPEC, "", "document of %zu bytes is larger than %zu", len,
			 lim->bytes);
		return pst_err_file(err, name);
	}

	struct reader r = {.max_depth = lim->depth < MAX_LEVELS ? lim->depth : MAX_LEVELS};
	yajl_handle h = yajl_alloc(&callbacks, NULL, &r);
	if (h == NULL)
		return pst_fail_nomem(err);

	yajl_status st = yajl_parse(h, (const unsigned char *)text, len);
	if (st == yajl_status_ok)
		st = yajl_complete_parse(h);

	int rc = PST_OK;
	if (st != yajl_status_ok || r.root == NULL)
		rc = report(&r, h, text, len, name, err);
	else
		*ret = PST_TAKE(r.root);
	yajl_free(h);
	reader_done(&r);
	return rc;
}

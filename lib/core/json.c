#include "core/json.h"

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/str.h"
#include "core/json_priv.h"

bool pst_json_is_raw(const json_t *j)
{
	return json_is_string(j) && json_string_value(j)[0] == PST_JSON_RAW_MARK;
}

bool pst_json_is_num(const json_t *j)
{
	return json_is_number(j) || pst_json_is_raw(j);
}

const char *pst_json_str(const json_t *j)
{
	return json_is_string(j) && !pst_json_is_raw(j) ? json_string_value(j) : NULL;
}

bool pst_json_u64(const json_t *j, uint64_t *ret)
{
	if (json_is_integer(j)) {
		const json_int_t v = json_integer_value(j);
		if (v < 0)
			return false;
		*ret = (uint64_t)v;
		return true;
	}
	return pst_json_is_raw(j) &&
	       pst_num_parse(json_string_value(j) + 1, 10, UINT64_MAX, ret);
}

bool pst_json_i64(const json_t *j, int64_t *ret)
{
	/* INT64_MIN alone is raw (its magnitude does not fit); nobody's limit. */
	if (!json_is_integer(j))
		return false;
	*ret = json_integer_value(j);
	return true;
}

json_t *pst_json_from_u64(uint64_t v)
{
	if (v <= INT64_MAX)
		return json_integer((json_int_t)v);
	char t[32];
	const int n = snprintf(t, sizeof t, "%c%llu", PST_JSON_RAW_MARK, (unsigned long long)v);
	return json_stringn_nocheck(t, (size_t)n);
}

static yajl_gen_status gen(yajl_gen g, const json_t *j);

static yajl_gen_status gen_object(yajl_gen g, const json_t *j)
{
	yajl_gen_status st = yajl_gen_map_open(g);
	const char *key;
	json_t *v;
	json_t *o = json_incref((json_t *)(uintptr_t)j); /* iteration wants non-const */
	json_object_foreach(o, key, v)
	{
		if (st == yajl_gen_status_ok)
			st = yajl_gen_string(g, (const unsigned char *)key, strlen(key));
		if (st == yajl_gen_status_ok)
			st = gen(g, v);
	}
	json_decref(o);
	return st == yajl_gen_status_ok ? yajl_gen_map_close(g) : st;
}

static yajl_gen_status gen_array(yajl_gen g, const json_t *j)
{
	yajl_gen_status st = yajl_gen_array_open(g);
	const size_t n = json_array_size(j);
	for (size_t i = 0; i < n && st == yajl_gen_status_ok; i++)
		st = gen(g, json_array_get(j, i));
	return st == yajl_gen_status_ok ? yajl_gen_array_close(g) : st;
}

static yajl_gen_status gen_string(yajl_gen g, const json_t *j)
{
	const char *s = json_string_value(j);
	const size_t n = json_string_length(j);
	if (pst_json_is_raw(j))
		return yajl_gen_number(g, s + 1, n - 1);
	return yajl_gen_string(g, (const unsigned char *)s, n);
}

static yajl_gen_status gen(yajl_gen g, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return gen_object(g, j);
	case JSON_ARRAY:
		return gen_array(g, j);
	case JSON_STRING:
		return gen_string(g, j);
	case JSON_INTEGER:
		return yajl_gen_integer(g, json_integer_value(j));
	case JSON_REAL:
		return yajl_gen_double(g, json_real_value(j));
	case JSON_TRUE:
		return yajl_gen_bool(g, 1);
	case JSON_FALSE:
		return yajl_gen_bool(g, 0);
	case JSON_NULL:
		return yajl_gen_null(g);
	}
	return yajl_gen_in_error_state;
}

int pst_json_dump(const json_t *j, enum pst_json_style style, struct pst_buf *out,
		  struct pst_err *err)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	if (g == NULL)
		return pst_fail_nomem(err);
	yajl_gen_config(g, yajl_gen_beautify, style == PST_JSON_PRETTY);
	yajl_gen_config(g, yajl_gen_indent_string, "  ");

	yajl_gen_status st = gen(g, j);
	const unsigned char *text = NULL;
	size_t len = 0;
	if (st == yajl_gen_status_ok)
		st = yajl_gen_get_buf(g, &text, &len);
	if (st == yajl_gen_status_ok)
		pst_buf_add(out, text, len);
	yajl_gen_free(g);

	if (st != yajl_gen_status_ok)
		return pst_fail(err, PST_E_BUG, "", "cannot print a JSON tree: generator status %d",
				(int)st);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

/* Cut the next part of a pointer off *p, unescaped, into part; false at the end
 * or when the part is too long to be a key of ours. */
static bool next_part(const char **p, char *part, size_t size)
{
	if (**p != '/')
		return false;
	size_t n = 0;
	for (++*p; **p != '\0' && **p != '/'; ++*p) {
		char c = **p;
		if (c == '~' && ((*p)[1] == '0' || (*p)[1] == '1'))
			c = *++*p == '0' ? '~' : '/';
		if (n + 1 >= size)
			return false;
		part[n++] = c;
	}
	part[n] = '\0';
	return true;
}

static json_t *child(json_t *j, const char *part)
{
	if (json_is_object(j))
		return json_object_get(j, part);
	uint64_t i;
	if (json_is_array(j) && pst_num_parse(part, 10, SIZE_MAX, &i))
		return json_array_get(j, (size_t)i);
	return NULL;
}

json_t *pst_json_at(const json_t *root, const char *pointer)
{
	json_t *j = (json_t *)(uintptr_t)root;
	char part[1024];
	while (j != NULL && *pointer != '\0') {
		if (!next_part(&pointer, part, sizeof part))
			return NULL;
		j = child(j, part);
	}
	return j;
}

static bool put_last(json_t *j, const char *part, json_t *value)
{
	if (json_is_object(j)) {
		if (value == NULL) {
			(void)json_object_del(j, part); /* absent is as good */
			return true;
		}
		return json_object_set_new_nocheck(j, part, value) == 0;
	}
	uint64_t i;
	if (value != NULL && json_is_array(j) && strcmp(part, "-") == 0)
		return json_array_append_new(j, value) == 0;
	if (json_is_array(j) && pst_num_parse(part, 10, SIZE_MAX, &i)) {
		if (value == NULL)
			return json_array_remove(j, (size_t)i) == 0;
		return json_array_set_new(j, (size_t)i, value) == 0;
	}
	json_decref(value);
	return false;
}

bool pst_json_put(json_t *root, const char *pointer, json_t *value)
{
	char part[1024];
	json_t *j = root;

	if (!next_part(&pointer, part, sizeof part)) {
		json_decref(value);
		return false;
	}
	while (*pointer != '\0') {
		json_t *c = child(j, part);
		if (c == NULL || json_is_null(c)) {
			if (value == NULL)
				return true;
			c = json_object();
			if (c == NULL || !put_last(j, part, c)) {
				json_decref(value);
				return false;
			}
		}
		j = c;
		if (!next_part(&pointer, part, sizeof part)) {
			json_decref(value);
			return false;
		}
	}
	return put_last(j, part, value);
}

json_t *pst_json_copy(const json_t *j)
{
	/* jansson's copy re-checks UTF-8, which a raw number is not. */
	json_t *out;
	if (json_is_object(j)) {
		out = json_object();
		const char *key;
		json_t *v;
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
		{
			if (out != NULL &&
			    json_object_set_new_nocheck(out, key, pst_json_copy(v)) != 0) {
				json_decref(out);
				out = NULL;
			}
		}
		return out;
	}
	if (json_is_array(j)) {
		out = json_array();
		for (size_t i = 0; out != NULL && i < json_array_size(j); i++)
			if (json_array_append_new(out, pst_json_copy(json_array_get(j, i))) != 0) {
				json_decref(out);
				out = NULL;
			}
		return out;
	}
	if (json_is_string(j))
		return json_stringn_nocheck(json_string_value(j), json_string_length(j));
	return json_copy((json_t *)(uintptr_t)j);
}

void pst_json_pointer_push(char *buf, size_t size, const char *key)
{
	const size_t start = strlen(buf);
	size_t n = start;
	bool fits = n + 1 < size;
	if (fits)
		buf[n++] = '/';
	for (const char *p = key; fits && *p != '\0'; p++) {
		const bool special = *p == '~' || *p == '/';
		fits = n + 1 + special < size;
		if (!fits)
			break;
		if (special)
			buf[n++] = '~';
		buf[n++] = *p == '~' ? '0' : *p == '/' ? '1' : *p;
	}
	buf[fits ? n : start] = '\0';
}

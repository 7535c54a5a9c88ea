#include "core/wiredocker.h"

#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/jsonspan.h"

static json_t *entry(const struct pst_wire *w, size_t i)
{
	pst_auto_buf path = {0};
	pst_buf_fmt(&path, "%s/postern", w->bin);
	pst_auto_json *e = json_pack("{s:s}", "path", pst_buf_cstr(&path));
	pst_auto_json *args = json_array();
	if (w->policy != NULL && (json_array_append_new(args, json_string("--policy")) != 0 ||
				  json_array_append_new(args, json_string(w->policy)) != 0))
		return NULL;
	if (i > 0 && (json_array_append_new(args, json_string("--class")) != 0 ||
		      json_array_append_new(args, json_string(w->classes[i - 1])) != 0))
		return NULL;
	if (json_array_size(args) > 0 && json_object_set(e, "runtimeArgs", args) != 0)
		return NULL;
	return PST_TAKE(e);
}

static const char *arg(const json_t *args, size_t i)
{
	const char *s = pst_json_str(json_array_get(args, i));
	return s != NULL ? s : "";
}

/* Of a name and of the form that install writes? */
static bool is_ours(const char *name, const json_t *v)
{
	const char *path = pst_json_str(json_object_get(v, "path"));
	const json_t *args = json_object_get(v, "runtimeArgs");
	size_t i = strcmp(arg(args, 0), "--policy") == 0 ? 2 : 0;
	if (!pst_wire_is_handler(name) || path == NULL || !pst_ends(path, "/postern"))
		return false;
	if (strcmp(name, "postern") != 0) {
		if (strcmp(arg(args, i), "--class") != 0 ||
		    strcmp(arg(args, i + 1), name + strlen("postern-")) != 0)
			return false;
		i += 2;
	}
	return json_array_size(args) == i && json_object_size(v) == (i > 0 ? 2 : 1);
}

/* What the document is to say: its tree with ours changed. */
static json_t *wanted(const json_t *doc, const struct pst_wire *w)
{
	pst_auto_json *tree = pst_json_copy(doc);
	json_t *runtimes = json_object_get(tree, "runtimes");
	const char *name;
	json_t *v;
	void *next;
	if (tree == NULL)
		return NULL;
	json_object_foreach_safe(runtimes, next, name, v)
		if (is_ours(name, v))
			(void)json_object_del(runtimes, name);
	if (w == NULL)
		return PST_TAKE(tree);
	if (runtimes == NULL) {
		runtimes = json_object();
		if (json_object_set_new(tree, "runtimes", runtimes) != 0)
			return NULL;
	}
	for (size_t i = 0; i <= w->nclasses; i++) {
		char handler[PST_HANDLER_MAX];
		pst_wire_handler(w, i, handler);
		if (json_object_set_new(runtimes, handler, entry(w, i)) != 0)
			return NULL;
	}
	return PST_TAKE(tree);
}

/* Equal, an empty /runtimes and none being the same. */
static bool says(const char *text, size_t len, const json_t *want)
{
	pst_auto_json *tree = NULL, *other = json_copy((json_t *)(uintptr_t)want);
	if (pst_json_parse(text, len, "", &pst_json_oci, &tree, NULL) != PST_OK)
		return false;
	if (json_object_size(json_object_get(tree, "runtimes")) == 0)
		(void)json_object_del(tree, "runtimes");
	if (json_object_size(json_object_get(other, "runtimes")) == 0)
		(void)json_object_del(other, "runtimes");
	return json_equal(tree, other) == 1;
}

/* The text of b without [at, end). */
static void cut(struct pst_buf *b, size_t at, size_t end)
{
	memmove(b->data + at, b->data + end, b->len - end + 1);
	b->len -= end - at;
}

/* Without member `m`: the first one from the brace to its comma, as it was put in; another
 * (a tool has sorted the file) from the end of the one before. */
static void cut_member(struct pst_buf *b, size_t open, const struct pst_jsonspan *before,
		       const struct pst_jsonspan *m)
{
	if (before != NULL) {
		cut(b, before->end, m->end);
		return;
	}
	const size_t comma = m->end + strspn(b->data + m->end, " \t\r\n");
	cut(b, open + 1, b->data[comma] == ',' ? comma + 1 : m->end);
}

/* Cut the first member of ours out of the object at `open`; false: there is none. */
static bool cut_one(struct pst_buf *b, size_t open, const json_t *runtimes)
{
	struct pst_jsonspan m, before;
	for (bool more = pst_jsonspan_next(b->data, open, NULL, &m), first = true; more;
	     before = m, first = false, more = pst_jsonspan_next(b->data, open, &before, &m)) {
		pst_auto_free char *name = strndup(b->data + m.key + 1, strcspn(b->data + m.key + 1, "\""));
		const json_t *v = name == NULL ? NULL : json_object_get(runtimes, name);
		if (v == NULL || !is_ours(name, v))
			continue;
		cut_member(b, open, first ? NULL : &before, &m);
		return true;
	}
	return false;
}

static void remove_ours(struct pst_buf *b, const json_t *doc)
{
	struct pst_jsonspan r, m;
	const size_t top = pst_jsonspan_top(b->data);
	if (!pst_jsonspan_find(b->data, top, "runtimes", &r))
		return;
	/* An object made for us holds its first member right behind the brace. */
	bool cut_any = false;
	const bool made = b->data[r.value + 1] == '"';
	while (cut_one(b, r.value, json_object_get(doc, "runtimes")))
		cut_any = true;
	if (!cut_any || !made || pst_jsonspan_next(b->data, r.value, NULL, &m) ||
	    !pst_jsonspan_find(b->data, top, "runtimes", &r))
		return;
	if (pst_jsonspan_next(b->data, top, NULL, &m) && m.key == r.key)
		cut_member(b, top, NULL, &r);
}

static void members(struct pst_buf *out, const struct pst_wire *w, const char *before,
		    const char *between)
{
	for (size_t i = 0; i <= w->nclasses; i++) {
		char name[PST_HANDLER_MAX];
		pst_auto_json *e = entry(w, i);
		pst_auto_buf text = {0};
		pst_wire_handler(w, i, name);
		if (e == NULL || pst_json_dump(e, PST_JSON_COMPACT, &text, NULL) != PST_OK)
			out->bad = true;
		pst_buf_fmt(out, "%s%s\"%s\": %s", i > 0 ? between : "", before, name,
			    pst_buf_cstr(&text));
	}
}

static void insert_ours(const struct pst_buf *b, const struct pst_wire *w, struct pst_buf *out)
{
	struct pst_jsonspan r, m;
	size_t open = pst_jsonspan_top(b->data);
	const bool there = pst_jsonspan_find(b->data, open, "runtimes", &r);
	if (there)
		open = r.value;
	const bool others = pst_jsonspan_next(b->data, open, NULL, &m);
	pst_buf_add(out, b->data, open + 1);
	if (there) {
		members(out, w, "\n    ", ",");
	} else {
		pst_buf_str(out, "\n  \"runtimes\": {");
		members(out, w, "", ", ");
		pst_buf_char(out, '}');
	}
	if (others)
		pst_buf_char(out, ',');
	pst_buf_str(out, b->data + open + 1);
}

static int check(const json_t *doc, const char *path, const struct pst_wire *w, struct pst_err *err)
{
	const json_t *runtimes = json_object_get(doc, "runtimes");
	const char *name;
	json_t *v;
	if (!json_is_object(doc) || (runtimes != NULL && !json_is_object(runtimes))) {
		pst_fail(err, PST_E_STATE, json_is_object(doc) ? "/runtimes" : "", "not an object");
		return pst_err_file(err, path);
	}
	json_object_foreach((json_t *)(uintptr_t)runtimes, name, v) {
		char pointer[128] = "/runtimes";
		if (w == NULL || !pst_wire_is_handler(name) || is_ours(name, v))
			continue;
		pst_json_pointer_push(pointer, sizeof pointer, name);
		pst_fail(err, PST_E_STATE, pointer, "a runtime named %s that `postern install` did not write",
			 name);
		pst_err_cure(err, "remove it, or give it another name");
		return pst_err_file(err, path);
	}
	return PST_OK;
}

/* dockerd does not start when its default runtime is none that it knows, and its --validate does not look. */
static int keep_default(const json_t *doc, const json_t *want, const char *path, struct pst_err *err)
{
	const char *name = pst_json_str(json_object_get(doc, "default-runtime"));
	if (name == NULL || json_object_get(json_object_get(doc, "runtimes"), name) == NULL ||
	    json_object_get(json_object_get(want, "runtimes"), name) != NULL)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "/default-runtime", "the default runtime is %s, which would be gone", name);
	pst_err_cure(err, "choose another default runtime first");
	return pst_err_file(err, path);
}

int pst_docker_daemon(const char *text, size_t len, const char *path, const struct pst_wire *wire,
		      struct pst_buf *out, bool *gone, struct pst_err *err)
{
	pst_auto_json *doc = NULL, *want = NULL;
	pst_auto_buf b = {0};
	*gone = false;
	if (text == NULL) {
		if (wire != NULL) {
			pst_buf_str(out, "{\"runtimes\": {");
			members(out, wire, "", ", ");
			pst_buf_str(out, "}}\n");
		}
		return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
	}
	int rc = pst_json_parse(text, len, path, &pst_json_oci, &doc, err);
	if (rc == PST_OK)
		rc = check(doc, path, wire, err);
	if (rc != PST_OK)
		return rc;
	want = wanted(doc, wire);
	pst_buf_add(&b, text, len);
	if (want == NULL || !pst_buf_ok(&b))
		return pst_fail_nomem(err);
	rc = keep_default(doc, want, path, err);
	if (rc != PST_OK)
		return rc;
	if (json_equal(doc, want) == 1) {
		pst_buf_add(out, text, len);
		return PST_OK;
	}
	const bool alone = text[pst_jsonspan_top(text) + 1] == '"';
	remove_ours(&b, doc);
	if (wire != NULL)
		insert_ours(&b, wire, out);
	else
		pst_buf_add(out, b.data, b.len);
	*gone = wire == NULL && alone && pst_streq(pst_buf_cstr(out), "{}\n");
	if (!pst_buf_ok(out))
		return pst_fail_nomem(err);
	if (says(out->data, out->len, want))
		return PST_OK;
	pst_fail(err, PST_E_STATE, "/runtimes", "the members cannot be told apart in the text");
	pst_err_cure(err, "write the keys of /runtimes without escapes");
	return pst_err_file(err, path);
}

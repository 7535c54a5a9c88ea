#include "core/ovl.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static bool put_text(json_t *o, const char *key, const char *value)
{
	return value == NULL || json_object_set_new(o, key, json_string(value)) == 0;
}

static bool put_flag(json_t *o, const char *key, bool value)
{
	return !value || json_object_set_new(o, key, json_true()) == 0;
}

static bool put_flags(json_t *o, const struct pst_ovl_layout *l)
{
	return put_flag(o, "readonly", l->readonly) && put_flag(o, "nosuid", l->nosuid) &&
	       put_flag(o, "nodev", l->nodev) && put_flag(o, "noexec", l->noexec) &&
	       put_flag(o, "userxattr", l->userxattr) && put_flag(o, "mapped", l->mapped) &&
	       put_flag(o, "volatile", l->is_volatile);
}

static bool put_lower(json_t *o, const struct pst_ovl_layout *l)
{
	json_t *a = json_array();
	for (size_t i = 0; i < l->n; i++) {
		if (json_array_append_new(a, json_string(l->lower[i])) != 0) {
			json_decref(a);
			return false;
		}
	}
	return json_object_set_new(o, "lower", a) == 0;
}

static bool put_options(json_t *o, const struct pst_ovl_layout *l)
{
	json_t *m = json_object();
	for (size_t i = 0; i < l->nopt; i++) {
		const char *v = l->opt[i].value;
		/* a flag has no value */
		if (json_object_set_new(m, l->opt[i].key, v != NULL ? json_string(v) : json_true()) !=
		    0) {
			json_decref(m);
			return false;
		}
	}
	return json_object_set_new(o, "options", m) == 0;
}

json_t *pst_ovl_json(const struct pst_ovl_layout *l)
{
	pst_auto_json *o = json_object();
	if (o != NULL && put_lower(o, l) && put_text(o, "upper", l->upper) &&
	    put_text(o, "work", l->work) && put_options(o, l) &&
	    put_flags(o, l) && put_text(o, "unsupported", l->unsupported))
		return PST_TAKE(o);
	return NULL;
}

static int get_text(const json_t *o, const char *key, char **slot, struct pst_err *err)
{
	const json_t *v = json_object_get(o, key);
	if (v == NULL)
		return PST_OK;
	const char *s = pst_json_str(v);
	if (s == NULL || *s == '\0')
		return pst_fail(err, PST_E_SPEC, "", "\"%s\" of an overlay is not a text", key);
	*slot = strdup(s);
	return *slot != NULL ? PST_OK : pst_fail_nomem(err);
}

static int get_lower(const json_t *o, struct pst_ovl_layout *l, struct pst_err *err)
{
	const json_t *a = json_object_get(o, "lower");
	const size_t n = json_array_size(a);
	if (!json_is_array(a) || n > PST_OVL_MAX_LOWER)
		return pst_fail(err, PST_E_SPEC, "/lower", "\"lower\" is not a list of directories");
	l->lower = calloc(n + 1, sizeof *l->lower);
	if (l->lower == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const char *s = pst_json_str(json_array_get(a, i));
		if (s == NULL || *s == '\0')
			return pst_fail(err, PST_E_SPEC, "/lower", "layer %zu is not a directory name", i);
		l->lower[i] = strdup(s);
		if (l->lower[i] == NULL)
			return pst_fail_nomem(err);
		l->n++;
	}
	return PST_OK;
}

static int get_options(json_t *o, struct pst_ovl_layout *l, struct pst_err *err)
{
	json_t *m = json_object_get(o, "options");
	if (m == NULL)
		return PST_OK;
	if (!json_is_object(m))
		return pst_fail(err, PST_E_SPEC, "/options", "\"options\" is not an object");
	l->opt = calloc(json_object_size(m) + 1, sizeof *l->opt);
	if (l->opt == NULL)
		return pst_fail_nomem(err);

	const char *key;
	json_t *v;
	json_object_foreach (m, key, v) {
		const char *s = pst_json_str(v);
		if (s == NULL && !json_is_true(v))
			return pst_fail(err, PST_E_SPEC, "/options", "option %s has no text", key);
		struct pst_ovl_opt *opt = &l->opt[l->nopt++];
		opt->key = strdup(key);
		opt->value = s != NULL ? strdup(s) : NULL;
		if (opt->key == NULL || (s != NULL && opt->value == NULL))
			return pst_fail_nomem(err);
	}
	return PST_OK;
}

static void get_flags(const json_t *o, struct pst_ovl_layout *l)
{
	l->readonly = json_is_true(json_object_get(o, "readonly"));
	l->nosuid = json_is_true(json_object_get(o, "nosuid"));
	l->nodev = json_is_true(json_object_get(o, "nodev"));
	l->noexec = json_is_true(json_object_get(o, "noexec"));
	l->userxattr = json_is_true(json_object_get(o, "userxattr"));
	l->mapped = json_is_true(json_object_get(o, "mapped"));
	l->is_volatile = json_is_true(json_object_get(o, "volatile"));
}

static int fill(json_t *o, struct pst_ovl_layout *l, struct pst_err *err)
{
	int rc = get_lower(o, l, err);
	if (rc == PST_OK)
		rc = get_text(o, "upper", &l->upper, err);
	if (rc == PST_OK)
		rc = get_text(o, "work", &l->work, err);
	if (rc == PST_OK)
		rc = get_text(o, "unsupported", &l->unsupported, err);
	if (rc == PST_OK)
		rc = get_options(o, l, err);
	if (rc != PST_OK)
		return rc;
	get_flags(o, l);
	if ((l->upper == NULL) != (l->work == NULL))
		return pst_fail(err, PST_E_SPEC, "", "an overlay needs both \"upper\" and \"work\"");
	return PST_OK;
}

int pst_ovl_from_json(const json_t *j, struct pst_ovl_layout *ret, struct pst_err *err)
{
	pst_auto_ovl l = {0};
	if (!json_is_object(j))
		return pst_fail(err, PST_E_SPEC, "", "an overlay layout is not an object");
	/* jansson's iterator takes a plain pointer; nothing is written through it */
	const int rc = fill((json_t *)(uintptr_t)j, &l, err);
	if (rc != PST_OK)
		return rc;
	*ret = l;
	l = (struct pst_ovl_layout){0};
	return PST_OK;
}

static bool dup_into(const char *src, char **slot)
{
	*slot = src != NULL ? strdup(src) : NULL;
	return src == NULL || *slot != NULL;
}

int pst_ovl_copy(const struct pst_ovl_layout *src, struct pst_ovl_layout *ret, struct pst_err *err)
{
	/* The flags as they are; what is owned is copied below. */
	pst_auto_ovl l = *src;
	l.lower = calloc(src->n + 1, sizeof *l.lower);
	l.opt = calloc(src->nopt + 1, sizeof *l.opt);
	l.upper = l.work = l.unsupported = NULL;
	l.n = l.nopt = 0;
	bool ok = l.lower != NULL && l.opt != NULL && dup_into(src->upper, &l.upper) &&
		  dup_into(src->work, &l.work) && dup_into(src->unsupported, &l.unsupported);
	/* A failed entry is counted too, so that its half is freed. */
	for (; ok && l.n < src->n; l.n++)
		ok = dup_into(src->lower[l.n], &l.lower[l.n]);
	for (; ok && l.nopt < src->nopt; l.nopt++)
		ok = dup_into(src->opt[l.nopt].key, &l.opt[l.nopt].key) &&
		     dup_into(src->opt[l.nopt].value, &l.opt[l.nopt].value);
	if (!ok)
		return pst_fail_nomem(err);
	*ret = l;
	l = (struct pst_ovl_layout){0};
	return PST_OK;
}

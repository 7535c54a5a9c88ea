/* One policy document against the table of keys. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/nearest.h"
#include "core/policy_priv.h"
#include "core/policytext.h"

#define POINTER 192 /* as err.h has it */
#define MAX_KEYS 32 /* of one object of the table, for suggestions */

/* Where the check stands: `table` names the row, `real` the place in the file
 * (they differ inside a class). */
struct at {
	char table[POINTER];
	char real[POINTER];
	bool in_class;
	struct pst_err *err;
};

static const char *type_word(const json_t *j)
{
	if (pst_json_is_num(j))
		return "a number";
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	default:
		return "null";
	}
}

static int wrong_type(const struct at *at, const char *want, const json_t *got)
{
	pst_fail(at->err, PST_E_POLICY, at->real, "%s must be %s, not %s", at->real, want,
		 type_word(got));
	return pst_err_cure(at->err, "write %s there, or leave the key out", want);
}

static int later(const struct at *at, const char *value, const char *cure)
{
	pst_fail(at->err, PST_E_POLICY, at->real, "%s: %s is not supported by this version",
		 at->real, value);
	return pst_err_cure(at->err, "%s: a policy must not promise what is not enforced", cure);
}

/* "a, b, c" of a NULL-terminated list. */
static const char *join(const char *const list[], char *buf, size_t size)
{
	size_t len = 0;
	buf[0] = '\0';
	for (size_t i = 0; list[i] != NULL && len + 1 < size; i++) {
		const int n = snprintf(buf + len, size - len, "%s%s", i == 0 ? "" : ", ", list[i]);
		len += n < 0 ? 0 : (size_t)n;
	}
	return buf;
}

static bool listed(const char *const list[], const char *word)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		if (pst_streq(list[i], word))
			return true;
	return false;
}

static const char *leaf(const char *pointer)
{
	return strrchr(pointer, '/') + 1;
}

/* The keys the table has directly below `parent`. */
static size_t keys_below(const struct at *parent, const char *ret[MAX_KEYS])
{
	const size_t len = strlen(parent->table);
	size_t n = 0;
	for (size_t i = 0; i < pst_policy_nkeys && n + 1 < MAX_KEYS; i++) {
		const struct policy_key *k = &pst_policy_keys[i];
		if (parent->in_class && (k->flags & PST_PF_TOP_ONLY) != 0)
			continue;
		if (strncmp(k->pointer, parent->table, len) == 0 && k->pointer[len] == '/' &&
		    leaf(k->pointer) == k->pointer + len + 1)
			ret[n++] = leaf(k->pointer);
	}
	ret[n] = NULL;
	return n;
}

/* A key of this very name somewhere else in the table: the usual mistake is the place. */
static const char *elsewhere(const char *key)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++)
		if (pst_streq(leaf(pst_policy_keys[i].pointer), key))
			return pst_policy_keys[i].pointer;
	return NULL;
}

static int unknown_key(const struct at *parent, const struct at *at, const char *key)
{
	const char *keys[MAX_KEYS];
	const size_t n = keys_below(parent, keys);
	char shown[64], all[256];
	pst_policytext_show(key, shown, sizeof shown);
	pst_fail(at->err, PST_E_POLICY, at->real, "unknown key \"%s\" in the policy", shown);

	const char *near = pst_nearest(key, keys, n);
	if (near != NULL)
		return pst_err_cure(at->err, "did you mean \"%s\"?", near);
	const char *other = elsewhere(key);
	if (other != NULL && !pst_streq(other, at->table))
		return pst_err_cure(at->err, "the key of that name is %s", other);
	return pst_err_cure(at->err, "remove it; the keys here are %s",
			    join(keys, all, sizeof all));
}

static int check_word(const struct at *at, const struct policy_key *k, const json_t *j)
{
	const char *s = pst_json_str(j);
	char all[128], shown[64];
	if (s == NULL)
		return wrong_type(at, "a string", j);
	join(k->words, all, sizeof all);
	if (!listed(k->words, s)) {
		pst_fail(at->err, PST_E_POLICY, at->real, "%s: \"%s\" is not one of %s", at->real,
			 pst_policytext_show(s, shown, sizeof shown), all);
		return pst_err_cure(at->err, "write one of %s", all);
	}
	if (listed(k->later, s)) {
		char value[72], cure[96];
		snprintf(value, sizeof value, "\"%.60s\"", s);
		snprintf(cure, sizeof cure, "write \"%.60s\"", k->words[0]);
		return later(at, value, cure);
	}
	return PST_OK;
}

static int out_of_range(const struct at *at, const struct policy_key *k, const char *unit)
{
	if (k->min == k->max)
		pst_fail(at->err, PST_E_POLICY, at->real, "%s must be %llu", at->real,
			 (unsigned long long)k->min);
	else
		pst_fail(at->err, PST_E_POLICY, at->real, "%s must be %llu to %llu%s", at->real,
			 (unsigned long long)k->min, (unsigned long long)k->max, unit);
	return pst_err_cure(at->err, "write a value of that range, or leave the key out");
}

static int check_number(const struct at *at, const struct policy_key *k, const json_t *j)
{
	uint64_t v = 0;
	if (!pst_json_is_num(j))
		return wrong_type(at, "a whole number", j);
	if (!pst_json_u64(j, &v) || v < k->min || v > k->max)
		return out_of_range(at, k, "");
	return PST_OK;
}

int pst_policy_amount(const json_t *j, enum pst_quantity_unit unit, uint64_t *ret,
		      struct pst_err *err)
{
	char text[32];
	const char *s = pst_json_str(j);
	if (json_is_integer(j)) {
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(j));
		s = text;
	} else if (pst_json_is_raw(j)) {
		s = json_string_value(j) + 1;
	}
	if (s == NULL)
		return pst_fail(err, PST_E_SPEC, "", "not an amount");
	return pst_quantity_parse(s, unit, ret, err);
}

static int check_quantity(const struct at *at, const struct policy_key *k, const json_t *j)
{
	if (!pst_json_is_num(j) && pst_json_str(j) == NULL)
		return wrong_type(at, "a number or a quantity such as \"8Gi\"", j);
	uint64_t v = 0;
	struct pst_err why = {0};
	if (pst_policy_amount(j, k->unit, &v, &why) != PST_OK) {
		pst_fail(at->err, PST_E_POLICY, at->real, "%s: %.200s", at->real, why.msg);
		return pst_err_cure(at->err, "%.200s", why.cure);
	}
	if (v < k->min || v > k->max)
		return out_of_range(at, k, k->unit == PST_QUANTITY_MILLI ? " thousandths" : "");
	return PST_OK;
}

static int check_text(const struct at *at, const struct policy_key *k, const json_t *j)
{
	const char *s = pst_json_str(j);
	if (s == NULL)
		return wrong_type(at, k->want, j);
	if (!k->text_ok(s)) {
		char shown[64];
		pst_fail(at->err, PST_E_POLICY, at->real, "%s: \"%s\" is not %s", at->real,
			 pst_policytext_show(s, shown, sizeof shown), k->want);
		return pst_err_cure(at->err, "write %s", k->want);
	}
	return PST_OK;
}

static int check_cap(const struct at *at, const json_t *j, size_t n)
{
	const char *s = pst_json_str(j);
	if (s == NULL)
		return wrong_type(at, "a capability's name", j);
	if (pst_caps_number(s) >= 0 || (n == 1 && pst_streq(s, "*")))
		return PST_OK;

	const char *names[PST_CAP_LAST + 1];
	for (unsigned i = 0; i <= PST_CAP_LAST; i++)
		names[i] = pst_caps_name(i);
	char shown[64];
	pst_fail(at->err, PST_E_POLICY, at->real, "%s: \"%s\" is not a capability", at->real,
		 pst_policytext_show(s, shown, sizeof shown));
	const char *near = pst_nearest(s, names, PST_NELEM(names));
	if (near != NULL)
		return pst_err_cure(at->err, "did you mean \"%s\"?", near);
	return pst_err_cure(at->err, "write names of capabilities(7), or \"*\" alone for all");
}

static int check_list(const struct at *at, const struct policy_key *k, const json_t *j)
{
	if (!json_is_array(j))
		return wrong_type(at, "an array of strings", j);
	const size_t n = json_array_size(j);
	for (size_t i = 0; i < n; i++) {
		struct at entry = *at;
		char index[24];
		snprintf(index, sizeof index, "%zu", i);
		pst_json_pointer_push(entry.real, sizeof entry.real, index);
		const json_t *e = json_array_get(j, i);
		const int rc = k->kind == PST_PK_CAPS ? check_cap(&entry, e, n)
						      : check_text(&entry, k, e);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int check_object(const struct at *at, const json_t *j);

static int check_classes(const struct at *at, const json_t *j)
{
	if (!json_is_object(j))
		return wrong_type(at, "an object of classes", j);
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)j, name, v)
	{
		struct at class = {.in_class = true, .err = at->err};
		memcpy(class.real, at->real, sizeof class.real);
		pst_json_pointer_push(class.real, sizeof class.real, name);
		if (!pst_policytext_class(name)) {
			char shown[64];
			pst_fail(at->err, PST_E_POLICY, class.real,
				 "\"%s\" cannot be the name of a class",
				 pst_policytext_show(name, shown, sizeof shown));
			return pst_err_cure(at->err, "use a-z, 0-9 and -, at most 40 characters");
		}
		if (!json_is_object(v))
			return wrong_type(&class, "an object", v);
		const int rc = check_object(&class, v);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int check_value(const struct at *at, const struct policy_key *k, const json_t *j)
{
	if (json_is_null(j) && (k->flags & PST_PF_NULL) != 0)
		return PST_OK;
	switch (k->kind) {
	case PST_PK_OBJECT:
		return json_is_object(j) ? check_object(at, j) : wrong_type(at, "an object", j);
	case PST_PK_CLASSES:
		return check_classes(at, j);
	case PST_PK_BOOL:
		return json_is_boolean(j) ? PST_OK : wrong_type(at, "true or false", j);
	case PST_PK_WORD:
	case PST_PK_SWITCH:
		return check_word(at, k, j);
	case PST_PK_NUMBER:
		return check_number(at, k, j);
	case PST_PK_QUANTITY:
		return check_quantity(at, k, j);
	case PST_PK_TEXT:
		return check_text(at, k, j);
	case PST_PK_LIST:
	case PST_PK_CAPS:
		return check_list(at, k, j);
	}
	return pst_fail(at->err, PST_E_BUG, at->real, "policy key of an unknown kind");
}

/* Depth is that of the table: only its objects are entered. */
static int check_object(const struct at *at, const json_t *j)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)j, key, v)
	{
		struct at child = *at;
		pst_json_pointer_push(child.real, sizeof child.real, key);
		pst_json_pointer_push(child.table, sizeof child.table, key);
		const struct policy_key *k = pst_policy_key(child.table);
		/* A key too long for the pointer leaves its parent's there. */
		if (k == NULL || !pst_streq(leaf(k->pointer), key) ||
		    (at->in_class && (k->flags & PST_PF_TOP_ONLY) != 0))
			return unknown_key(at, &child, key);
		const int rc = check_value(&child, k, v);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

int pst_policy_check(const json_t *doc, const char *name, struct pst_err *err)
{
	struct pst_err local = {0};
	const struct at top = {.err = err == NULL ? &local : err};
	int rc = PST_OK;
	if (!json_is_object(doc)) {
		pst_fail(top.err, PST_E_POLICY, "", "a policy must be a JSON object, not %s",
			 type_word(doc));
		rc = pst_err_cure(top.err, "write {} for the built-in policy");
	} else {
		rc = check_object(&top, doc);
	}
	if (rc != PST_OK)
		pst_err_file(top.err, name);
	return rc;
}

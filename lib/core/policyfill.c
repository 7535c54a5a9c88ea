/* The merged policy document into typed fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/policy_priv.h"

_Static_assert(sizeof(enum pst_grant) == sizeof(unsigned) &&
		       sizeof(enum pst_ids_mode) == sizeof(unsigned) &&
		       sizeof(enum pst_ids_fallback) == sizeof(unsigned) &&
		       sizeof(enum pst_profile_mode) == sizeof(unsigned),
	       "words are stored as their index");

#define BLOCK UINT32_C(65536)
#define LAST_BLOCK 65535 /* holds (uid_t)-1: in no pool (core/idrange.h) */

static void *field(struct pst_policy *p, size_t offset)
{
	return (char *)p + offset;
}

static unsigned word_index(const char *const words[], const char *word)
{
	unsigned i = 0;
	while (words[i] != NULL && !pst_streq(words[i], word))
		i++;
	return i;
}

static int fill_number(struct pst_policy *p, const struct policy_key *k, const json_t *j,
		       struct pst_err *err)
{
	uint64_t v = 0;
	if (k->kind == PST_PK_QUANTITY) {
		const int rc = pst_policy_amount(j, k->unit, &v, err);
		if (rc != PST_OK)
			return rc;
		*(uint64_t *)field(p, k->field) = v;
	} else {
		if (!pst_json_u64(j, &v) || v > UINT32_MAX)
			return pst_fail(err, PST_E_BUG, k->pointer, "unchecked policy number");
		*(uint32_t *)field(p, k->field) = (uint32_t)v;
	}
	if (k->present != 0)
		*(bool *)field(p, k->present) = true;
	return PST_OK;
}

static int fill_list(struct pst_strv *l, const json_t *j, struct pst_err *err)
{
	const size_t n = json_array_size(j);
	if (n == 0)
		return PST_OK;
	l->v = calloc(n, sizeof l->v[0]);
	if (l->v == NULL)
		return pst_fail_nomem(err);
	for (l->n = 0; l->n < n; l->n++) {
		l->v[l->n] = strdup(json_string_value(json_array_get(j, l->n)));
		if (l->v[l->n] == NULL)
			return pst_fail_nomem(err);
	}
	return PST_OK;
}

static pst_capset caps_of(const json_t *j)
{
	pst_capset set = 0;
	for (size_t i = 0; i < json_array_size(j); i++) {
		const int nr = pst_caps_number(json_string_value(json_array_get(j, i)));
		set |= nr < 0 ? PST_CAPS_ALL : UINT64_C(1) << nr; /* checked: else it is "*" */
	}
	return set;
}

static int fill_text(char **dst, const json_t *j, struct pst_err *err)
{
	*dst = strdup(json_string_value(j));
	return *dst != NULL ? PST_OK : pst_fail_nomem(err);
}

static int fill_key(struct pst_policy *p, const struct policy_key *k, struct pst_err *err)
{
	const json_t *j = pst_json_at(p->tree, k->pointer);
	if (k->field == PST_PK_UNTYPED || j == NULL || json_is_null(j))
		return PST_OK;
	void *dst = field(p, k->field);
	switch (k->kind) {
	case PST_PK_BOOL:
		*(bool *)dst = json_is_true(j);
		return PST_OK;
	case PST_PK_WORD:
		*(unsigned *)dst = word_index(k->words, json_string_value(j));
		return PST_OK;
	case PST_PK_SWITCH:
		*(bool *)dst = word_index(k->words, json_string_value(j)) == 1;
		return PST_OK;
	case PST_PK_NUMBER:
	case PST_PK_QUANTITY:
		return fill_number(p, k, j, err);
	case PST_PK_TEXT:
		return fill_text(dst, j, err);
	case PST_PK_LIST:
		return fill_list(dst, j, err);
	case PST_PK_CAPS:
		*(pst_capset *)dst = caps_of(j);
		return PST_OK;
	case PST_PK_OBJECT:
	case PST_PK_CLASSES:
		break;
	}
	return pst_fail(err, PST_E_BUG, k->pointer, "policy key with a field but no type");
}

/* An error about the merged whole, pinned to the file that set `pointer`. */
static int at_origin(const struct pst_policy *p, const char *pointer, struct pst_err *err)
{
	const struct pst_origin *o = pst_policy_origin(p, pointer);
	if (err != NULL && o != NULL) {
		memcpy(err->pointer, o->pointer, sizeof o->pointer);
		pst_err_file(err, o->file);
	}
	return PST_E_POLICY;
}

/* `k` is the default of a limit, or of no interest here. */
static int check_limit(const struct pst_policy *p, const struct policy_key *k, struct pst_err *err)
{
	char parent[64];
	if (!pst_starts(k->pointer, "/limits/") || !pst_ends(k->pointer, "/default"))
		return PST_OK;
	const struct pst_limit *l = (const void *)((const char *)p + k->field -
						   offsetof(struct pst_limit, dflt));
	if (!l->has_default || !l->has_max || l->dflt <= l->max)
		return PST_OK;
	snprintf(parent, sizeof parent, "%.*s", (int)(strlen(k->pointer) - strlen("/default")),
		 k->pointer);
	pst_fail(err, PST_E_POLICY, parent, "the default of %s is above its max", parent);
	pst_err_cure(err, "lower the default, or raise the max");
	return at_origin(p, k->pointer, err);
}

static int check_pool(const struct pst_policy *p, struct pst_err *err)
{
	const json_t *pool = pst_json_at(p->tree, "/ids/pool");
	if (pool == NULL || json_is_null(pool) || json_object_size(pool) == 0)
		return PST_OK;
	const bool both = pst_json_at(pool, "/first") != NULL && pst_json_at(pool, "/blocks") != NULL;
	if (both && p->pool_first % BLOCK == 0 && p->pool_first / BLOCK + p->pool_blocks <= LAST_BLOCK)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "/ids/pool",
		 both ? "the id pool is not whole blocks of 65536 ids within 65536..4294901759"
		      : "the id pool needs both \"first\" and \"blocks\"");
	pst_err_cure(err, "write a \"first\" that is a multiple of 65536 and \"blocks\" that end "
			  "below 4294901760");
	return at_origin(p, "/ids/pool", err);
}

int pst_policy_fill(struct pst_policy *p, struct pst_err *err)
{
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < pst_policy_nkeys; i++)
		rc = fill_key(p, &pst_policy_keys[i], err);
	if (rc == PST_OK)
		rc = check_pool(p, err);
	for (size_t i = 0; rc == PST_OK && i < pst_policy_nkeys; i++)
		rc = check_limit(p, &pst_policy_keys[i], err);
	return rc;
}

bool pst_policy_limits(const struct pst_policy *p)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++) {
		const struct policy_key *k = &pst_policy_keys[i];
		if (pst_starts(k->pointer, "/limits/") && k->present != 0 &&
		    *(const bool *)((const char *)p + k->present))
			return true;
	}
	return false;
}

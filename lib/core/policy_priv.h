/*
 * core/policy_priv.h - the table of policy keys, shared by policy*.c only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/policy.h"
#include "core/quantity.h"

enum policy_kind {
	PST_PK_OBJECT,
	PST_PK_CLASSES,  /* object of named overlays, each a policy of its own */
	PST_PK_BOOL,
	PST_PK_WORD,     /* one of words[]; stored as its index (an enum) */
	PST_PK_SWITCH,   /* one of two words; stored as a bool, true for the second */
	PST_PK_NUMBER,   /* whole number min..max */
	PST_PK_QUANTITY, /* number or text of core/quantity.h, min..max after parsing */
	PST_PK_TEXT,     /* string for which text_ok holds */
	PST_PK_LIST,     /* array of such strings */
	PST_PK_CAPS,     /* array of capability names, or ["*"] */
};

enum {
	PST_PF_NULL = 1,     /* null is allowed and means "none" */
	PST_PF_TOP_ONLY = 2, /* not inside a class */
};

#define PST_PK_UNTYPED SIZE_MAX /* validated and kept in `tree`, no field */

struct policy_key {
	const char *pointer; /* "/limits/pids/max" */
	enum policy_kind kind;
	unsigned flags;
	const char *const *words; /* NULL-terminated */
	const char *const *later; /* of words: those this version cannot honour */
	enum pst_quantity_unit unit;
	uint64_t min, max;
	bool (*text_ok)(const char *text);
	const char *want; /* "an absolute path": what text_ok asks for */
	size_t field;     /* offset into struct pst_policy */
	size_t present;   /* offset of the bool that says `field` is set; 0 for none */
};

extern const struct policy_key pst_policy_keys[];
extern const size_t pst_policy_nkeys;

/* The row of `pointer`, NULL if there is none. */
const struct policy_key *pst_policy_key(const char *pointer);

/* One document against the table; `name` goes into err->file. PST_E_POLICY with
 * file, pointer and cure. */
PST_CHECKED int pst_policy_check(const json_t *doc, const char *name, struct pst_err *err);

/* The amount at a PST_PK_QUANTITY key: a JSON number or text. PST_E_SPEC without
 * file and pointer when it is none. */
PST_CHECKED int pst_policy_amount(const json_t *j, enum pst_quantity_unit unit, uint64_t *ret,
				  struct pst_err *err);

/* Fill the typed fields of `p` from p->tree, which was checked and merged; then
 * what no single document can be wrong about (default above max, pool size). */
PST_CHECKED int pst_policy_fill(struct pst_policy *p, struct pst_err *err);

/* Where `pointer` was last set: the exact key, else the nearest above or below
 * it; NULL for none. */
const struct pst_origin *pst_policy_origin(const struct pst_policy *p, const char *pointer);

/* profiles/policy.default.json, embedded at build. */
extern const char pst_policy_default[];
extern const size_t pst_policy_default_len;

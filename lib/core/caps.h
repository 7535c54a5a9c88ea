/*
 * core/caps.h - Linux capability sets by name. Pure; names as in capabilities(7).
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

typedef uint64_t pst_capset; /* bit n = capability number n */

#define PST_CAP_LAST 40 /* CAP_CHECKPOINT_RESTORE, linux/capability.h of 6.x */
#define PST_CAPS_ALL ((UINT64_C(1) << (PST_CAP_LAST + 1)) - 1)

/* "CAP_CHOWN" for 0; NULL past PST_CAP_LAST. */
const char *pst_caps_name(unsigned nr);

/* Number of a name, "CAP_" optional and any case (as runc's --cap takes it); -1 unknown. */
int pst_caps_number(const char *name);

/* A JSON array of names; unknown ones are returned in *ret_unknown (first one,
 * borrowed, NULL if none) and otherwise ignored, as runc >= 1.1 does with a
 * warning. A name counts only as capabilities(7) spells it: runc knows no other
 * spelling in a spec. Anything but an array of strings is PST_E_SPEC at
 * `pointer`. NULL is the empty set; ret_unknown may be NULL. */
PST_CHECKED int pst_caps_parse(const json_t *names, const char *pointer, pst_capset *ret,
			       const char **ret_unknown, struct pst_err *err);

/* Array of names in number order; new reference, NULL without memory. */
PST_CHECKED json_t *pst_caps_json(pst_capset set);

/* "CHOWN KILL ..." into buf for a person; cut at size. */
const char *pst_caps_text(pst_capset set, char *buf, size_t size);

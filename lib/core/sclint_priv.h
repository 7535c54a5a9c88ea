/* core/sclint_priv.h - shared by sclint*.c. */
#pragma once

#include "core/sclint.h"

/* Add a finding at in->pointer followed by `where`. */
PST_PRINTF(5, 6)
void pst_sclint_add(struct pst_sclint *l, const struct pst_sclint_in *in,
		    enum pst_sclint_level level, const char *where, const char *fmt, ...);

/* The cure of the finding added last. */
PST_PRINTF(2, 3) void pst_sclint_cure(struct pst_sclint *l, const char *fmt, ...);

/* Each rule for itself: names, conditions, what other rules leave of it. */
void pst_sclint_rules(struct pst_sclint *l, const struct pst_sclint_in *in);

/* Does a rule, or with key "defaultAction" a profile, deny (ERRNO, TRAP, KILL)? */
bool pst_sclint_denies(const json_t *rule, const char *key);

/* Where the first rule that lets `name` through stands: "/syscalls/3/names/7"; "/syscalls" if
 * nowhere by name. buf is returned. */
const char *pst_sclint_where(const json_t *obj, const char *name, char *buf, size_t size);

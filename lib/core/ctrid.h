/*
 * core/ctrid.h - container ids, and the key a container's state is kept under.
 *
 * Pure. The key is the first 32 hex digits of
 * SHA-256(canonical --root, one NUL byte, id): short enough for the path of a
 * socket, of one alphabet, and a foreign --root cannot name another's state
 * (design 7).
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_CTRID_MAX 1024
#define PST_KEY_LEN 32

/*
 * PST_OK if `id` may name a container: 1 to PST_CTRID_MAX bytes of
 * [A-Za-z0-9_+.-], neither "." nor ".." (the rule of runc, whose ids are names
 * of directories); else PST_E_USAGE, saying which byte where. A long id is
 * shortened in the message and an unprintable byte shown as hex.
 */
PST_CHECKED int pst_ctrid_check(const char *id, struct pst_err *err);

/*
 * The key of container `id` of the caller's state root `root` (absolute, links
 * resolved by the caller; borrowed). Writes PST_KEY_LEN digits and a NUL.
 */
PST_NONNULL(1, 2, 3)
void pst_ctrid_key(const char *root, const char *id, char out[PST_KEY_LEN + 1]);

/* Is `s` PST_KEY_LEN lower-case hex digits and nothing more? */
PST_CHECKED bool pst_ctrid_is_key(const char *s);

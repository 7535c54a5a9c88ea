/*
 * core/subid.h - who else holds ids: subuid(5), subgid(5), passwd(5), group(5).
 *
 * Pure: reads text, not files. A line of /etc/subuid is `owner:first:count`,
 * owner a login name or a decimal uid. Lines of owner `postern` name the pool;
 * every other line is held by somebody else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/idrange.h"

#define PST_SUBID_OWNER "postern"

/*
 * Read one file. Spaces around a line, empty lines and lines that begin with
 * '#' are skipped. Any other line that is not of the form above, or whose ids
 * do not fit 32 bits, is PST_E_POLICY naming name:line: what such a line holds
 * is unknown, and guessing could hand out somebody's ids (I-3). A count of 0
 * holds nothing; a count past the last id is cut there.
 *
 * name   the file, for messages.
 * own    the `postern` line; {0,0} if there is none; two of them are PST_E_POLICY.
 * held   lines of others are appended.
 * On failure `own` is untouched; `held` may have grown.
 */
PST_CHECKED PST_NONNULL(1, 3, 4, 5)
int pst_subid_parse(const char *text, size_t len, const char *name, struct pst_idspan *own,
		    struct pst_idspans *held, struct pst_err *err);

/*
 * The pool. uid and gid are the `postern` lines of subuid and subgid: with
 * neither, `fallback` (the policy's) is it; with both, they must be equal and
 * whole blocks (pst_idpool_check); everything else is PST_E_POLICY with the cure.
 */
PST_CHECKED PST_NONNULL(4)
int pst_subid_pool(struct pst_idspan uid, struct pst_idspan gid, struct pst_idspan fallback,
		   struct pst_idspan *out, struct pst_err *err);

/*
 * Ids of local accounts: the third field of each line of passwd(5) (or of
 * group(5)) that lies inside `pool` is appended to `held`. Lines of another
 * form (`+::::::` of NIS) are skipped: an account without a number holds none.
 * Returns PST_OK or PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 4)
int pst_subid_accounts(const char *text, size_t len, struct pst_idspan pool,
		       struct pst_idspans *held, struct pst_err *err);

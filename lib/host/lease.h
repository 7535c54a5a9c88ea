/*
 * host/lease.h - the right of containers and pods to blocks of host ids (I-3).
 *
 * One file per block in ROOT/ids, named by the decimal number of its slot
 * (first id / 65536), holding
 *
 *   {"version":1,"first":1879048192,"size":65536,"kind":"container",
 *    "owners":[{"key":"32 hex digits","process":"BOOT PIDNS PID START",
 *               "time":1700000000}]}
 *
 * A pod's block is shared: each member is one owner, and the file goes with the
 * last of them. `process` is who wrote the owner down (host/procid.h).
 *
 * A file appears complete or not at all (written aside, then link(2), which
 * never replaces), so a killed creator leaves a whole lease or none. A file that
 * is not a lease all the same still holds its block: it is reported and never
 * believed.
 *
 * Everything is done under flock(2) on ROOT/ids, held by the caller through
 * struct pst_leases for as long as it decides. A kill releases it.
 *
 * Cost does not grow with the number of leases: ROOT/ids/.hint is a bit map of
 * the slots that have a file and of those living processes were seen to use. It
 * is a cache: the files decide (link(2) refuses a slot that has one), and
 * whatever is odd about it makes it be built anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ctrid.h"
#include "core/idrange.h"
#include "core/note.h"
#include "host/procid.h"
#include "host/statedir.h"

enum pst_lease_kind { PST_LEASE_CONTAINER, PST_LEASE_SANDBOX };

struct pst_lease_owner {
	char key[PST_KEY_LEN + 1];
	struct pst_procid proc; /* who wrote it down */
	int64_t time;           /* seconds since 1970 */
};

struct pst_lease {
	struct pst_idspan block;
	enum pst_lease_kind kind;
	struct pst_lease_owner *owners;
	size_t nowners;
};

/* Frees what the lease holds; accepts an empty one ({0}). */
void pst_lease_done(struct pst_lease *l);
#define pst_auto_lease PST_CLEANUP(pst_lease_done) struct pst_lease

/* The locked lease directory. */
struct pst_leases {
	struct pst_statedir *sd; /* borrowed */
	int fd;                  /* ROOT/ids, with the lock; -1 when not open */
};

#define PST_LEASES_NONE {.sd = NULL, .fd = -1}

/* A struct pst_leases on the stack, unlocked at end of scope. */
#define pst_auto_leases PST_CLEANUP(pst_leases_unlock) struct pst_leases

/* Take the lock, waiting for it. `sd` is borrowed until the unlock. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_leases_lock(struct pst_statedir *sd, struct pst_leases *out, struct pst_err *err);

/* Give the lock back; accepts PST_LEASES_NONE. */
void pst_leases_unlock(struct pst_leases *l);

/* Where ids may come from. The files are read for each pick; tests name others. */
struct pst_lease_sources {
	struct pst_idspan pool; /* the policy's; `postern` lines of the files win */
	const char *subuid;     /* paths; a missing file is an empty one */
	const char *subgid;
	const char *passwd;
	const char *group;
};

/* The built-in pool and the files of /etc. */
extern const struct pst_lease_sources pst_lease_sources_default;

/* The pool in force: `postern` lines or src->pool. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_lease_pool(const struct pst_lease_sources *src, struct pst_idspan *out,
		   struct pst_err *err);

/*
 * Choose a free block; nothing is written down. Not chosen: blocks with a file
 * in ROOT/ids, of other names in subuid/subgid, with a local account, or mapped
 * by a living process as of at most PST_LEASE_LIVE_MS ago (a foreign runtime
 * that takes ids of our pool may do so after any look of ours; the pool is what
 * keeps us apart, the look only finds what is already wrong). When nothing is
 * left by that, all is looked at afresh and dead leases are swept before
 * PST_E_EXHAUSTED is returned.
 *
 * key   text that seeds the search, or NULL for a random start (delays reuse).
 * out   for pst_lease_claim under the same lock.
 */
#define PST_LEASE_LIVE_MS 10000
PST_CHECKED PST_NONNULL(1, 2, 4)
int pst_lease_pick(struct pst_leases *l, const struct pst_lease_sources *src, const char *key,
		   struct pst_idspan *out, struct pst_err *err);

/*
 * Write down that `owner` (a key of core/ctrid.h) holds `block`. PST_E_STATE if
 * the block has a lease already. On failure nothing is left (full disk included).
 */
PST_CHECKED PST_NONNULL(1, 4)
int pst_lease_claim(struct pst_leases *l, struct pst_idspan block, enum pst_lease_kind kind,
		    const char *owner, struct pst_err *err);

/* Lock, pick at random, claim, unlock: the whole of it for callers with no
 * decision in between. */
PST_CHECKED PST_NONNULL(1, 2, 4, 5)
int pst_lease_take(struct pst_statedir *sd, const struct pst_lease_sources *src,
		   enum pst_lease_kind kind, const char *owner, struct pst_idspan *out,
		   struct pst_err *err);

/*
 * Make `owner` one more owner of the block. `via` must be one already (the
 * sandbox): PST_E_STATE if the block has no lease of this boot, if it is a
 * container's own, or if `via` is not among its owners. Joining twice is fine.
 */
PST_CHECKED PST_NONNULL(1, 3, 4)
int pst_lease_join(struct pst_leases *l, struct pst_idspan block, const char *via,
		   const char *owner, struct pst_err *err);

/*
 * Take `owner` off the block's owners; the last one frees the block. Done
 * already (no file, or not an owner) is success, so undo may be repeated. The
 * freed block is handed out again only after a look at living processes.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_lease_release(struct pst_leases *l, struct pst_idspan block, const char *owner,
		      struct pst_err *err);

/* Release every block `owner` has: for a creator killed before it could note
 * which. Reads all leases. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_lease_release_all(struct pst_leases *l, const char *owner, struct pst_err *err);

/* The lease of one block; PST_E_STATE if there is none or the file is no lease. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_lease_read(struct pst_leases *l, struct pst_idspan block, struct pst_lease *out,
		   struct pst_err *err);

/* Blocks of `owner`, in rising order, appended to `out`. Reads all leases. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_lease_find(struct pst_leases *l, const char *owner, struct pst_idspans *out,
		   struct pst_err *err);

/* Every block with a file, lease or garbage, appended in rising order: names
 * only, nothing is opened. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_lease_list(struct pst_leases *l, struct pst_idspans *out, struct pst_err *err);

struct pst_lease_swept {
	size_t freed;   /* blocks that are free now */
	size_t garbage; /* files that are no lease and still hold their block */
	size_t unsure;  /* leases that look dead and could not be proved so */
};

/*
 * Free what the dead hold. A lease goes when it is of another boot; or when for
 * each owner no c/KEY and no making/KEY exists and its process is dead, and no
 * living process maps into the block. A file that is no lease goes when no
 * living process maps into its block and no container's record names it.
 * What was done and why is added to `notes` (may be NULL). Reads all leases.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_lease_sweep(struct pst_leases *l, struct pst_lease_swept *out, struct pst_notes *notes,
		    struct pst_err *err);

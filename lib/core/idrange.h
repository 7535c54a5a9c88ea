/*
 * core/idrange.h - choose a block of host ids nobody else holds.
 *
 * Pure: reads its arguments, touches nothing else. The caller holds the lease
 * lock (host/lease.h) from reading what is held until the pick is written down.
 *
 * Units: ids are host uids = host gids (uint32_t). A slot is one aligned block
 * of PST_ID_BLOCK ids; slot n starts at id n * PST_ID_BLOCK. Slot 0 (host root)
 * and slot 65535 (holds (uid_t)-1) are never in a pool.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_ID_BLOCK UINT32_C(65536)
#define PST_ID_SLOTS (UINT32_MAX / PST_ID_BLOCK + 1) /* 65536: the whole id space */

/* ids [first, first + len); len 0 is the empty span */
struct pst_idspan {
	uint32_t first;
	uint32_t len;
};

/* One more mapping than the block: container ids [container, container+count)
 * are host ids [host, host+count). Used for users and groups alike. */
struct pst_idextra {
	uint32_t container;
	uint32_t host;
	uint32_t count;
};

/*
 * The pool where neither policy nor subuid names one: 4095 blocks from
 * 0x70000000. Above what systemd-nspawn takes (524288..1879048191, systemd
 * UIDS-GIDS.md) and what kubelet takes by default (from 65536), below 2^31, so
 * that no tool with signed ids sees a negative one.
 */
extern const struct pst_idspan pst_idpool_default;

/* A growing list of spans; initialise with {0}. */
struct pst_idspans {
	struct pst_idspan *v;
	size_t n;
	size_t cap;
};

/* Append; an empty span is ignored. PST_E_NOMEM leaves the list as it was. */
PST_CHECKED PST_NONNULL(1)
int pst_idspans_add(struct pst_idspans *l, struct pst_idspan span, struct pst_err *err);

/* Frees the list and empties it. */
void pst_idspans_done(struct pst_idspans *l);

#define pst_auto_idspans PST_CLEANUP(pst_idspans_done) struct pst_idspans

/* Slots as one bit each: 8 KiB, so it lives on the stack; {0} is the empty set. */
struct pst_idset {
	uint8_t bits[PST_ID_SLOTS / 8];
};

/* Every slot the span touches joins or leaves the set. A span that runs past
 * the last id is cut there. */
void pst_idset_add(struct pst_idset *set, struct pst_idspan span);
void pst_idset_drop(struct pst_idset *set, struct pst_idspan span);

/* a becomes the union of a and b. */
void pst_idset_merge(struct pst_idset *a, const struct pst_idset *b);

/* Is the slot that holds `id` in the set? */
PST_CHECKED bool pst_idset_has(const struct pst_idset *set, uint32_t id);

/* Do the spans share an id? An empty one shares none. */
PST_CHECKED bool pst_idspan_overlaps(struct pst_idspan a, struct pst_idspan b);

/*
 * PST_OK if `pool` may be one: both ends on a slot boundary, at least one
 * block, neither slot 0 nor slot 65535 inside; else PST_E_POLICY.
 */
PST_CHECKED int pst_idpool_check(struct pst_idspan pool, struct pst_err *err);

/*
 * Pick a free slot of `pool` for `key`.
 *
 * pool   as pst_idpool_check wants it, else PST_E_POLICY.
 * held   every slot in use: leases, /etc/subuid, local users. Borrowed.
 * key    seeds the search, so the same key tends to get the same slot. Not a
 *        promise. A caller without a wish passes random text (host/lease.h).
 * out    on success {slot start, PST_ID_BLOCK}; untouched on failure.
 *
 * Returns PST_OK, PST_E_POLICY, or PST_E_EXHAUSTED when every slot is held.
 * Never allocates. Time: O(slots in pool).
 */
PST_CHECKED PST_NONNULL(2, 3, 4)
int pst_idrange_pick_set(struct pst_idspan pool, const struct pst_idset *held, const char *key,
			 struct pst_idspan *out, struct pst_err *err);

/* The same with what is held as spans: any order, may overlap, need not be
 * aligned. Time: O(nheld + slots in pool). */
PST_CHECKED PST_NONNULL(4, 5)
int pst_idrange_pick(struct pst_idspan pool, const struct pst_idspan held[], size_t nheld,
		     const char *key, struct pst_idspan *out, struct pst_err *err);

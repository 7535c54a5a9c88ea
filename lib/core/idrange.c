#include "core/idrange.h"

#include <stdlib.h>

const struct pst_idspan pst_idpool_default = {
	.first = UINT32_C(0x70000000),
	.len = UINT32_C(4095) * PST_ID_BLOCK,
};

/* 64-bit: a span may end exactly at 2^32; one that runs past it is cut. */
static uint64_t span_last(struct pst_idspan span)
{
	const uint64_t last = (uint64_t)span.first + span.len - 1;
	return last > UINT32_MAX ? UINT32_MAX : last;
}

int pst_idspans_add(struct pst_idspans *l, struct pst_idspan span, struct pst_err *err)
{
	if (span.len == 0)
		return PST_OK;
	if (l->n == l->cap) {
		const size_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct pst_idspan *v = reallocarray(l->v, cap, sizeof *v);
		if (v == NULL)
			return pst_fail_nomem(err);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = span;
	return PST_OK;
}

void pst_idspans_done(struct pst_idspans *l)
{
	free(l->v);
	*l = (struct pst_idspans){0};
}

void pst_idset_add(struct pst_idset *set, struct pst_idspan span)
{
	if (span.len == 0)
		return;
	const uint64_t last = span_last(span) / PST_ID_BLOCK;
	for (uint64_t n = span.first / PST_ID_BLOCK; n <= last; n++)
		set->bits[n / 8] |= (uint8_t)(1u << (n % 8));
}

void pst_idset_drop(struct pst_idset *set, struct pst_idspan span)
{
	if (span.len == 0)
		return;
	const uint64_t last = span_last(span) / PST_ID_BLOCK;
	for (uint64_t n = span.first / PST_ID_BLOCK; n <= last; n++)
		set->bits[n / 8] &= (uint8_t) ~(1u << (n % 8));
}

void pst_idset_merge(struct pst_idset *a, const struct pst_idset *b)
{
	for (size_t i = 0; i < sizeof a->bits; i++)
		a->bits[i] |= b->bits[i];
}

bool pst_idset_has(const struct pst_idset *set, uint32_t id)
{
	const uint32_t slot = id / PST_ID_BLOCK;
	return (set->bits[slot / 8] >> (slot % 8)) & 1;
}

bool pst_idspan_overlaps(struct pst_idspan a, struct pst_idspan b)
{
	return a.len != 0 && b.len != 0 && a.first <= span_last(b) && b.first <= span_last(a);
}

int pst_idpool_check(struct pst_idspan pool, struct pst_err *err)
{
	const uint32_t lo = pool.first / PST_ID_BLOCK;
	const uint32_t n = pool.len / PST_ID_BLOCK;

	if (pool.first % PST_ID_BLOCK == 0 && pool.len % PST_ID_BLOCK == 0 && n != 0 && lo != 0 &&
	    lo <= PST_ID_SLOTS - 1 - n)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "/ids/pool",
		 "id pool %u+%u is not whole blocks of %u inside 65536..4294901759", pool.first,
		 pool.len, PST_ID_BLOCK);
	pst_err_cure(err, "let first and count be multiples of %u, e.g. %u:%u", PST_ID_BLOCK,
		     pst_idpool_default.first, pst_idpool_default.len);
	return PST_E_POLICY;
}

static uint32_t hash_key(const char *key) /* FNV-1a: spread, not secrecy */
{
	uint32_t h = UINT32_C(2166136261);
	for (const char *p = key; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * UINT32_C(16777619);
	return h;
}

int pst_idrange_pick_set(struct pst_idspan pool, const struct pst_idset *held, const char *key,
			 struct pst_idspan *out, struct pst_err *err)
{
	const int rc = pst_idpool_check(pool, err);
	if (rc != PST_OK)
		return rc;

	const uint32_t n = pool.len / PST_ID_BLOCK;
	const uint32_t start = hash_key(key) % n;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t first = pool.first + (start + i) % n * PST_ID_BLOCK;
		if (!pst_idset_has(held, first)) {
			*out = (struct pst_idspan){.first = first, .len = PST_ID_BLOCK};
			return PST_OK;
		}
	}
	pst_fail(err, PST_E_EXHAUSTED, "/ids/pool", "all %u id blocks of the pool %u+%u are held",
		 n, pool.first, pool.len);
	pst_err_cure(err, "remove containers, run postern doctor --repair, or widen the pool");
	return PST_E_EXHAUSTED;
}

int pst_idrange_pick(struct pst_idspan pool, const struct pst_idspan held[], size_t nheld,
		     const char *key, struct pst_idspan *out, struct pst_err *err)
{
	struct pst_idset taken = {0};
	for (size_t i = 0; i < nheld; i++)
		pst_idset_add(&taken, held[i]);
	return pst_idrange_pick_set(pool, &taken, key, out, err);
}

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/idrange.h"

static const struct pst_idspan four = {.first = 10 * PST_ID_BLOCK, .len = 4 * PST_ID_BLOCK};

Test(idrange, the_default_pool_is_4095_blocks_above_nspawn_and_below_2_31)
{
	cr_assert_eq(pst_idpool_default.first, 1879048192u);
	cr_assert_eq(pst_idpool_default.len / PST_ID_BLOCK, 4095);
	cr_assert_eq(pst_idpool_default.first + pst_idpool_default.len - 1, 2147418111u);
	cr_assert_eq(pst_idpool_check(pst_idpool_default, NULL), PST_OK);
}

Test(idrange, fills_pool_then_exhausted_and_leaves_out_alone)
{
	struct pst_idspan held[4], out = {0};
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(pst_idrange_pick(four, held, i, "k", &out, NULL), PST_OK);
		cr_assert_eq(out.len, PST_ID_BLOCK);
		cr_assert(out.first >= four.first && out.first < four.first + four.len);
		for (size_t j = 0; j < i; j++)
			cr_assert_neq(out.first, held[j].first);
		held[i] = out;
	}
	struct pst_err err = {0};
	const struct pst_idspan before = out;
	cr_assert_eq(pst_idrange_pick(four, held, 4, "k", &out, &err), PST_E_EXHAUSTED);
	cr_assert_eq(out.first, before.first);
	cr_assert_neq(err.cure[0], '\0');
}

Test(idrange, same_key_same_block_and_keys_spread)
{
	struct pst_idspan a, b;
	bool seen[64] = {false};
	size_t distinct = 0;
	for (int i = 0; i < 64; i++) {
		char key[16];
		snprintf(key, sizeof key, "pod-%d", i);
		cr_assert_eq(pst_idrange_pick(pst_idpool_default, NULL, 0, key, &a, NULL), 0);
		cr_assert_eq(pst_idrange_pick(pst_idpool_default, NULL, 0, key, &b, NULL), 0);
		cr_assert_eq(a.first, b.first);
		const uint32_t bucket = (a.first - pst_idpool_default.first) / PST_ID_BLOCK % 64;
		distinct += !seen[bucket];
		seen[bucket] = true;
	}
	cr_assert_gt(distinct, 24);
}

Test(idrange, a_span_that_touches_a_block_by_one_id_holds_it)
{
	const struct pst_idspan held[] = {
		{.first = 11 * PST_ID_BLOCK - 1, .len = 2},   /* ends slot 10, begins slot 11 */
		{.first = 13 * PST_ID_BLOCK + 999, .len = 1}, /* one account */
	};
	struct pst_idspan out;
	cr_assert_eq(pst_idrange_pick(four, held, 2, "any", &out, NULL), PST_OK);
	cr_assert_eq(out.first, 12 * PST_ID_BLOCK);
}

Test(idrange, spans_past_the_last_id_are_cut_not_wrapped)
{
	struct pst_idset s = {0};
	pst_idset_add(&s, (struct pst_idspan){.first = UINT32_MAX - 5, .len = UINT32_MAX});
	cr_assert(pst_idset_has(&s, UINT32_MAX));
	cr_assert_not(pst_idset_has(&s, 0));
	cr_assert_not(pst_idset_has(&s, PST_ID_BLOCK));
	pst_idset_add(&s, (struct pst_idspan){.first = 0, .len = 0});
	cr_assert_not(pst_idset_has(&s, 0));
}

Test(idrange, sets_drop_and_merge)
{
	struct pst_idset a = {0}, b = {0};
	pst_idset_add(&a, four);
	pst_idset_drop(&a, (struct pst_idspan){.first = 11 * PST_ID_BLOCK, .len = PST_ID_BLOCK});
	cr_assert(pst_idset_has(&a, 10 * PST_ID_BLOCK));
	cr_assert_not(pst_idset_has(&a, 11 * PST_ID_BLOCK + 7));
	pst_idset_add(&b, (struct pst_idspan){.first = 11 * PST_ID_BLOCK + 7, .len = 1});
	pst_idset_merge(&a, &b);
	cr_assert(pst_idset_has(&a, 11 * PST_ID_BLOCK));
	cr_assert_not(pst_idset_has(&a, 14 * PST_ID_BLOCK));
}

Test(idrange, host_root_and_the_invalid_id_are_never_in_a_pool)
{
	const struct pst_idspan bad[] = {
		{.first = 0, .len = PST_ID_BLOCK},
		{.first = PST_ID_BLOCK, .len = 0},
		{.first = PST_ID_BLOCK + 1, .len = PST_ID_BLOCK},
		{.first = PST_ID_BLOCK, .len = PST_ID_BLOCK + 1},
		{.first = 65535 * PST_ID_BLOCK, .len = PST_ID_BLOCK},
		{.first = 65534 * PST_ID_BLOCK, .len = 2 * PST_ID_BLOCK},
		{.first = 2 * PST_ID_BLOCK, .len = 65535 * PST_ID_BLOCK},
	};
	struct pst_idspan out = {0};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_assert_eq(pst_idrange_pick(bad[i], NULL, 0, "", &out, NULL), PST_E_POLICY,
			     "pool %zu", i);
	cr_assert_eq(out.len, 0);
	const struct pst_idspan widest = {.first = PST_ID_BLOCK, .len = 65534 * PST_ID_BLOCK};
	cr_assert_eq(pst_idpool_check(widest, NULL), PST_OK);
}

Test(idrange, overlap_is_sharing_an_id)
{
	const struct pst_idspan a = {.first = 10, .len = 5};
	cr_assert(pst_idspan_overlaps(a, (struct pst_idspan){.first = 14, .len = 1}));
	cr_assert(pst_idspan_overlaps((struct pst_idspan){.first = 0, .len = 11}, a));
	cr_assert_not(pst_idspan_overlaps(a, (struct pst_idspan){.first = 15, .len = 9}));
	cr_assert_not(pst_idspan_overlaps(a, (struct pst_idspan){.first = 12, .len = 0}));
}

Test(idrange, a_span_list_keeps_order_and_drops_the_empty)
{
	pst_auto_idspans l = {0};
	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(pst_idspans_add(&l, (struct pst_idspan){.first = i, .len = i % 2}, NULL), 0);
	cr_assert_eq(l.n, 50);
	cr_assert_eq(l.v[0].first, 1);
	cr_assert_eq(l.v[49].first, 99);
}

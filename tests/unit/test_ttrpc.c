#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ttrpc.h"

static void frame(uint8_t *out, uint32_t length, uint32_t stream)
{
	const struct pst_ttrpc_header h = {.length = length, .stream = stream, .type = PST_TTRPC_REQUEST,
					   .flags = 2};
	pst_ttrpc_emit(&h, out);
}

Test(ttrpc, a_header_is_big_endian_and_comes_back)
{
	static const uint8_t want[] = {0, 0, 1, 2, 0, 3, 0, 5, 1, 2};
	uint8_t got[PST_TTRPC_HEADER];
	struct pst_ttrpc_header h;
	frame(got, 0x102, 0x30005);
	cr_assert_arr_eq(got, want, sizeof want);
	pst_ttrpc_parse(got, &h);
	cr_assert(h.length == 0x102 && h.stream == 0x30005 && h.type == 1 && h.flags == 2);
}

Test(ttrpc, frames_arrive_in_any_split)
{
	uint8_t bytes[2 * PST_TTRPC_HEADER + 7];
	frame(bytes, 4, 1);
	memcpy(bytes + PST_TTRPC_HEADER, "abcd", 4);
	frame(bytes + PST_TTRPC_HEADER + 4, 3, 3);
	memcpy(bytes + 2 * PST_TTRPC_HEADER + 4, "xyz", 3);
	for (size_t step = 1; step <= sizeof bytes; step++) {
		struct pst_ttrpc_reader r = {0};
		char seen[8] = "";
		for (size_t at = 0; at < sizeof bytes;) {
			const size_t n = sizeof bytes - at < step ? sizeof bytes - at : step;
			size_t used = 0;
			if (pst_ttrpc_take(&r, bytes + at, n, &used) == PST_TTRPC_FRAME) {
				memcpy(seen + strlen(seen), r.body, r.nbody);
				pst_ttrpc_next(&r);
			}
			at += used;
		}
		cr_assert_str_eq(seen, "abcdxyz", "step %zu", step);
		cr_assert_null(r.body);
	}
}

Test(ttrpc, a_promise_of_4_MiB_costs_nothing_until_bytes_come)
{
	uint8_t head[PST_TTRPC_HEADER];
	struct pst_ttrpc_reader r = {0};
	size_t used;
	frame(head, PST_TTRPC_MAX, 1);
	cr_assert_eq(pst_ttrpc_take(&r, head, sizeof head, &used), PST_TTRPC_MORE);
	cr_assert_eq(r.space, 0);
	cr_assert_eq(pst_ttrpc_take(&r, head, 1, &used), PST_TTRPC_MORE);
	cr_assert_leq(r.space, 4096);
	pst_ttrpc_done(&r);
}

Test(ttrpc, an_oversized_frame_is_told_once_and_skipped)
{
	uint8_t bytes[PST_TTRPC_HEADER];
	uint8_t piece[65536] = {0};
	struct pst_ttrpc_reader r = {0};
	size_t used;
	size_t left = PST_TTRPC_MAX + 1;
	frame(bytes, PST_TTRPC_MAX + 1, 7);
	cr_assert_eq(pst_ttrpc_take(&r, bytes, sizeof bytes, &used), PST_TTRPC_TOOBIG);
	cr_assert_eq(r.h.stream, 7);
	pst_ttrpc_next(&r);
	while (left > 0) {
		const size_t n = left < sizeof piece ? left : sizeof piece;
		cr_assert_eq(pst_ttrpc_take(&r, piece, n, &used), PST_TTRPC_MORE);
		left -= n;
	}
	frame(bytes, 0, 9);
	cr_assert_eq(pst_ttrpc_take(&r, bytes, sizeof bytes, &used), PST_TTRPC_FRAME);
	cr_assert_eq(r.h.stream, 9);
	pst_ttrpc_done(&r);
}

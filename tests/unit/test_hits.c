#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "core/hits.h"
#include "core/json.h"
#include "core/limitwatch.h"

#define SOURCE "policy.json /limits/memory"
#define MIB (UINT64_C(1) << 20)

Test(hits, the_sentence_of_a_kill)
{
	pst_auto_buf out = {0};
	struct pst_oom_report r = {.victim = {7, 231 * MIB, "java"}, .largest = {7, 231 * MIB, "java"}};
	pst_hits_oom_text(&r, 256 * MIB, true, SOURCE, &out);
	cr_expect_str_eq(pst_buf_cstr(&out), "OOM-killed at 256 MiB: limit from " SOURCE "; largest: java 231 MiB");
}

Test(hits, another_was_killed_than_the_largest)
{
	pst_auto_buf out = {0};
	struct pst_oom_report r = {.victim = {8, 3 * MIB, "s\nh"}, .largest = {7, 231 * MIB, "java"}, .of = "/pod"};
	pst_hits_oom_text(&r, 512 * MIB, false, SOURCE, &out);
	cr_expect_str_eq(pst_buf_cstr(&out), "OOM-killed at 512 MiB: limit of the cgroup above, /pod; killed: s\\x0ah "
					     "3 MiB; largest: java 231 MiB");
}

Test(hits, the_node_had_none_left)
{
	pst_auto_buf out = {0};
	const struct pst_oom_report r = {.node = true, .largest = {7, 1536 * MIB, "java"}};
	pst_hits_oom_text(&r, PST_CGNUM_NONE, false, SOURCE, &out);
	cr_expect_str_eq(pst_buf_cstr(&out), "OOM-killed: the node had no memory left; largest: java 1.5 GiB");
}

Test(hits, the_other_sentences)
{
	pst_auto_buf pids = {0};
	pst_auto_buf cpu = {0};
	const struct pst_hits h = {.periods = 100, .throttled = 43, .throttled_us = 12345678};
	pst_hits_pids_text(64, 812, SOURCE, &pids);
	cr_expect_str_eq(pst_buf_cstr(&pids), "reached its limit of 64 processes, 812 could not start: limit from " SOURCE);
	pst_auto_buf size = {0};
	pst_hits_size_text(120 * MIB, 100 * MIB, SOURCE, &size);
	cr_expect_str_eq(pst_buf_cstr(&size), "stopped at 120 MiB in its own layer, above 100 MiB: limit from " SOURCE);
	pst_auto_buf net = {0};
	pst_hits_net_text(true, 8000000, 17, SOURCE, &net);
	cr_expect_str_eq(pst_buf_cstr(&net), "lost 17 packets that left it at 8Mbit/s: limit from " SOURCE);
	pst_hits_cpu_text(&h, 500, SOURCE, &cpu);
	cr_expect_str_eq(pst_buf_cstr(&cpu), "throttled in 43 % of its time at 0.50 cores, for 12.3 s: limit from " SOURCE);
	cr_expect(pst_hits_throttled(&h));
	cr_expect(!pst_hits_throttled(&(struct pst_hits){.periods = 100, .throttled = 10, .throttled_us = 9000000}));
	cr_expect(!pst_hits_throttled(&(struct pst_hits){.periods = 2, .throttled = 2, .throttled_us = 900000}));
}

Test(hits, amounts_of_bytes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {{0, "0 bytes"},	      {1023, "1023 bytes"},	   {1024, "1 KiB"},
		     {1536, "1.5 KiB"},	      {256 * MIB, "256 MiB"},	   {256 * MIB - 1, "255 MiB"},
		     {UINT64_MAX, "15 EiB"}, {MIB + MIB / 20, "1 MiB"}};
	for (size_t i = 0; i < PST_NELEM(cases); i++) {
		pst_auto_buf out = {0};
		pst_bytes_text(&out, cases[i].bytes);
		cr_expect_str_eq(pst_buf_cstr(&out), cases[i].text);
	}
}

Test(hits, counts_are_read_as_they_were_written)
{
	pst_auto_buf out = {0};
	const struct pst_hits h = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	struct pst_hits back;
	const char *said[PST_HITS_SAID];
	pst_hits_print(&h, &out);
	pst_buf_str(&out, "said one thing\nunknown 9\nnonsense\noom_kills x\nsaid another\n");
	char *text = pst_buf_take(&out);
	pst_hits_parse(text, &back, said);
	cr_expect_eq(memcmp(&h, &back, sizeof h), 0);
	cr_expect_str_eq(said[0], "one thing");
	cr_expect_str_eq(said[1], "another");
	cr_expect_null(said[2]);
	free(text);
}

Test(hits, counts_never_fall)
{
	struct pst_hits h = {.oom_kills = 3, .pids_refused = 1};
	struct pst_cgnum n = pst_cgnum_none;
	n.oom_kills = 2;
	n.pids_refused = 4;
	pst_hits_take(&h, &n);
	cr_expect_eq(h.oom_kills, 3);
	cr_expect_eq(h.pids_refused, 4);
	cr_expect_eq(h.throttled, 0);
}

static char *watch_of(const char *spec, const struct pst_edits *edits)
{
	pst_auto_buf out = {0};
	pst_auto_json *j = json_loads(spec, 0, NULL);
	struct pst_err err = {0};
	cr_assert_not_null(j);
	cr_assert_eq(pst_limitwatch_make(j, edits, &out, &err), PST_OK);
	return out.len == 0 ? strdup("") : pst_buf_take(&out);
}

Test(limitwatch, each_limit_with_its_source)
{
	pst_auto_edits edits = {0};
	pst_edit_set(&edits, "/linux/resources/pids/limit", json_integer(64), "policy.json /limits/pids/max", "x");
	pst_auto_free char *text = watch_of("{\"linux\":{\"resources\":{\"pids\":{\"limit\":64},\"memory\":{\"limit\":1048576},"
					    "\"cpu\":{\"quota\":25000,\"period\":50000}}}}", &edits);
	cr_expect_str_eq(text, "limit\tmemory\t1048576\tthe spec's /linux/resources/memory/limit\n"
			       "limit\tpids\t64\tpolicy.json /limits/pids/max\n"
			       "limit\tcpu\t500\tthe spec's /linux/resources/cpu/quota\n");
	cr_expect_eq(strncmp(pst_limitwatch_find(text, "limit", "pids"), "64\tpolicy", 9), 0);
	cr_expect_null(pst_limitwatch_find(text, "limit", "pid"));
	cr_expect_null(pst_limitwatch_find(text, "cgroup", "pids"));
}

Test(limitwatch, the_whole_resources_set_by_one_edit)
{
	pst_auto_edits edits = {0};
	pst_edit_set(&edits, "/linux/resources", json_object(), "annotation postern/pids", "x");
	pst_auto_free char *text = watch_of("{\"linux\":{\"resources\":{\"pids\":{\"limit\":64}}}}", &edits);
	cr_expect_str_eq(text, "limit\tpids\t64\tannotation postern/pids\n");
}

Test(limitwatch, what_unified_says_comes_first)
{
	pst_auto_edits edits = {0};
	pst_auto_free char *text = watch_of("{\"linux\":{\"resources\":{\"memory\":{\"limit\":5},\"unified\":{\"memory.max\":\"1M\",\"pids.max\":\"max\","
					    "\"cpu.max\":\"50000 100000\"}}}}", &edits);
	cr_expect_str_eq(text, "limit\tmemory\t1048576\tthe spec's /linux/resources/unified/memory.max\n"
			       "limit\tcpu\t500\tthe spec's /linux/resources/unified/cpu.max\n");
}

Test(limitwatch, no_limit_is_no_line)
{
	const struct pst_edits none = {0};
	static const char *const specs[] = {
		"{}",
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":0},\"memory\":{\"limit\":-1},\"cpu\":{\"quota\":-1,\"period\":100000}}}}",
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":-1},\"cpu\":{\"shares\":100},\"unified\":{\"memory.max\":\"max\"}}}}",
	};
	for (size_t i = 0; i < PST_NELEM(specs); i++) {
		pst_auto_free char *text = watch_of(specs[i], &none);
		cr_expect_str_empty(text, "%s", specs[i]);
	}
}

Test(limitwatch, unified_is_written_last_and_counts)
{
	const struct pst_edits none = {0};
	pst_auto_free char *text = watch_of("{\"linux\":{\"resources\":{\"cpu\":{\"quota\":1,\"period\":100000},"
					    "\"unified\":{\"cpu.max\":\"20000 50000\",\"memory.max\":\"4096\"}}}}", &none);
	cr_expect_str_eq(text, "limit\tmemory\t4096\tthe spec's /linux/resources/unified/memory.max\n"
			       "limit\tcpu\t400\tthe spec's /linux/resources/unified/cpu.max\n");
}

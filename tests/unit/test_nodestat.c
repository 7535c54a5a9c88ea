#include <criterion/criterion.h>
#include <string.h>

#include "core/nodestat.h"

static struct pst_ctrstat boxes(const char *id)
{
	struct pst_ctrstat c = {.num = pst_cgnum_none, .busy_us = PST_CGNUM_NONE, .up = true, .first = 65536};
	c.id = strdup(id);
	c.root = strdup("/run/runc");
	return c;
}

/* Three: one with limits that were met, one that only complains, one with nothing. */
static struct pst_nodestat node(void)
{
	struct pst_nodestat s = {.n = 3, .leases = 3, .pool_blocks = 4095, .apart_us = 200000};
	s.v = calloc(3, sizeof *s.v);
	s.v[0] = boxes("0123456789abcdef0123456789abcdef");
	s.v[0].names[PST_POD_NAME] = strdup("we\nb");
	s.v[0].names[PST_POD_NAMESPACE] = strdup("default");
	s.v[0].profile = strdup("baseline");
	s.v[0].num.memory = 12 << 20;
	s.v[0].num.memory_limit = 256 << 20;
	s.v[0].num.pids = 3;
	s.v[0].num.pids_limit = 64;
	s.v[0].num.quota_us = 50000;
	s.v[0].num.period_us = 100000;
	s.v[0].num.cpu_us = 1500001;
	s.v[0].busy_us = 86000;
	s.v[0].hits = (struct pst_hits){.denied = 7, .oom_kills = 1, .pids_refused = 812, .periods = 100,
					.throttled = 43, .throttled_us = 2000000, .sent_dropped = 3,
					.received_dropped = 4};
	s.v[0].said[0] = "OOM-killed at 256 MiB: limit from policy.json \033[2J";
	s.v[1] = boxes("second");
	s.v[1].profile = strdup("web");
	s.v[1].complain = true;
	s.v[1].hits.complained = 4;
	s.v[2] = boxes("third");
	s.v[2].up = false;
	s.v[2].first = 0;
	return s;
}

static void has(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "no \"%s\" in\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
	cr_expect_null(strstr(text, part), "\"%s\" in\n%s", part, text);
}

Test(top, the_table)
{
	pst_auto_nodestat s = node();
	pst_auto_buf out = {0};
	pst_top_text(&s, NULL, false, &out);
	const char *t = pst_buf_cstr(&out);
	has(t, "3 containers, 3 of 4095 blocks of ids in use\n");
	has(t, "COMPLAIN: the profile of 1 container is NOT enforced\n");
	has(t, "0123456789abc  default/we\\x0ab  65536     baseline      up     12 MiB / 256 MiB  3 / 64  0.43 / 0.50  7 "
	       "                 memory (1 killed), pids (812 refused), cpu (43 % throttled), network (7 dropped)\n");
	has(t, "\n    OOM-killed at 256 MiB: limit from policy.json \\x1b[2J\n");
	has(t, "web COMPLAIN  up ");
	has(t, "0 (4 let through)  -\n");
	has(t, "third          -                host ids  off           ended  -                 -       -            0 ");
	has_not(t, "\033");
}

Test(top, colours_are_for_terminals)
{
	pst_auto_nodestat s = node();
	pst_auto_buf out = {0};
	pst_top_text(&s, NULL, true, &out);
	has(pst_buf_cstr(&out), "\033[1;31mweb COMPLAIN  \033[0m");
	has_not(pst_buf_cstr(&out), "\033[2J");
}

Test(top, an_empty_node)
{
	const struct pst_nodestat s = {0};
	pst_auto_buf out = {0};
	pst_top_text(&s, NULL, false, &out);
	cr_expect_str_eq(pst_buf_cstr(&out), "0 containers, 0 blocks of ids in use\n");
}

Test(top, what_containers_that_are_gone_ran_into)
{
	pst_auto_nodestat s = node();
	pst_auto_buf out = {0};
	json_t *gone = json_loads("[{\"time\":\"t1\",\"id\":\"second\",\"text\":\"here\"},{\"time\":\"t2\",\"id\":\"away\",\"pod\":\"p\","
				  "\"text\":\"OOM\\u001b-killed\"},{\"time\":\"t3\",\"id\":\"away\"}]", 0, NULL);
	pst_top_text(&s, gone, false, &out);
	has(pst_buf_cstr(&out), "\nof containers that are gone:\n    t2 away pod p: OOM\\x1b-killed\n");
	has_not(pst_buf_cstr(&out), "here");
	json_decref(gone);
}

Test(top, json_has_the_same)
{
	pst_auto_nodestat s = node();
	json_t *j = pst_top_json(&s, NULL);
	const json_t *first = json_array_get(json_object_get(j, "containers"), 0);
	cr_assert_not_null(j);
	cr_expect_eq(json_integer_value(json_object_get(first, "cpuMillicores")), 430);
	cr_expect_eq(json_integer_value(json_object_get(first, "memoryLimitBytes")), 256 << 20);
	cr_expect_str_eq(json_string_value(json_object_get(first, "pod")), "we\\x0ab");
	cr_expect_null(json_object_get(first, "memoryPeakBytes"));
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(j, "containers"), 1), "mode")),
			 "complain");
	json_decref(j);
}

Test(nodestat, use_between_two_looks)
{
	pst_auto_nodestat a = node();
	pst_auto_nodestat b = node();
	memcpy(a.v[0].key, "k0", 3);
	memcpy(b.v[0].key, "k0", 3);
	a.at_us = 1000;
	b.at_us = 501000;
	a.v[0].num.cpu_us = 1000001;
	pst_nodestat_since(&b, &a);
	cr_expect_eq(b.apart_us, 500000);
	cr_expect_eq(b.v[0].busy_us, 500000);
}

Test(metrics, names_units_and_values)
{
	pst_auto_nodestat s = node();
	pst_auto_buf out = {0};
	pst_metrics_text(&s, "1.0", &out);
	const char *t = pst_buf_cstr(&out);
	has(t, "# TYPE postern_oom_kills_total counter\n");
	has(t, "postern_cpu_limit_cores{id=\"0123456789abcdef0123456789abcdef\",root=\"/run/runc\",pod=\"we\\\\x0ab\",namespace="
	       "\"default\",container=\"\"} 0.500\n");
	has(t, "postern_cpu_usage_seconds_total{id=\"0123456789abcdef0123456789abcdef\",root=\"/run/runc\",pod=\"we\\\\x0ab\","
	       "namespace=\"default\",container=\"\"} 1.500001\n");
	has(t, "mode=\"complain\",block=\"65536\"} 1\n");
	has(t, "\npostern_leases 3\n");
	has(t, "postern_complaints_total{id=\"second\",root=\"/run/runc\",pod=\"\",namespace=\"\",container=\"\"} 4\n");
	has_not(t, "postern_memory_usage_bytes{id=\"second\"");
	has_not(t, "postern_disk_read_bytes_total");
}

Test(metrics, values_of_labels_are_escaped)
{
	static const struct {
		const char *raw, *label;
	} cases[] = {
		{"plain", "\"plain\""},
		{"a\"b", "\"a\\\"b\""},
		{"a\\b", "\"a\\\\b\""},
		{"a\nb", "\"a\\\\x0ab\""},
		{"\xff", "\"\\\\xff\""},
		{"\xc3\xa9", "\"\xc3\xa9\""},
	};
	for (size_t i = 0; i < PST_NELEM(cases); i++) {
		pst_auto_buf out = {0};
		pst_metrics_label(&out, cases[i].raw);
		cr_expect_str_eq(pst_buf_cstr(&out), cases[i].label);
	}
}

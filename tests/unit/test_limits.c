#include "limitsfixture.h"

Test(limits, without_a_policy_nothing_is_touched)
{
	becomes("", "{\"process\":{},\"linux\":{}}", &none, false, "{\"process\":{},\"linux\":{}}");
	spec("", "{\"pids\":{\"limit\":-1},\"cpu\":{\"period\":9999999999}}",
	     "{\"pids\":{\"limit\":-1},\"cpu\":{\"period\":9999999999}}");
	update("", "{\"cpu\":{\"period\":1000},\"pids\":{\"limit\":0}}",
	       "{\"cpu\":{\"period\":1000},\"pids\":{\"limit\":0}}");
}

Test(limits, absent_gets_the_default_and_unlimited_or_above_the_ceiling)
{
	spec(PIDS, "{}", "{\"pids\":{\"limit\":100}}");
	spec(PIDS, "{\"pids\":null}", "{\"pids\":{\"limit\":100}}");
	spec(PIDS, "{\"pids\":{\"limit\":-1}}", "{\"pids\":{\"limit\":200}}");
	spec(PIDS, "{\"pids\":{\"limit\":0}}", "{\"pids\":{\"limit\":200}}");
	spec(PIDS, "{\"pids\":{\"limit\":201}}", "{\"pids\":{\"limit\":200}}");
	spec(PIDS, "{\"pids\":{\"limit\":18446744073709551615}}", "{\"pids\":{\"limit\":200}}");
	spec(PIDS, "{\"pids\":{\"limit\":200}}", "{\"pids\":{\"limit\":200}}");
	spec(PIDS, "{\"pids\":{\"limit\":7}}", "{\"pids\":{\"limit\":7}}");
	spec(MEM, "{}", "{\"memory\":{\"limit\":" GI "}}");
	spec("\"pids\":{\"default\":5}", "{\"pids\":{\"limit\":-1}}", "{\"pids\":{\"limit\":-1}}");
}

Test(limits, a_spec_without_resources_gets_them)
{
	becomes(PIDS, "{}", &none, false, "{\"linux\":{\"resources\":{\"pids\":{\"limit\":100}}}}");
}

Test(limits, every_edit_names_the_rule_that_made_it)
{
	struct pst_policy p = policy(PIDS "," MEM);
	pst_auto_json *doc = parse("{\"linux\":{\"resources\":{}}}");
	pst_auto_edits e = {0};
	const struct pst_tighten t = {.has_memory = true, .memory = 4096};
	cr_assert_eq(pst_limits_spec(doc, &p, &t, NULL, &e, NULL), PST_OK);
	cr_assert_eq(e.n, 2);
	cr_expect_str_eq(e.v[0].source, "p.json /limits/pids/default");
	cr_expect_str_eq(e.v[0].pointer, "/linux/resources/pids/limit");
	cr_expect_str_eq(e.v[1].source, "annotation postern/memory");
	pst_policy_done(&p);
}

Test(limits, a_workloads_own_limit_binds_and_never_raises)
{
	const struct pst_tighten t = {.has_pids = true, .pids = 50};
	becomes(PIDS, "{}", &t, false, "{\"linux\":{\"resources\":{\"pids\":{\"limit\":50}}}}");
	becomes("", "{\"linux\":{\"resources\":{\"pids\":{\"limit\":60}}}}", &t, false,
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":50}}}}");
	becomes("", "{\"linux\":{\"resources\":{\"pids\":{\"limit\":40}}}}", &t, false,
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":40}}}}");
	const struct pst_tighten high = {.has_pids = true, .pids = 5000};
	becomes(PIDS, "{}", &high, false, "{\"linux\":{\"resources\":{\"pids\":{\"limit\":200}}}}");
}

Test(limits, memory_taken_away_does_not_come_back_as_swap)
{
	spec(MEM, "{\"memory\":{\"limit\":2147483648,\"swap\":2147483648}}",
	     "{\"memory\":{\"limit\":" GI ",\"swap\":" GI "}}");
	spec(MEM, "{\"memory\":{\"limit\":2147483648,\"swap\":2147484648}}",
	     "{\"memory\":{\"limit\":" GI ",\"swap\":1073742824}}");
	spec(MEM, "{\"memory\":{\"limit\":2147483648,\"swap\":-1}}",
	     "{\"memory\":{\"limit\":" GI ",\"swap\":-1}}");
	spec(MEM, "{\"memory\":{\"limit\":-1,\"swap\":4096}}",
	     "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
}

Test(limits, cpu_is_compared_as_a_share_and_exactly)
{
	spec(CPU, "{}", "{\"cpu\":{\"quota\":200000,\"period\":100000}}");
	spec(CPU, "{\"cpu\":{\"quota\":-1,\"period\":50000}}",
	     "{\"cpu\":{\"quota\":100000,\"period\":50000}}");
	spec(CPU, "{\"cpu\":{\"quota\":100001,\"period\":50000,\"shares\":2}}",
	     "{\"cpu\":{\"quota\":100000,\"period\":50000,\"shares\":2}}");
	spec(CPU, "{\"cpu\":{\"quota\":100000,\"period\":50000}}",
	     "{\"cpu\":{\"quota\":100000,\"period\":50000}}");
	spec(CPU, "{\"cpu\":{\"quota\":200000}}", "{\"cpu\":{\"quota\":200000}}");
	spec(CPU, "{\"cpu\":{\"quota\":9223372036854775807,\"period\":0}}",
	     "{\"cpu\":{\"quota\":200000,\"period\":100000}}");
	/* 10 thousandths of 1 ms are below what the kernel takes. */
	spec("\"cpu\":{\"max\":\"10m\"}", "{\"cpu\":{\"quota\":5000,\"period\":1000}}",
	     "{\"cpu\":{\"quota\":1000,\"period\":100000}}");
}

Test(limits, open_files_are_limited_soft_and_hard)
{
	static const char nofile[] = "\"nofile\":{\"default\":1024,\"max\":4096}";
	becomes(nofile, "{\"process\":{}}", &none, false,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}]}}");
	becomes(nofile,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,"
		"\"soft\":0},{\"type\":\"RLIMIT_NOFILE\",\"hard\":18446744073709551615,\"soft\":512}]}}",
		&none, false,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,"
		"\"soft\":0},{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":512}]}}");
	becomes("\"nofile\":{\"max\":4096}", "{\"process\":{\"rlimits\":[]}}", &none, false,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":4096}]}}");
	becomes(nofile, "{\"root\":{}}", &none, false, "{\"root\":{}}");
	struct pst_err e =
		refused(nofile, "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1}]}}",
			false, PST_E_SPEC);
	cr_expect_str_eq(e.pointer, "/process/rlimits/0/hard");
	refused(nofile, "{\"process\":{\"rlimits\":5}}", false, PST_E_SPEC);
}

Test(limits, an_update_obeys_the_ceilings_and_leaves_the_rest)
{
	update(PIDS "," MEM "," CPU, "{}", "{}");
	update(PIDS "," MEM, "{\"pids\":{\"limit\":-1},\"memory\":{\"limit\":-1,\"swap\":-1}}",
	       "{\"pids\":{\"limit\":200},\"memory\":{\"limit\":" GI ",\"swap\":-1}}");
	update(PIDS, "{\"pids\":{\"limit\":150},\"cpu\":{\"shares\":5}}",
	       "{\"pids\":{\"limit\":150},\"cpu\":{\"shares\":5}}");
	update(PIDS "," CPU, "{\"pids\":{\"limit\":0},\"cpu\":{\"quota\":0,\"period\":0}}",
	       "{\"pids\":{},\"cpu\":{}}");
	update(CPU, "{\"cpu\":{\"quota\":300000,\"period\":100000}}",
	       "{\"cpu\":{\"quota\":200000,\"period\":100000}}");
	update(CPU, "{\"cpu\":{\"quota\":-1}}", "{\"cpu\":{\"quota\":200000,\"period\":100000}}");
}

Test(limits, an_update_cannot_shrink_the_period_under_an_old_quota)
{
	struct pst_err e = refused(CPU, "{\"cpu\":{\"period\":1000}}", true, PST_E_POLICY);
	cr_expect_str_eq(e.rule, "p.json /limits/cpu/max");
	cr_expect_str_eq(e.pointer, "/cpu");
	cr_expect_neq(e.cure[0], '\0');
	refused(CPU, "{\"cpu\":{\"quota\":5000}}", true, PST_E_POLICY);
	refused(CPU, "{\"cpu\":{\"quota\":0,\"period\":1000}}", true, PST_E_POLICY);
}

Test(limits, wrong_types_name_their_pointer)
{
	static const char *const bad[][2] = {
		{"{\"pids\":{\"limit\":\"5\"}}", "/pids/limit"},
		{"{\"memory\":{\"limit\":1.5}}", "/memory/limit"},
		{"{\"memory\":{\"swap\":true}}", "/memory/swap"},
		{"{\"cpu\":{\"quota\":[]}}", "/cpu/quota"},
		{"{\"cpu\":{\"period\":1e3}}", "/cpu/period"},
		{"{\"cpu\":{\"quota\":1,\"period\":1000001}}", "/cpu/period"},
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err e = refused(PIDS "," MEM "," CPU, bad[i][0], true, PST_E_SPEC);
		cr_expect_str_eq(e.pointer, bad[i][1]);
	}
}

Test(limits, above_may_be_refused_and_names_the_ceiling)
{
	static const char strict[] = "\"above\":\"refuse\"," PIDS "," MEM "," CPU
				     ",\"nofile\":{\"max\":4096},\"shm\":{\"max\":\"64Mi\"}";
	struct pst_err e = refused(strict, "{\"linux\":{\"resources\":{\"pids\":{\"limit\":201}}}}", false,
				   PST_E_POLICY);
	cr_expect_str_eq(e.pointer, "/linux/resources/pids/limit");
	cr_expect_str_eq(e.rule, "p.json /limits/pids/max");
	cr_expect_str_eq(e.msg, "processes: 201 is above the node's ceiling of 200");
	e = refused(strict, "{\"linux\":{\"resources\":{\"memory\":{\"limit\":-1}}}}", false, PST_E_POLICY);
	cr_expect_str_eq(e.msg, "memory: no limit is above the node's ceiling of " GI);
	refused(strict, "{\"cpu\":{\"quota\":200001,\"period\":100000}}", true, PST_E_POLICY);
	refused(strict, "{\"linux\":{\"resources\":{\"unified\":{\"pids.max\":\"max\"}}}}", false,
		PST_E_POLICY);
	refused(strict,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":4097,\"soft\":1}]}}", false,
		PST_E_POLICY);
	refused(strict,
		"{\"mounts\":[{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"options\":[\"size=65m\"]}]}",
		false, PST_E_POLICY);
	/* Nobody asked for more: what is absent, or written as 0, gets the ceiling. */
	spec(strict, "{\"pids\":{\"limit\":0},\"memory\":{},\"cpu\":{\"quota\":0}}",
	     "{\"pids\":{\"limit\":200},\"memory\":{\"limit\":" GI
	     "},\"cpu\":{\"quota\":200000,\"period\":100000}}");
	/* A workload's own wish lowers what the spec says. */
	const struct pst_tighten t = {.has_pids = true, .pids = 50};
	becomes(strict, "{\"linux\":{\"resources\":{\"pids\":{\"limit\":60},\"memory\":{\"limit\":5},"
			"\"cpu\":{\"quota\":1,\"period\":1000}}}}",
		&t, false,
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":50},\"memory\":{\"limit\":5},"
		"\"cpu\":{\"quota\":1,\"period\":1000}}}}");
}

Test(limits, swap_is_what_may_be_beside_the_memory)
{
	static const char none_at_all[] = "\"swap\":{\"max\":0}";
	spec(none_at_all, "{\"memory\":{\"limit\":4096}}", "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
	spec(none_at_all, "{\"memory\":{\"limit\":4096,\"swap\":0}}",
	     "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
	spec(none_at_all, "{\"memory\":{\"limit\":4096,\"swap\":-1}}",
	     "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
	spec(none_at_all, "{\"memory\":{\"limit\":4096,\"swap\":9000}}",
	     "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
	spec(none_at_all, "{}", "{}");
	spec(none_at_all, "{\"unified\":{\"memory.swap.max\":\"max\"}}",
	     "{\"unified\":{\"memory.swap.max\":\"0\"}}");
	static const char some[] = MEM ",\"swap\":{\"default\":0,\"max\":1000}";
	spec(some, "{}", "{\"memory\":{\"limit\":" GI ",\"swap\":" GI "}}");
	spec(some, "{\"memory\":{\"limit\":4096,\"swap\":4196}}",
	     "{\"memory\":{\"limit\":4096,\"swap\":4196}}");
	spec(some, "{\"memory\":{\"limit\":2147483648,\"swap\":2147484148}}",
	     "{\"memory\":{\"limit\":" GI ",\"swap\":1073742324}}");
	spec(some, "{\"memory\":{\"limit\":2147483648,\"swap\":4147484148}}",
	     "{\"memory\":{\"limit\":" GI ",\"swap\":1073742824}}");
	update(none_at_all, "{\"memory\":{\"limit\":4096}}", "{\"memory\":{\"limit\":4096,\"swap\":4096}}");
	update(some, "{\"memory\":{\"limit\":4096,\"swap\":9000}}",
	       "{\"memory\":{\"limit\":4096,\"swap\":5096}}");
	struct pst_err e = refused(some, "{\"memory\":{\"limit\":4096}}", true, PST_E_POLICY);
	cr_expect_str_eq(e.rule, "p.json /limits/swap/max");
	refused(some, "{\"memory\":{\"swap\":4096}}", true, PST_E_POLICY);
}

Test(limits, huge_pages_of_every_size)
{
	static const char huge[] = "\"hugepages\":{\"max\":0}";
	spec(huge, "{}",
	     "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},{\"pageSize\":\"1GB\",\"limit\":0}]}");
	spec("\"hugepages\":{\"default\":0,\"max\":4194304}",
	     "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":9999999}]}",
	     "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304},"
	     "{\"pageSize\":\"1GB\",\"limit\":0}]}");
	update(huge, "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18446744073709551615}]}",
	       "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}");
	update(huge, "{\"unified\":{\"hugetlb.2MB.max\":\"max\",\"hugetlb.2MB.rsvd.max\":\"7\"}}",
	       "{\"unified\":{\"hugetlb.2MB.max\":\"0\",\"hugetlb.2MB.rsvd.max\":\"0\"}}");
	refused(huge, "{\"hugepageLimits\":5}", true, PST_E_SPEC);
	refused(huge, "{\"hugepageLimits\":[{\"pageSize\":\"2MB\"}]}", true, PST_E_SPEC);
	refused(huge, "{\"unified\":{\"hugetlb./../x.max\":\"1\"}}", true, PST_E_SPEC);
}

Test(limits, every_limit_of_a_process_has_a_ceiling)
{
	for (size_t i = 0; i < PST_RL_COUNT; i++) {
		char limits[80], in[160], want[160];
		const struct pst_rlimit_name *n = &pst_rlimit_names[i];
		const unsigned max = i == PST_RL_NICE ? 30 : i == PST_RL_RTPRIO ? 50 : 2097152;
		snprintf(limits, sizeof limits, "\"%s\":{\"max\":%u}", n->key, max);
		snprintf(in, sizeof in,
			 "{\"process\":{\"rlimits\":[{\"type\":\"%s\",\"hard\":18446744073709551615,"
			 "\"soft\":5}]}}",
			 n->type);
		snprintf(want, sizeof want,
			 "{\"process\":{\"rlimits\":[{\"type\":\"%s\",\"hard\":%u,\"soft\":5}]}}", n->type,
			 max);
		becomes(limits, in, &none, false, want);
		cr_expect_eq(pst_rlimit_of(n->type), i);
	}
	cr_expect_eq(pst_rlimit_of("RLIMIT_X"), PST_RL_COUNT);
	cr_expect_eq(pst_rlimit_of(NULL), PST_RL_COUNT);
	becomes("\"core\":{\"default\":0},\"nproc\":{\"max\":99}", "{\"process\":{}}", &none, false,
		"{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0},"
		"{\"type\":\"RLIMIT_NPROC\",\"hard\":99,\"soft\":99}]}}");
}

/* Options of /dev/shm in, options out. */
static void shm(const char *limits, const char *in, const char *want)
{
	char doc[256], full[256];
	snprintf(doc, sizeof doc,
		 "{\"mounts\":[{\"destination\":\"/dev//shm/\",\"type\":\"tmpfs\",\"options\":[%s]}]}", in);
	snprintf(full, sizeof full,
		 "{\"mounts\":[{\"destination\":\"/dev//shm/\",\"type\":\"tmpfs\",\"options\":[%s]}]}", want);
	becomes(limits, doc, &none, false, full);
}

Test(limits, shared_memory_has_a_size)
{
	static const char max[] = "\"shm\":{\"default\":\"1Mi\",\"max\":\"64Mi\"}";
	shm(max, "\"nodev\",\"size=65536k\"", "\"nodev\",\"size=65536k\"");
	shm(max, "\"nodev\",\"size=65M\"", "\"nodev\",\"size=67108864\"");
	shm(max, "\"nodev\"", "\"nodev\",\"size=1048576\"");
	shm("\"shm\":{\"max\":\"64Mi\"}", "", "\"size=67108864\"");
	static const char *const sly[] = {"size=50%",	 "size=0x10",	       "size=010",  "size=",
					  "size=0",	 "nr_blocks=5",	       "size=1e3",  "size=99999999999999999999",
					  "size=1m,size=9g", "size=5k,nr_blocks=9"};
	for (size_t i = 0; i < PST_NELEM(sly); i++) {
		char in[64];
		snprintf(in, sizeof in, "\"%s\",\"ro\"", sly[i]);
		shm(max, in, "\"ro\",\"size=67108864\"");
	}
	becomes(max, "{\"mounts\":[{\"destination\":\"/dev/shm2\",\"type\":\"tmpfs\"},"
		     "{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/x\"}]}",
		&none, false,
		"{\"mounts\":[{\"destination\":\"/dev/shm2\",\"type\":\"tmpfs\"},"
		"{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/x\"}]}");
}

Test(limits, what_the_whole_pod_has_is_not_exceeded)
{
	becomes(MEM "," CPU,
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-memory\":\"1000\","
		"\"io.kubernetes.cri.sandbox-cpu-quota\":\"50000\","
		"\"io.kubernetes.cri.sandbox-cpu-period\":\"100000\"},\"linux\":{\"resources\":{}}}",
		&none, false,
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-memory\":\"1000\","
		"\"io.kubernetes.cri.sandbox-cpu-quota\":\"50000\","
		"\"io.kubernetes.cri.sandbox-cpu-period\":\"100000\"},\"linux\":{\"resources\":{"
		"\"memory\":{\"limit\":1000},\"cpu\":{\"quota\":50000,\"period\":100000}}}}");
	/* None given, or nonsense. */
	becomes(MEM, "{\"annotations\":{\"io.kubernetes.cri.sandbox-memory\":\"0\"},\"linux\":{}}", &none,
		false,
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-memory\":\"0\"},\"linux\":{\"resources\":{"
		"\"memory\":{\"limit\":" GI "}}}}");
	becomes(CPU,
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-cpu-quota\":\"-1\","
		"\"io.kubernetes.cri.sandbox-cpu-period\":\"0\"},\"linux\":{}}",
		&none, false,
		"{\"annotations\":{\"io.kubernetes.cri.sandbox-cpu-quota\":\"-1\","
		"\"io.kubernetes.cri.sandbox-cpu-period\":\"0\"},\"linux\":{\"resources\":{\"cpu\":{"
		"\"quota\":200000,\"period\":100000}}}}");
}

Test(limits, what_this_machine_has_no_file_for_is_refused)
{
	struct pst_policy p = policy("\"hugepages\":{\"max\":0},\"swap\":{\"max\":0}");
	pst_auto_json *spec_ = parse("{\"linux\":{\"resources\":{\"memory\":{\"limit\":4096}}}}");
	pst_auto_json *no_swap = parse("{\"cgroup\":{\"swap\":false}}");
	pst_auto_json *no_huge = parse("{\"cgroup\":{\"hugetlb\":false,\"hugepages\":[\"2MB\"]}}");
	pst_auto_json *none_at_all = parse("{\"cgroup\":{\"hugetlb\":false,\"hugepages\":[]}}");
	pst_auto_edits e = {0};
	struct pst_err err = {0};
	cr_expect_eq(pst_limits_spec(spec_, &p, &none, no_swap, &e, &err), PST_E_POLICY);
	cr_expect_str_eq(err.rule, "p.json /limits/swap/max");
	cr_expect_eq(pst_limits_spec(spec_, &p, &none, no_huge, &e, &err), PST_E_POLICY);
	cr_expect_str_eq(err.rule, "p.json /limits/hugepages/max");
	cr_expect_eq(pst_limits_spec(spec_, &p, &none, none_at_all, &e, &err), PST_OK);
	pst_policy_done(&p);
}

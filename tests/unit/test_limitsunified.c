#include "limitsfixture.h"

Test(limitsunified, unified_files_are_no_way_around_a_ceiling)
{
	spec(PIDS, "{\"unified\":{\"pids.max\":\"max\"}}", "{\"unified\":{\"pids.max\":\"200\"}}");
	spec(PIDS, "{\"unified\":{\"pids.max\":\"50\"}}", "{\"unified\":{\"pids.max\":\"50\"}}");
	spec(PIDS, "{\"pids\":{\"limit\":50},\"unified\":{\"pids.max\":\"201\"}}",
	     "{\"pids\":{\"limit\":50},\"unified\":{\"pids.max\":\"200\"}}");
	spec(MEM, "{\"unified\":{\"memory.max\":\"2G\"}}", "{\"unified\":{\"memory.max\":\"" GI "\"}}");
	update(MEM, "{\"unified\":{\"memory.max\":\" max\\n\"}}",
	       "{\"unified\":{\"memory.max\":\"" GI "\"}}");
	spec("", "{\"unified\":{\"memory.max\":\"max\"}}", "{\"unified\":{\"memory.max\":\"max\"}}");
	struct pst_err e = refused(MEM, "{\"linux\":{\"resources\":{\"unified\":{\"memory.max\":5}}}}",
				   false, PST_E_SPEC);
	cr_expect_str_eq(e.pointer, "/linux/resources/unified/memory.max");
}

Test(limitsunified, i1_unified_is_read_as_the_kernel_reads_it)
{
	/* Lower than the ceiling, in every spelling the kernel knows: none may be raised to it. */
	static const char *const lower[] = {"100M", "1048576k", " 100m ", "1", "1g"};
	for (size_t i = 0; i < PST_NELEM(lower); i++) {
		char doc[128];
		snprintf(doc, sizeof doc, "{\"unified\":{\"memory.max\":\"%s\"}}", lower[i]);
		spec(MEM, doc, doc);
	}
	static const char *const nonsense[] = {"", "0x10", "010", "1e9", "-1", "100MB", "1 2", "17E",
					       "99999999999999999999", "M", "maximum"};
	for (size_t i = 0; i < PST_NELEM(nonsense); i++) {
		char doc[128];
		snprintf(doc, sizeof doc, "{\"linux\":{\"resources\":{\"unified\":{\"memory.max\":\"%s\"}}}}",
			 nonsense[i]);
		const struct pst_err e = refused(MEM, doc, false, PST_E_SPEC);
		cr_expect_str_eq(e.pointer, "/linux/resources/unified/memory.max");
	}
	spec("", "{\"unified\":{\"memory.max\":\"0x10\"}}", "{\"unified\":{\"memory.max\":\"0x10\"}}");
}

Test(limitsunified, i1_unified_cpu_time_is_of_a_period_that_is_known)
{
	spec(CPU, "{\"unified\":{\"cpu.max\":\"max 50000\"}}",
	     "{\"unified\":{\"cpu.max\":\"100000 50000\"}}");
	spec(CPU, "{\"unified\":{\"cpu.max\":\"200001\"}}",
	     "{\"unified\":{\"cpu.max\":\"200000 100000\"}}");
	spec(CPU, "{\"unified\":{\"cpu.max\":\"5000 10000\"}}",
	     "{\"unified\":{\"cpu.max\":\"5000 10000\"}}");
	spec(CPU, "{\"unified\":{\"cpu.max\":\" 5000  10000\\n\"}}",
	     "{\"unified\":{\"cpu.max\":\" 5000  10000\\n\"}}");
	/* The period in force would be the typed one: 50 ms of 10 ms are five cores. */
	spec(CPU, "{\"cpu\":{\"period\":10000},\"unified\":{\"cpu.max\":\"50000\"}}",
	     "{\"cpu\":{\"period\":10000},\"unified\":{\"cpu.max\":\"20000 10000\"}}");
	spec(CPU, "{\"unified\":{\"cpu.max\":\"50000\"}}", "{\"unified\":{\"cpu.max\":\"50000 100000\"}}");
	refused(CPU, "{\"unified\":{\"cpu.max\":\"50000\"}}", true, PST_E_POLICY);
	static const char *const nonsense[] = {"", "1000 99999999999999", "1000 0", "5 6 7", "100abc 1000", "-1 1000"};
	for (size_t i = 0; i < PST_NELEM(nonsense); i++) {
		char doc[128];
		snprintf(doc, sizeof doc, "{\"linux\":{\"resources\":{\"unified\":{\"cpu.max\":\"%s\"}}}}",
			 nonsense[i]);
		refused(CPU, doc, false, PST_E_SPEC);
	}
	/* The kernel refuses a burst above the quota. */
	spec(CPU, "{\"cpu\":{\"quota\":900000,\"period\":100000,\"burst\":800000}}",
	     "{\"cpu\":{\"quota\":200000,\"period\":100000,\"burst\":200000}}");
}

Test(limitsunified, i1_swap_has_its_ceiling_where_the_memory_is_unified)
{
	static const char both[] = MEM ",\"swap\":{\"max\":4096}";
	spec(both, "{\"unified\":{\"memory.max\":\"100M\"}}",
	     "{\"unified\":{\"memory.max\":\"100M\",\"memory.swap.max\":\"4096\"}}");
	spec("\"swap\":{\"max\":0}", "{\"unified\":{\"memory.max\":\"max\"}}",
	     "{\"unified\":{\"memory.max\":\"max\",\"memory.swap.max\":\"0\"}}");
	spec(both, "{\"memory\":{\"swap\":-1},\"unified\":{\"memory.max\":\"max\"}}",
	     "{\"memory\":{\"swap\":-1},\"unified\":{\"memory.max\":\"" GI "\",\"memory.swap.max\":\"4096\"}}");
	spec(both, "{\"unified\":{\"memory.max\":\"1\",\"memory.swap.max\":\"1k\"}}",
	     "{\"unified\":{\"memory.max\":\"1\",\"memory.swap.max\":\"1k\"}}");
	/* Both written: each is judged where it stands. */
	spec(both, "{\"memory\":{\"limit\":8192},\"unified\":{\"memory.max\":\"max\",\"memory.swap.max\":\"max\"}}",
	     "{\"memory\":{\"limit\":8192,\"swap\":12288},\"unified\":{\"memory.max\":\"" GI
	     "\",\"memory.swap.max\":\"4096\"}}");
	/* What swap is in force an update does not see: it may be none of ours. */
	refused(both, "{\"unified\":{\"memory.max\":\"100M\"}}", true, PST_E_POLICY);
	update("\"swap\":{\"max\":0}", "{\"unified\":{\"memory.max\":\"100M\"}}",
	       "{\"unified\":{\"memory.max\":\"100M\",\"memory.swap.max\":\"0\"}}");
	update(both, "{\"unified\":{\"memory.max\":\"100M\",\"memory.swap.max\":\"1k\"}}",
	       "{\"unified\":{\"memory.max\":\"100M\",\"memory.swap.max\":\"1k\"}}");
}

Test(limitsunified, unified_files_hold_on_version_2_alone)
{
	/* On version 1 crun passes them over: what is typed has to hold. */
	machine = "{\"cgroup\":{\"version\":1}}";
	spec(PIDS, "{\"unified\":{\"pids.max\":\"9\"}}", "{\"unified\":{\"pids.max\":\"9\"},\"pids\":{\"limit\":100}}");
	spec(MEM, "{\"unified\":{\"memory.max\":\"9\"}}",
	     "{\"unified\":{\"memory.max\":\"9\"},\"memory\":{\"limit\":" GI "}}");
	spec(CPU, "{\"unified\":{\"cpu.max\":\"5000 10000\"}}",
	     "{\"unified\":{\"cpu.max\":\"5000 10000\"},\"cpu\":{\"quota\":200000,\"period\":100000}}");
}

Test(limitsunified, unified_files_that_are_no_limits_are_refused)
{
	static const char *const bad[] = {"cgroup.procs", "cgroup.threads", "cgroup.type", "cgroup.kill",
					  "cgroup.subtree_control", "cgroup.freeze"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		char doc[128];
		snprintf(doc, sizeof doc, "{\"linux\":{\"resources\":{\"unified\":{\"%s\":\"1\"}}}}", bad[i]);
		const struct pst_err e = refused("", doc, false, PST_E_POLICY);
		cr_expect(pst_ends(e.pointer, bad[i]));
	}
	spec("", "{\"unified\":{\"cgroup.max.depth\":\"3\",\"cpu.weight\":\"5\"}}",
	     "{\"unified\":{\"cgroup.max.depth\":\"3\",\"cpu.weight\":\"5\"}}");
}

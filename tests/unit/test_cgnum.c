#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/cgnum.h"
#include "core/cgpath.h"

/* As a Debian 12 host with version 1 has it, cpu and cpuacct apart, and one with both in one. */
#define V1 "9:name=systemd:/\n8:pids:/box\n4:memory:/up/box\n2:cpuacct:/box\n1:cpu:/box\n0::/\n"
#define V1_JOINT "5:cpu,cpuacct:/box\n"
#define V2 "0::/system.slice/box.scope\n"

static void parse(const char *text, bool unified, struct pst_cgroup *cg)
{
	char copy[512];
	struct pst_err err = {0};
	snprintf(copy, sizeof copy, "%s", text);
	cr_assert_eq(pst_cgroup_parse(copy, unified, cg, &err), PST_OK);
}

Test(cgpath, version_1_has_a_directory_a_controller)
{
	pst_auto_cgroup cg = {0};
	parse(V1, false, &cg);
	cr_expect_eq(cg.version, 1);
	cr_expect_str_eq(pst_cgroup_dir(&cg, PST_CGROUP_MEMORY), "/sys/fs/cgroup/memory/up/box");
	cr_expect_str_eq(pst_cgroup_dir(&cg, PST_CGROUP_CPU), "/sys/fs/cgroup/cpu/box");
	cr_expect_null(pst_cgroup_dir(&cg, PST_CGROUP_BLKIO));
	cr_expect_str_eq(pst_cgroup_inside(1, PST_CGROUP_MEMORY, "/sys/fs/cgroup/memory/up/box"), "/up/box");
	cr_expect_str_eq(pst_cgroup_inside(1, PST_CGROUP_MEMORY, "/sys/fs/cgroup/memory"), "/");
}

Test(cgpath, controllers_in_one_hierarchy_share_it)
{
	pst_auto_cgroup cg = {0};
	parse(V1_JOINT, false, &cg);
	cr_expect_str_eq(pst_cgroup_dir(&cg, PST_CGROUP_CPU), "/sys/fs/cgroup/cpu/box");
	cr_expect_str_eq(pst_cgroup_dir(&cg, PST_CGROUP_CPUACCT), "/sys/fs/cgroup/cpuacct/box");
}

Test(cgpath, version_2_has_one)
{
	pst_auto_cgroup cg = {0};
	parse(V2, true, &cg);
	cr_expect_eq(cg.version, 2);
	for (enum pst_cgroup_kind i = 0; i < PST_CGROUP_KINDS; i++)
		cr_expect_str_eq(pst_cgroup_dir(&cg, i), "/sys/fs/cgroup/system.slice/box.scope");
	cr_expect_str_eq(pst_cgroup_inside(2, PST_CGROUP_CPU, pst_cgroup_dir(&cg, PST_CGROUP_CPU)),
			 "/system.slice/box.scope");
}

Test(cgpath, a_host_without_controllers_is_no_error)
{
	pst_auto_cgroup cg = {0};
	parse("0::/\nnonsense\n:\n", false, &cg);
	cr_expect_eq(cg.version, 0);
	cr_expect_null(pst_cgroup_dir(&cg, PST_CGROUP_PIDS));
}

struct file {
	const char *name, *text;
};

static struct pst_cgnum read_all(int version, const struct file *f)
{
	struct pst_cgnum n = pst_cgnum_none;
	for (const struct pst_cgnum_row *r = pst_cgnum_rows(version); r->file != NULL; r++)
		for (const struct file *g = f; g->name != NULL; g++)
			if (strcmp(g->name, r->file) == 0)
				pst_cgnum_take(&n, r, g->text);
	return n;
}

/* Recorded on Linux 6.18 with version 1. */
static const struct file v1[] = {
	{"memory.usage_in_bytes", "67100672\n"},
	{"memory.limit_in_bytes", "67108864\n"},
	{"memory.max_usage_in_bytes", "67108864\n"},
	{"memory.failcnt", "84\n"},
	{"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"},
	{"pids.current", "5\n"},
	{"pids.max", "max\n"},
	{"pids.events", "max 16\n"},
	{"cpu.cfs_quota_us", "20000\n"},
	{"cpu.cfs_period_us", "100000\n"},
	{"cpu.stat", "nr_periods 33\nnr_throttled 4\nthrottled_time 10993177\nnr_bursts 0\nburst_time 0\n"},
	{"cpuacct.usage", "550000000\n"},
	{"blkio.throttle.io_service_bytes_recursive",
	 "254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 12288\n254:16 Read 1\n254:16 Write 2\nTotal 12291\n"},
	{NULL, NULL},
};

Test(cgnum, version_1)
{
	const struct pst_cgnum n = read_all(1, v1);
	cr_expect_eq(n.memory, 67100672);
	cr_expect_eq(n.memory_limit, 67108864);
	cr_expect_eq(n.memory_full, 84);
	cr_expect_eq(n.oom_kills, 1);
	cr_expect_eq(n.pids, 5);
	cr_expect_eq(n.pids_limit, PST_CGNUM_NONE);
	cr_expect_eq(n.pids_refused, 16);
	cr_expect_eq(n.quota_us, 20000);
	cr_expect_eq(n.periods, 33);
	cr_expect_eq(n.throttled, 4);
	cr_expect_eq(n.throttled_us, 10993);
	cr_expect_eq(n.cpu_us, 550000);
	cr_expect_eq(n.disk_read, 4097);
	cr_expect_eq(n.disk_written, 8194);
}

/* Files of the form Documentation/admin-guide/cgroup-v2.rst gives. */
static const struct file v2[] = {
	{"memory.current", "67100672\n"},
	{"memory.max", "67108864\n"},
	{"memory.peak", "67108864\n"},
	{"memory.events", "low 0\nhigh 3\nmax 812\noom 2\noom_kill 2\noom_group_kill 0\n"},
	{"pids.current", "17\n"},
	{"pids.max", "64\n"},
	{"pids.events", "max 12\n"},
	{"cpu.max", "50000 100000\n"},
	{"cpu.stat", "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 50\nnr_throttled 48\n"
		     "throttled_usec 2400000\nnr_bursts 0\nburst_usec 0\n"},
	{"io.stat", "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n"
		    "254:1 rbytes=1 wbytes=2 rios=1 wios=2 dbytes=0 dios=0\n"},
	{NULL, NULL},
};

Test(cgnum, version_2)
{
	const struct pst_cgnum n = read_all(2, v2);
	cr_expect_eq(n.memory_limit, 67108864);
	cr_expect_eq(n.memory_full, 812);
	cr_expect_eq(n.oom_kills, 2);
	cr_expect_eq(n.pids_limit, 64);
	cr_expect_eq(n.pids_refused, 12);
	cr_expect_eq(n.quota_us, 50000);
	cr_expect_eq(n.period_us, 100000);
	cr_expect_eq(n.cpu_us, 2500000);
	cr_expect_eq(n.throttled, 48);
	cr_expect_eq(n.throttled_us, 2400000);
	cr_expect_eq(n.disk_read, 4097);
	cr_expect_eq(n.disk_written, 8194);
}

Test(cgnum, no_limit_and_no_file_are_none)
{
	static const struct file open[] = {{"cpu.max", "max 100000\n"}, {"memory.max", "max\n"}, {NULL, NULL}};
	static const struct file huge[] = {{"memory.limit_in_bytes", "9223372036854771712\n"},
					   {"cpu.cfs_quota_us", "-1\n"},
					   {"pids.current", "nonsense\n"},
					   {NULL, NULL}};
	struct pst_cgnum n = read_all(2, open);
	cr_expect_eq(n.quota_us, PST_CGNUM_NONE);
	cr_expect_eq(n.period_us, 100000);
	cr_expect_eq(n.memory_limit, PST_CGNUM_NONE);
	n = read_all(1, huge);
	cr_expect_eq(n.memory_limit, PST_CGNUM_NONE);
	cr_expect_eq(n.quota_us, PST_CGNUM_NONE);
	cr_expect_eq(n.pids, PST_CGNUM_NONE);
}

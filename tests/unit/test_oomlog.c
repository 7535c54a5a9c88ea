#include <criterion/criterion.h>
#include <string.h>

#include "core/oomlog.h"

/* Recorded on Linux 6.18; other lines of the report left out. */
#define HEAD "<6>[  601.563046] memory: usage 65536kB, limit 65536kB, failcnt 84\n"
#define COLUMNS                                                                                    \
	"<6>[  601.563097] [  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem "   \
	"pgtables_bytes swapents oom_score_adj name\n"
#define ROW_SH "<6>[  601.563099] [  21770]     0 21770      600      300      100      200         0    49152        0             0 sh\n"
#define ROW_PY "<6>[  601.563100] [  21771]     0 21771    18789    18015    16320     1695         0   192512        0          -998 python3\n"
#define KILL(of, task, name, pid)                                                                  \
	"<6>[  601.563105] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=" \
	of ",task_memcg=" task ",task=" name ",pid=" pid ",uid=0\n"
#define KILLED(name, pid)                                                                          \
	"<3>[  601.563125] Memory cgroup out of memory: Killed process " pid " (" name             \
	") total-vm:75156kB, anon-rss:65280kB, file-rss:6780kB, shmem-rss:0kB, UID:0 pgtables:188kB oom_score_adj:0\n"
#define REPORT HEAD COLUMNS ROW_SH ROW_PY KILL("/box", "/box", "python3", "21771") KILLED("python3", "21771")

static struct pst_oom_report find(const char *text, const char *path)
{
	struct pst_oom_report r = {0};
	cr_assert(pst_oomlog_find(text, path, 4096, &r), "%s", text);
	return r;
}

Test(oomlog, says_who_was_killed_and_who_used_most)
{
	const struct pst_oom_report r = find(REPORT, "/box");
	cr_expect_str_eq(r.victim.name, "python3");
	cr_expect_eq(r.victim.pid, 21771);
	cr_expect_eq(r.victim.bytes, (65280 + 6780) * 1024);
	cr_expect_eq(r.largest.pid, 21771);
	cr_expect_eq(r.largest.bytes, 18015 * 4096);
	cr_expect_eq(r.limit, 65536 * 1024);
	cr_expect_str_eq(r.of, "/box");
	cr_expect(!r.node);
}

Test(oomlog, columns_of_older_kernels)
{
	const struct pst_oom_report r =
		find("<6>[1.0] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
		     "<6>[1.0] [   900]     0   900    18789    10   192512        0             0 a b\n"
		     KILL("/pod", "/pod/box", "a b", "900") KILLED("a b", "900"), "/pod/box");
	cr_expect_str_eq(r.largest.name, "a b");
	cr_expect_eq(r.largest.bytes, 40960);
	cr_expect_str_eq(r.of, "/pod");
}

Test(oomlog, only_its_own_cgroup_and_below)
{
	struct pst_oom_report r;
	cr_expect(!pst_oomlog_find(REPORT, "/bo", 4096, &r));
	cr_expect(!pst_oomlog_find(REPORT, "/box/below", 4096, &r));
	cr_expect(!pst_oomlog_find("", "/box", 4096, &r));
	r = find(HEAD COLUMNS KILL("/box", "/box/below", "x", "7"), "/box");
	cr_expect_eq(r.victim.pid, 7);
}

Test(oomlog, the_latest_counts)
{
	const struct pst_oom_report r =
		find(REPORT HEAD COLUMNS ROW_SH KILL("/box", "/box", "sh", "21770") KILLED("sh", "21770")
			     HEAD COLUMNS ROW_PY KILL("/other", "/other", "python3", "21771"),
		     "/box");
	cr_expect_str_eq(r.victim.name, "sh");
	cr_expect_eq(r.largest.pid, 21770);
}

Test(oomlog, a_node_without_memory)
{
	const struct pst_oom_report r =
		find("<6>[1.0] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
		     "task_memcg=/box,task=sh,pid=9,uid=5\n",
		     "/box");
	cr_expect(r.node);
	cr_expect_eq(r.limit, 0);
	cr_expect_eq(r.victim.pid, 9);
}

/* A process chooses its name: 15 bytes of anything. */
Test(oomlog, names_do_not_pass_for_more)
{
	struct pst_oom_report r = find(HEAD KILL("/box", "/box", "a,pid=1,uid=0", "9") KILLED("a,pid=1,uid=0", "9"),
				       "/box");
	cr_expect_eq(r.victim.pid, 9);
	cr_expect_str_eq(r.victim.name, "a,pid=1,uid=0");
	r = find(HEAD KILL("/box", "/box", ") total-vm:1kB", "9") KILLED(") total-vm:1kB", "9"), "/box");
	cr_expect_eq(r.victim.bytes, (65280 + 6780) * 1024);
	/* a newline makes two lines of one: neither is whole */
	r = find(HEAD COLUMNS ROW_SH "<6>[1.0] [     9]     0     9    18789    18015    16320     1695         0   192512        0             0 \n"
				     "<6>[1.0] [1] 0 0 9 99999\n" KILL("/box", "/box", "x", "9"),
		 "/box");
	cr_expect_eq(r.largest.bytes, 18015 * 4096);
}

Test(oomlog, user_space_is_not_believed)
{
	struct pst_oom_report r;
	static const char text[] = "<12>oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/box,task_memcg=/box,task=x,pid=1,uid=0\n";
	cr_expect(!pst_oomlog_find(text, "/box", 4096, &r));
}

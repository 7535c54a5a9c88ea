/*
 * core/oomlog.h - whom the OOM killer took, from the kernel's own log. Pure.
 *
 * Form (mm/oom_kill.c, dump_header and oom_kill_process; the same on cgroup v1 and v2):
 *
 *   memory: usage 65536kB, limit 65536kB, failcnt 84
 *   [  pid  ]   uid  tgid total_vm      rss ... oom_score_adj name
 *   [  21771]     0 21771    18789    18015 ...             0 python3
 *   oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a/b,task=python3,pid=21771,uid=0
 *   Memory cgroup out of memory: Killed process 21771 (python3) total-vm:75156kB, anon-rss:65280kB, ...
 *
 * A process chooses its name, so no name is believed to be more than one: the kernel
 * cuts it at 15 bytes, too few for a whole line of these forms, and a line is read only
 * when all of it is there. What user space writes into the log has a facility of its
 * own and is passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PST_OOM_NAME 16 /* TASK_COMM_LEN */

struct pst_oom_task {
	uint64_t pid;             /* 0: not known */
	uint64_t bytes;           /* resident */
	char name[PST_OOM_NAME];  /* as it is: escape before printing */
};

struct pst_oom_report {
	bool node;                /* the node had no memory left: no limit was met */
	char of[256];             /* cgroup whose limit was met, "" if not known */
	uint64_t limit;           /* of it, bytes; 0 if not known */
	struct pst_oom_task victim;
	struct pst_oom_task largest; /* of those that could have been taken */
};

/*
 * The latest kill in the cgroup `path` ("/a/b", as the log names it) or below it.
 * text  as syslog(2) READ_ALL gives it: lines with "<N>" in front.
 * page  bytes of a page. False: the log tells of none.
 */
PST_CHECKED PST_NONNULL(1, 2, 4)
bool pst_oomlog_find(const char *text, const char *path, size_t page, struct pst_oom_report *ret);

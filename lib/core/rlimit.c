#include "core/rlimit.h"

#include <stddef.h>

#include "base/str.h"

const struct pst_rlimit_name pst_rlimit_names[PST_RL_COUNT] = {
	[PST_RL_AS] = {"RLIMIT_AS", "as", "address space"},
	[PST_RL_CORE] = {"RLIMIT_CORE", "core", "core files"},
	[PST_RL_CPU] = {"RLIMIT_CPU", "cpuTime", "cpu seconds of a process"},
	[PST_RL_DATA] = {"RLIMIT_DATA", "data", "data segments"},
	[PST_RL_FSIZE] = {"RLIMIT_FSIZE", "fsize", "file size"},
	[PST_RL_LOCKS] = {"RLIMIT_LOCKS", "locks", "file locks"},
	[PST_RL_MEMLOCK] = {"RLIMIT_MEMLOCK", "memlock", "locked memory"},
	[PST_RL_MSGQUEUE] = {"RLIMIT_MSGQUEUE", "msgqueue", "message queues"},
	[PST_RL_NICE] = {"RLIMIT_NICE", "nice", "nice values"},
	[PST_RL_NOFILE] = {"RLIMIT_NOFILE", "nofile", "open files"},
	[PST_RL_NPROC] = {"RLIMIT_NPROC", "nproc", "processes of a user"},
	[PST_RL_RSS] = {"RLIMIT_RSS", "rss", "resident memory"},
	[PST_RL_RTPRIO] = {"RLIMIT_RTPRIO", "rtprio", "realtime priority"},
	[PST_RL_RTTIME] = {"RLIMIT_RTTIME", "rttime", "realtime microseconds"},
	[PST_RL_SIGPENDING] = {"RLIMIT_SIGPENDING", "sigpending", "pending signals"},
	[PST_RL_STACK] = {"RLIMIT_STACK", "stack", "stack size"},
};

enum pst_rlimit pst_rlimit_of(const char *type)
{
	unsigned i = 0;
	while (i < PST_RL_COUNT && !pst_streq(pst_rlimit_names[i].type, type))
		i++;
	return (enum pst_rlimit)i;
}

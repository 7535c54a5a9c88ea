/*
 * core/rlimit.h - the resource limits of a process, by the names we give them. Pure.
 *
 * Source: getrlimit(2), config.md "rlimits". The key is that of the policy,
 * /limits/KEY: the lower-case rest of the name, except "cpuTime" for RLIMIT_CPU,
 * since /limits/cpu is the cgroup's share.
 */
#pragma once

#include "base/attr.h"

enum pst_rlimit {
	PST_RL_AS,
	PST_RL_CORE,
	PST_RL_CPU,
	PST_RL_DATA,
	PST_RL_FSIZE,
	PST_RL_LOCKS,
	PST_RL_MEMLOCK,
	PST_RL_MSGQUEUE,
	PST_RL_NICE,
	PST_RL_NOFILE,
	PST_RL_NPROC,
	PST_RL_RSS,
	PST_RL_RTPRIO,
	PST_RL_RTTIME,
	PST_RL_SIGPENDING,
	PST_RL_STACK,
	PST_RL_COUNT,
};

struct pst_rlimit_name {
	const char *type; /* "RLIMIT_NOFILE", as a spec writes it */
	const char *key;  /* "nofile" */
	const char *what; /* "open files": for reasons */
};

extern const struct pst_rlimit_name pst_rlimit_names[PST_RL_COUNT];

/* The one a spec calls `type`; PST_RL_COUNT for none. */
enum pst_rlimit pst_rlimit_of(const char *type);

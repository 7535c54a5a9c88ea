/* core/limits_priv.h - shared by limits*.c only: one limit, judged. */
#pragma once

#include "core/limits.h"

struct pst_judge {
	const struct pst_policy *policy;
	struct pst_edits *edits;
	const json_t *root;
	const char *prefix; /* of the resources in root: "/linux/resources" or "" */
	const json_t *facts; /* of the machine, NULL: not known */
	bool partial;       /* an update: what is absent stays as it is */
	bool lower;         /* lowered even where /limits/above says to refuse */
	const char *process; /* where in root the process is: "/process" or "" */
};

/* What holds for one limit: the policy's, and the workload's own. */
struct pst_bound {
	const struct pst_limit *policy;
	const char *pointer; /* "/limits/pids" */
	const char *what;    /* for reasons: "memory" */
	bool own;
	uint64_t own_max;
	const char *annotation; /* its source text */
	uint64_t pod;           /* what the whole pod may have; 0: not said */
	const char *pod_source;
	bool plain; /* the key itself is the ceiling: no /max below it */
};

/* What the document asks for. */
enum pst_ask { PST_ASK_NOTHING, PST_ASK_UNLIMITED, PST_ASK_SOME };

struct pst_asked {
	enum pst_ask how;
	bool zero; /* written as 0: "unset" to engines, and so never above a ceiling on purpose */
	uint64_t v;
};

struct pst_verdict {
	bool change;
	uint64_t v;
	char source[320];
};

/* What the policy limits, this machine has no cgroup file for: PST_E_POLICY, said before
 * the runtime fails at it. PST_OK while the facts do not say no at `fact`. */
PST_CHECKED int pst_judge_able(const struct pst_judge *j, const struct pst_bound *b, const char *fact,
			       const char *pointer, struct pst_err *err);

/* Is there anything the answer must not be above? */
bool pst_judge_bounded(const struct pst_bound *b);
uint64_t pst_judge_ceiling(const struct pst_bound *b);

/* Where the bound comes from; `leaf` is "max" or "default". */
void pst_judge_source(const struct pst_judge *j, const struct pst_bound *b, const char *leaf,
		      char *buf, size_t size);

/*
 * What is to stand at `pointer`. PST_E_POLICY when it is above the policy's ceiling
 * and /limits/above says to refuse that.
 */
PST_CHECKED int pst_judge_decide(const struct pst_judge *j, const struct pst_bound *b,
				 struct pst_asked a, const char *pointer, struct pst_verdict *ret,
				 struct pst_err *err);

/* The number at `pointer`, lowered when it is above the bound. PST_E_SPEC when it is none. */
PST_CHECKED int pst_judge_entry(const struct pst_judge *j, const char *pointer, const struct pst_bound *b,
				struct pst_err *err);

/* "/linux/resources" + "/pids/limit" */
const char *pst_judge_at(const struct pst_judge *j, const char *tail, char buf[96]);

/* The number at `tail` of the resources; PST_E_SPEC when it is none. */
PST_CHECKED int pst_judge_read(struct pst_judge *j, const char *tail, const struct pst_bound *b,
			       struct pst_asked *ret, struct pst_err *err);

#define PST_CPU_PERIOD UINT64_C(100000) /* microseconds; default of cpu.max, cgroup-v2.rst */

/* limitscpu.c: "QUOTA", "QUOTA PERIOD", "max PERIOD" (cgroup-v2.rst "cpu.max"). *ret_period 0: not given. */
PST_CHECKED bool pst_limits_cpu_max(const char *text, struct pst_asked *ret, uint64_t *ret_period);

/* limitsproc.c: limits of the process (no `process` in root: none) and of its /dev/shm. */
PST_CHECKED int pst_limits_rlimits(struct pst_judge *j, const struct pst_tighten *t,
				   struct pst_err *err);
PST_CHECKED int pst_limits_shm(struct pst_judge *j, struct pst_err *err);

/* limitsdisk.c: what an update says of disks. */
PST_CHECKED int pst_limits_disk_update(struct pst_judge *j, const struct pst_tighten *t,
				       struct pst_err *err);

/* limitshuge.c: huge pages, by page size. */
PST_CHECKED int pst_limits_hugepages(struct pst_judge *j, struct pst_err *err);

/* limitscpu.c: processor time. */
#define PST_CPU_PERIOD_MAX UINT64_C(1000000) /* longest the kernel takes, max_cfs_quota_period */
PST_CHECKED int pst_limits_cpu(struct pst_judge *j, const struct pst_bound *b, struct pst_err *err);

/*
 * limitsunified.c. *ret_holds: the file is written in the end, whatever the typed field says.
 * _text: what is to be written to it, or NULL. pst_limits_unified: of a file that holds one
 * number or "max"; what is neither is PST_E_SPEC where there is a bound.
 */
PST_CHECKED int pst_limits_unified_text(const struct pst_judge *j, const char *file, const char **ret,
					bool *ret_holds, struct pst_err *err);
PST_CHECKED int pst_limits_unified(struct pst_judge *j, const char *file, const struct pst_bound *b,
				   bool *ret_holds, struct pst_err *err);
/* PST_E_POLICY for a file that is no limit and reaches beyond the container. */
PST_CHECKED int pst_limits_unified_core(const struct pst_judge *j, struct pst_err *err);

/*
 * host/sysrec_priv.h - the recorder's programs and what they share with who reads them.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/sysrec.h"

/* Slots of the state map. */
enum {
	PST_SYSREC_PHASE,
	PST_SYSREC_ARGS_LOST,
	PST_SYSREC_TASKS_LOST,
	PST_SYSREC_FOREIGN,
	PST_SYSREC_NSTATE
};

#define PST_BPFPROG_MAX 360

struct pst_bpfprog {
	struct bpf_insn v[PST_BPFPROG_MAX];
	size_t n;
};

/* Whose calls are counted. */
struct pst_sysrec_of {
	uint64_t ns_dev, ns_ino; /* the pid namespace */
	pid_t init;              /* the container's, as that namespace numbers it */
};

/* Tracepoint sys_enter: count. Of `r` the maps are there. False: too long. */
PST_CHECKED bool pst_sysrec_prog_enter(const struct pst_sysrec_of *of, const struct pst_sysrec *r,
				       struct pst_bpfprog *ret);
/* Tracepoint sched_process_fork: who came by exec leaves that to its children. */
PST_CHECKED bool pst_sysrec_prog_fork(const struct pst_sysrec *r, struct pst_bpfprog *ret);
/* Tracepoint sched_process_exit: the address of a dead task may become another one's. */
PST_CHECKED bool pst_sysrec_prog_exit(const struct pst_sysrec *r, struct pst_bpfprog *ret);

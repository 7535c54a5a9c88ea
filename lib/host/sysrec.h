/*
 * host/sysrec.h - record every system call of a container, losing none.
 *
 * A program assembled here runs in the kernel at each system call's entry (raw
 * tracepoint sys_enter, bpf(2)). For tasks of one pid
 * namespace it counts by phase and number, with atomic adds into a map: nothing is
 * queued, so nothing can be lost. The runtime's own init is left out by its name until
 * it becomes the program. One that is not the container's first process came by exec (a
 * probe, a shell): two more programs, at fork and exit, follow it and its children, so
 * that they are counted as a phase of their own. Every process of the machine pays some
 * 100 ns a call while it is on. Arguments that decide something (families of sockets, flags of clone,
 * options of prctl, requests of ioctl) go into a second map; when that is full a
 * counter says so, and the recording is incomplete.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_SYSREC_CALLS 512
#define PST_SYSREC_PHASES 4
#define PST_SYSREC_BY_EXEC 3 /* the phase of processes that came by exec, whatever the time */
#define PST_SYSREC_ARGS 4096 /* different sets of arguments kept */
#define PST_SYSREC_TASKS 8192 /* threads that came by exec, at one time */
#define PST_SYSREC_PROGS 3

struct pst_sysrec_count {
	uint64_t n;
	char comm[16]; /* of the first task that made it; not always terminated */
};

/* Arguments that matter of one call; what a call has fewer of is 0. */
struct pst_sysrec_args {
	uint32_t nr;
	uint32_t a, b, c; /* low 32 bits */
};

struct pst_sysrec {
	/* descriptors, -1 */
	int prog[PST_SYSREC_PROGS], link[PST_SYSREC_PROGS];
	int counts, args, tasks, state;
};
#define PST_SYSREC_NONE                                                                           \
	{.prog = {-1, -1, -1}, .link = {-1, -1, -1}, .counts = -1, .args = -1, .tasks = -1, .state = -1}

/*
 * Attach for all tasks of process `init`'s pid namespace. PST_E_HOST with the cure when
 * the kernel does not let us; PST_E_STATE when the namespace is our own.
 */
PST_CHECKED PST_NONNULL(2)
int pst_sysrec_open(pid_t init, struct pst_sysrec *ret, struct pst_err *err);

/* Calls from now on belong to `phase` (below PST_SYSREC_BY_EXEC), but for those of
 * processes that came by exec. Ones that came before the recording are not known as such. */
PST_CHECKED PST_NONNULL(1)
int pst_sysrec_phase(struct pst_sysrec *r, unsigned phase, struct pst_err *err);

/* Read the counts of one phase. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_sysrec_read(const struct pst_sysrec *r, unsigned phase,
		    struct pst_sysrec_count out[PST_SYSREC_CALLS], struct pst_err *err);

/* Up to PST_SYSREC_ARGS sets; *ret_n of them. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_sysrec_args(const struct pst_sysrec *r, struct pst_sysrec_args out[PST_SYSREC_ARGS],
		    size_t *ret_n, struct pst_err *err);

struct pst_sysrec_faults {
	uint64_t args_lost;  /* sets of arguments that found no place */
	uint64_t tasks_lost; /* threads by exec that found none: counted by the time's phase */
	uint64_t foreign;    /* calls of another ABI, or of a number above the table */
};
PST_CHECKED PST_NONNULL(1, 2)
int pst_sysrec_faults(const struct pst_sysrec *r, struct pst_sysrec_faults *ret,
		      struct pst_err *err);

/* Detach; accepts PST_SYSREC_NONE. */
void pst_sysrec_close(struct pst_sysrec *r);
#define pst_auto_sysrec PST_CLEANUP(pst_sysrec_close) struct pst_sysrec

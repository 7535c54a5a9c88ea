/*
 * core/bpfsim.h - run a seccomp filter program without a kernel.
 *
 * Pure. The classic BPF a seccomp filter may use, judged as strictly as the
 * kernel does when it loads one (kernel/seccomp.c seccomp_check_filter,
 * net/core/filter.c bpf_check_classic): a program that passes pst_bpf_check can
 * be run on any data and always returns.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_bpf {
	const struct sock_filter *insn;
	size_t n;
};

/* PST_E_RUNTIME naming the instruction if the kernel would not take the program. */
PST_CHECKED int pst_bpf_check(struct pst_bpf p, struct pst_err *err);

/* What the program returns for `d`. It must have passed pst_bpf_check. */
PST_CHECKED PST_NONNULL(2) uint32_t pst_bpf_run(struct pst_bpf p, const struct seccomp_data *d);

/* A program stopped on its way. */
struct pst_bpf_state {
	size_t pc;
	uint32_t a;
	uint32_t x;
	uint32_t mem[BPF_MEMWORDS];
};

/*
 * Run `p` for call d->nr and d->arch up to the first instruction that reads an
 * argument or the instruction pointer: what comes before is the same for all
 * arguments, and long. `st` is where pst_bpf_resume goes on for one set of them.
 */
PST_NONNULL(2, 3)
void pst_bpf_enter(struct pst_bpf p, const struct seccomp_data *d, struct pst_bpf_state *st);

/* What `p` returns, from `st` on; d->nr and d->arch as at pst_bpf_enter. */
PST_CHECKED PST_NONNULL(2, 3)
uint32_t pst_bpf_resume(struct pst_bpf p, const struct pst_bpf_state *st,
			const struct seccomp_data *d);

/* What a chain of filters answers: the strongest action; of equal ones the
 * first's data. chain[0] is the newest. n 0: ALLOW. */
PST_CHECKED PST_NONNULL(3)
uint32_t pst_bpf_chain(const struct pst_bpf chain[], size_t n, const struct seccomp_data *d);

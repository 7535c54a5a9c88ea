/*
 * core/sctable.h - the system calls of x86_64: name, number, group, reason.
 *
 * Pure; the table is generated at build from profiles/syscalls-x86_64.tsv and
 * profiles/groups/. A *slot* is an index for arrays: the number of an x86_64
 * call (below PST_SC_NATIVE), or a place after those for a call that only i386
 * has (chown32, mmap2, ...; they matter when a compat ABI is allowed).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PST_SC_NATIVE 512 /* Linux 6.18 ends at 469; numbers are handed out in order */
#define PST_SC_FOREIGN 96
#define PST_SC_SLOTS (PST_SC_NATIVE + PST_SC_FOREIGN)

struct pst_sc {
	const char *name;
	const char *group; /* file of profiles/groups without .tsv; "compat" for i386 only */
	const char *why;   /* one line: what it does, or why it is kept out */
	int16_t slot;
	int16_t nr;   /* on x86_64, -1 if it has none */
	int16_t i386; /* number there, -1 if none */
	int16_t twin; /* i386 only: number of the x86_64 call that does the same, -1 if none */
	uint8_t ints; /* bit i: the kernel cuts argument i to 32 bits or fewer */
	bool live;    /* has an entry point in an ordinary 6.18 kernel */
};

/* The call of that name, NULL if there is none. Binary search. */
PST_NONNULL(1) const struct pst_sc *pst_sctable_name(const char *name);

/* The call in that slot (for a native one: of that number), NULL if empty. */
const struct pst_sc *pst_sctable_slot(unsigned slot);

/* All calls in order of their names: i from 0 until NULL. */
const struct pst_sc *pst_sctable_at(size_t i);

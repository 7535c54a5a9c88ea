/*
 * core/cves.h - which known kernel bugs a profile keeps out of reach.
 *
 * Pure; the table is profiles/kernel-cves.tsv, whose head explains its columns. A
 * bug is closed when a call on its path is denied with the arguments it needs, or
 * when the capability it needs is not there and no user namespace can be made that
 * would bring it. Exact: argument conditions are compared as sets, and what other
 * doors lead to the same call (io_uring, socketcall of 32-bit programs) counts.
 * Where a set is too large to tell, the bug counts as open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "core/caps.h"
#include "core/scprof.h"

struct pst_cve {
	const char *name;            /* "CVE-2022-0185" */
	const char *needs;           /* the calls, as the table writes them */
	const char *how;             /* the path in words, "" if the calls say it */
	const char *part;            /* of the kernel */
	const char *cap;             /* capability needed, "" for none */
	const char *source;          /* fix, or where it is described */
	bool userns;                 /* a new user namespace opens the way */
	bool confirmed;              /* checked against a public list of kernel bugs */
	unsigned short first, count; /* private: clauses */
};

enum pst_cve_state {
	PST_CVE_OPEN,
	PST_CVE_BY_CALL, /* a call of its path is denied, whatever the arguments */
	PST_CVE_BY_ARGS, /* a call is denied with the arguments it needs */
	PST_CVE_BY_ABI,  /* it needs a foreign ABI */
	PST_CVE_BY_CAP,  /* the capability is missing */
};

/* What a process under the profile has besides its calls. */
struct pst_cve_view {
	const struct pst_scprof *p; /* NULL: no filter at all, every ABI */
	pst_capset caps;
	bool notify_denies; /* what is notified is answered with an error */
};

/* All bugs, oldest first: i from 0 until NULL. */
const struct pst_cve *pst_cve_at(size_t i);

/*
 * Is the bug within reach?
 * why   for a closed one by a call: the call whose denial closes it (borrowed);
 *       NULL: not wanted, and NULL where no call is to be named.
 */
PST_CHECKED PST_NONNULL(1, 2) enum pst_cve_state
	pst_cve_judge(const struct pst_cve *cve, const struct pst_cve_view *v,
		      const struct pst_sc **why);

/* Can a process make a user namespace of its own (clone, unshare, clone3)? */
PST_CHECKED PST_NONNULL(1) bool pst_cve_userns(const struct pst_cve_view *v);

/* How many of all are open; *ret_total, if not NULL, gets how many there are. */
PST_CHECKED PST_NONNULL(1) size_t
	pst_cve_count_open(const struct pst_cve_view *v, size_t *ret_total);

/* Is the call (with whatever arguments) part of what the bug needs? */
PST_CHECKED PST_NONNULL(1, 2) bool pst_cve_names(const struct pst_cve *cve,
						 const struct pst_sc *sc);

/* "denied: keyctl", "needs CAP_NET_ADMIN", ...: a state in words for a person.
 * buf is returned. */
const char *pst_cve_words(const struct pst_cve *cve, enum pst_cve_state s, const struct pst_sc *why,
			  char *buf, size_t size);

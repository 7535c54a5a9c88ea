/*
 * core/hits.h - limits of a container that were met: counts, and a sentence each. Pure.
 *
 * The keeper counts (shim/keeper/limits.c) and keeps what it has counted in c/KEY/counts,
 * for the verbs that show it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "core/cgnum.h"
#include "core/oomlog.h"

struct pst_hits {
	uint64_t denied;     /* calls, by the profile or the spec's filter */
	uint64_t complained; /* let through in complain mode */
	uint64_t oom_kills;
	uint64_t memory_full; /* times at the limit, reclaim included */
	uint64_t pids_refused;
	uint64_t periods, throttled, throttled_us;
	uint64_t sent_dropped, received_dropped; /* packets, by the limits of its network */
};

#define PST_HITS_SAID 4    /* sentences kept of a container */
#define PST_HITS_LINE 512  /* longest sentence */
#define PST_HITS_TEXT 4096 /* longest text of pst_hits_print */

/* "NAME NUMBER" a line. */
PST_NONNULL(1, 2) void pst_hits_print(const struct pst_hits *h, struct pst_buf *out);

/* Back; unknown lines are passed over, missing ones are 0. Lines "said TEXT" are
 * sentences: said[i] is set to those, borrowed from `text`, which is changed. */
PST_NONNULL(1, 2, 3)
void pst_hits_parse(char *text, struct pst_hits *h, const char *said[PST_HITS_SAID]);

/* What a cgroup says of its limits; what it does not say stays. Counts never fall. */
PST_NONNULL(1, 2) void pst_hits_take(struct pst_hits *h, const struct pst_cgnum *n);

/* Was more than a tenth of the periods cut short, a second in all? Less is every program's
 * everyday. */
PST_CHECKED bool pst_hits_throttled(const struct pst_hits *h);

/* "256 MiB", "1.5 GiB", "17 KiB", "12 bytes". */
PST_NONNULL(1) void pst_bytes_text(struct pst_buf *out, uint64_t bytes);

/*
 * The sentences; `source` is where the limit comes from (core/limitwatch.h).
 *
 * "OOM-killed at 256 MiB: limit from policy.json /limits/memory/max; largest: java 231 MiB"
 * limit  in force, PST_CGNUM_NONE if there is none
 * own    the limit met is the container's own, not one further up
 */
PST_NONNULL(1, 4, 5)
void pst_hits_oom_text(const struct pst_oom_report *r, uint64_t limit, bool own, const char *source,
		       struct pst_buf *out);
/* "reached its limit of 64 processes, 12 could not start: limit from ..." */
PST_NONNULL(3, 4)
void pst_hits_pids_text(uint64_t limit, uint64_t refused, const char *source, struct pst_buf *out);
/* "stopped at 120 MiB in its own layer, above 100 MiB: limit from policy.json /limits/disk/size";
 * bytes PST_CGNUM_NONE: they are not known, which is the reason. */
PST_NONNULL(3, 4)
void pst_hits_size_text(uint64_t bytes, uint64_t limit, const char *source, struct pst_buf *out);
/* "lost 17 packets that left it at 8Mbit/s: limit from ..." */
PST_NONNULL(4, 5)
void pst_hits_net_text(bool sent, uint64_t bits, uint64_t dropped, const char *source, struct pst_buf *out);
/* "throttled in 43 % of its time at 0.5 cores, for 12.3 s: limit from ..." */
PST_NONNULL(1, 3, 4)
void pst_hits_cpu_text(const struct pst_hits *h, uint64_t millicores, const char *source,
		       struct pst_buf *out);

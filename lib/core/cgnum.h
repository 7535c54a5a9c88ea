/*
 * core/cgnum.h - the numbers of a cgroup: limits, use, and how often a limit was met. Pure.
 *
 * One table a version says which file holds which number; who reads the files is the
 * caller. Sources: cgroup-v1/{memory,pids,blkio-controller}.rst, scheduler/sched-bwc.rst,
 * cgroup-v2.rst. memory.failcnt and "max" of memory.events count how often the limit was
 * met, reclaim included; pids.events "max" the forks that were refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/cgpath.h"

#define PST_CGNUM_NONE UINT64_MAX /* no limit, or not known */

struct pst_cgnum {
	uint64_t memory, memory_limit, memory_peak; /* bytes */
	uint64_t memory_full;                       /* times at the limit */
	uint64_t oom_kills;
	uint64_t pids, pids_limit, pids_refused;
	uint64_t cpu_us;                  /* used */
	uint64_t quota_us, period_us;     /* of cpu time */
	uint64_t periods, throttled;      /* periods with a quota, and those cut short */
	uint64_t throttled_us;
	uint64_t disk_read, disk_written; /* bytes */
};

/* All not known. */
extern const struct pst_cgnum pst_cgnum_none;

enum pst_cgnum_form {
	PST_CGNUM_WHOLE, /* the file is the number, "max" and -1 are none */
	PST_CGNUM_KEY,   /* a line "KEY NUMBER" */
	PST_CGNUM_WORD,  /* the n-th word, n being KEY */
	PST_CGNUM_SUM,   /* over the devices: lines "DEVICE KEY NUMBER" or "DEVICE ... KEYNUMBER" */
};

struct pst_cgnum_row {
	enum pst_cgroup_kind where;
	const char *file; /* rows of one file stand together */
	enum pst_cgnum_form form;
	const char *key;
	size_t offset;    /* into struct pst_cgnum */
	uint64_t divide;  /* 0: not */
	bool hit;         /* it tells of a limit that was met */
};

/* The rows of a version; ends with file NULL. */
const struct pst_cgnum_row *pst_cgnum_rows(int version);

/* Put what `text`, the row's file, says into *n; text that says nothing leaves it alone. */
PST_NONNULL(1, 2, 3)
void pst_cgnum_take(struct pst_cgnum *n, const struct pst_cgnum_row *row, const char *text);

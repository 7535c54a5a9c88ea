#include "core/cgnum.h"

#include <stdlib.h>
#include <string.h>

#define UNLIMITED (UINT64_C(1) << 62) /* version 1 prints the highest page count there is */

const struct pst_cgnum pst_cgnum_none = {
	PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE,
	PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE,
	PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE, PST_CGNUM_NONE,
};

#define ROW(w, f, o, k, m, d, h)                                                               \
	{                                                                                      \
		PST_CGROUP_##w, f, PST_CGNUM_##o, k, offsetof(struct pst_cgnum, m), d, h       \
	}

static const struct pst_cgnum_row v1[] = {
	ROW(MEMORY, "memory.usage_in_bytes", WHOLE, NULL, memory, 0, false),
	ROW(MEMORY, "memory.limit_in_bytes", WHOLE, NULL, memory_limit, 0, false),
	ROW(MEMORY, "memory.max_usage_in_bytes", WHOLE, NULL, memory_peak, 0, false),
	ROW(MEMORY, "memory.failcnt", WHOLE, NULL, memory_full, 0, true),
	ROW(MEMORY, "memory.oom_control", KEY, "oom_kill", oom_kills, 0, true),
	ROW(PIDS, "pids.current", WHOLE, NULL, pids, 0, false),
	ROW(PIDS, "pids.max", WHOLE, NULL, pids_limit, 0, false),
	ROW(PIDS, "pids.events", KEY, "max", pids_refused, 0, true),
	ROW(CPU, "cpu.cfs_quota_us", WHOLE, NULL, quota_us, 0, false),
	ROW(CPU, "cpu.cfs_period_us", WHOLE, NULL, period_us, 0, false),
	ROW(CPU, "cpu.stat", KEY, "nr_periods", periods, 0, true),
	ROW(CPU, "cpu.stat", KEY, "nr_throttled", throttled, 0, true),
	ROW(CPU, "cpu.stat", KEY, "throttled_time", throttled_us, 1000, true),
	ROW(CPUACCT, "cpuacct.usage", WHOLE, NULL, cpu_us, 1000, false),
	ROW(BLKIO, "blkio.throttle.io_service_bytes_recursive", SUM, "Read", disk_read, 0, false),
	ROW(BLKIO, "blkio.throttle.io_service_bytes_recursive", SUM, "Write", disk_written, 0, false),
	{.file = NULL},
};

static const struct pst_cgnum_row v2[] = {
	ROW(MEMORY, "memory.current", WHOLE, NULL, memory, 0, false),
	ROW(MEMORY, "memory.max", WHOLE, NULL, memory_limit, 0, false),
	ROW(MEMORY, "memory.peak", WHOLE, NULL, memory_peak, 0, false),
	ROW(MEMORY, "memory.events", KEY, "max", memory_full, 0, true),
	ROW(MEMORY, "memory.events", KEY, "oom_kill", oom_kills, 0, true),
	ROW(PIDS, "pids.current", WHOLE, NULL, pids, 0, false),
	ROW(PIDS, "pids.max", WHOLE, NULL, pids_limit, 0, false),
	ROW(PIDS, "pids.events", KEY, "max", pids_refused, 0, true),
	ROW(CPU, "cpu.max", WORD, "0", quota_us, 0, false),
	ROW(CPU, "cpu.max", WORD, "1", period_us, 0, false),
	ROW(CPU, "cpu.stat", KEY, "usage_usec", cpu_us, 0, false),
	ROW(CPU, "cpu.stat", KEY, "nr_periods", periods, 0, true),
	ROW(CPU, "cpu.stat", KEY, "nr_throttled", throttled, 0, true),
	ROW(CPU, "cpu.stat", KEY, "throttled_usec", throttled_us, 0, true),
	ROW(BLKIO, "io.stat", SUM, "rbytes=", disk_read, 0, false),
	ROW(BLKIO, "io.stat", SUM, "wbytes=", disk_written, 0, false),
	{.file = NULL},
};

const struct pst_cgnum_row *pst_cgnum_rows(int version)
{
	return version == 2 ? v2 : v1;
}

/* A number at `p`, behind spaces; false where there is none. */
static bool number(const char *p, uint64_t *ret)
{
	p += strspn(p, " ");
	if (strncmp(p, "max", 3) == 0 || strncmp(p, "-1", 2) == 0) {
		*ret = PST_CGNUM_NONE;
		return true;
	}
	char *end;
	const unsigned long long v = strtoull(p, &end, 10);
	if (*p < '0' || *p > '9')
		return false;
	*ret = v >= UNLIMITED ? PST_CGNUM_NONE : v;
	return true;
}

static bool by_key(const char *text, const char *key, uint64_t *ret)
{
	const size_t n = strlen(key);
	for (const char *p = text; *p != '\0'; p += *p == '\n') {
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return number(p + n, ret);
		p += strcspn(p, "\n");
	}
	return false;
}

static bool sum(const char *text, const char *key, uint64_t *ret)
{
	uint64_t v, all = 0;
	const size_t n = strlen(key);
	/* Words: the key stands in a line behind the device, once. */
	for (const char *p = strchr(text, ' '); p != NULL; p = strchr(p, ' ')) {
		p++;
		if (strncmp(p, key, n) == 0 && (key[n - 1] == '=' || p[n] == ' ') && number(p + n, &v) &&
		    v != PST_CGNUM_NONE)
			all += v;
	}
	*ret = all;
	return true;
}

void pst_cgnum_take(struct pst_cgnum *n, const struct pst_cgnum_row *row, const char *text)
{
	uint64_t v = 0;
	bool there = false;
	switch (row->form) {
	case PST_CGNUM_WHOLE:
		there = number(text, &v);
		break;
	case PST_CGNUM_KEY:
		there = by_key(text, row->key, &v);
		break;
	case PST_CGNUM_WORD:
		if (row->key[0] == '1')
			text += strcspn(text, " ");
		there = number(text, &v);
		break;
	case PST_CGNUM_SUM:
		there = sum(text, row->key, &v);
		break;
	}
	if (!there)
		return;
	if (row->divide != 0 && v != PST_CGNUM_NONE)
		v /= row->divide;
	*(uint64_t *)(void *)((char *)n + row->offset) = v;
}

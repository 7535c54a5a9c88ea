#include "core/hits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/netlimit.h"
#include "core/oneline.h"

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{"denied", offsetof(struct pst_hits, denied)},
	{"complained", offsetof(struct pst_hits, complained)},
	{"oom_kills", offsetof(struct pst_hits, oom_kills)},
	{"memory_full", offsetof(struct pst_hits, memory_full)},
	{"pids_refused", offsetof(struct pst_hits, pids_refused)},
	{"periods", offsetof(struct pst_hits, periods)},
	{"throttled", offsetof(struct pst_hits, throttled)},
	{"throttled_us", offsetof(struct pst_hits, throttled_us)},
	{"sent_dropped", offsetof(struct pst_hits, sent_dropped)},
	{"received_dropped", offsetof(struct pst_hits, received_dropped)},
};

static uint64_t *field(struct pst_hits *h, size_t i)
{
	return (uint64_t *)(void *)((char *)h + fields[i].offset);
}

void pst_hits_print(const struct pst_hits *h, struct pst_buf *out)
{
	struct pst_hits copy = *h;
	for (size_t i = 0; i < PST_NELEM(fields); i++)
		pst_buf_fmt(out, "%s %" PRIu64 "\n", fields[i].name, *field(&copy, i));
}

static void take_line(char *line, struct pst_hits *h, const char *said[], size_t *nsaid)
{
	char *value = strchr(line, ' ');
	if (value == NULL)
		return;
	*value++ = '\0';
	if (strcmp(line, "said") == 0 && *nsaid < PST_HITS_SAID)
		said[(*nsaid)++] = value;
	for (size_t i = 0; i < PST_NELEM(fields); i++)
		if (strcmp(line, fields[i].name) == 0)
			(void)!pst_num_parse(value, 10, UINT64_MAX, field(h, i));
}

void pst_hits_parse(char *text, struct pst_hits *h, const char *said[PST_HITS_SAID])
{
	size_t n = 0;
	*h = (struct pst_hits){0};
	for (size_t i = 0; i < PST_HITS_SAID; i++)
		said[i] = NULL;
	for (char *l; (l = strsep(&text, "\n")) != NULL;)
		take_line(l, h, said, &n);
}

static void raise_to(uint64_t *to, uint64_t v)
{
	if (v != PST_CGNUM_NONE && v > *to)
		*to = v;
}

void pst_hits_take(struct pst_hits *h, const struct pst_cgnum *n)
{
	raise_to(&h->oom_kills, n->oom_kills);
	raise_to(&h->memory_full, n->memory_full);
	raise_to(&h->pids_refused, n->pids_refused);
	raise_to(&h->periods, n->periods);
	raise_to(&h->throttled, n->throttled);
	raise_to(&h->throttled_us, n->throttled_us);
}

bool pst_hits_throttled(const struct pst_hits *h)
{
	return h->throttled > h->periods / 10 && h->throttled_us >= 1000000;
}

void pst_bytes_text(struct pst_buf *out, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t i = 0;
	uint64_t tenths = 0, whole = bytes;
	for (; whole >= 1024 && i + 1 < PST_NELEM(units); i++) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
	}
	if (tenths != 0 && whole < 10)
		pst_buf_fmt(out, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, units[i]);
	else
		pst_buf_fmt(out, "%" PRIu64 " %s", whole, units[i]);
}

static void task_text(struct pst_buf *out, const char *what, const struct pst_oom_task *t)
{
	pst_buf_fmt(out, "; %s: ", what);
	pst_oneline(out, t->name);
	if (t->bytes > 0) {
		pst_buf_char(out, ' ');
		pst_bytes_text(out, t->bytes);
	}
}

void pst_hits_oom_text(const struct pst_oom_report *r, uint64_t limit, bool own, const char *source,
		       struct pst_buf *out)
{
	pst_buf_str(out, "OOM-killed");
	if (r->node) {
		pst_buf_str(out, ": the node had no memory left");
	} else {
		if (limit != PST_CGNUM_NONE && limit != 0) {
			pst_buf_str(out, " at ");
			pst_bytes_text(out, limit);
		}
		if (own) {
			pst_buf_fmt(out, ": limit from %s", source);
		} else {
			pst_buf_str(out, ": limit of the cgroup above, ");
			pst_oneline(out, r->of);
		}
	}
	if (r->victim.pid != 0 && r->victim.pid != r->largest.pid)
		task_text(out, "killed", &r->victim);
	if (r->largest.pid != 0)
		task_text(out, "largest", &r->largest);
}

void pst_hits_pids_text(uint64_t limit, uint64_t refused, const char *source, struct pst_buf *out)
{
	pst_buf_str(out, "reached its limit of ");
	if (limit != PST_CGNUM_NONE)
		pst_buf_fmt(out, "%" PRIu64 " ", limit);
	pst_buf_fmt(out, "processes, %" PRIu64 " could not start: limit from %s", refused, source);
}

void pst_hits_cpu_text(const struct pst_hits *h, uint64_t millicores, const char *source,
		       struct pst_buf *out)
{
	const uint64_t share = h->periods == 0 ? 0 : h->throttled * 100 / h->periods;
	pst_buf_fmt(out, "throttled in %" PRIu64 " %% of its time", share);
	if (millicores != PST_CGNUM_NONE)
		pst_buf_fmt(out, " at %" PRIu64 ".%02" PRIu64 " cores", millicores / 1000, millicores % 1000 / 10);
	pst_buf_fmt(out, ", for %" PRIu64 ".%" PRIu64 " s: limit from %s", h->throttled_us / 1000000,
		    h->throttled_us % 1000000 / 100000, source);
}

void pst_hits_net_text(bool sent, uint64_t bits, uint64_t dropped, const char *source, struct pst_buf *out)
{
	char rate[32];
	pst_buf_fmt(out, "lost %" PRIu64 " packets that %s it at %s: limit from %s", dropped, sent ? "left" : "entered",
		    pst_netlimit_text(bits, rate), source);
}

void pst_hits_size_text(uint64_t bytes, uint64_t limit, const char *source, struct pst_buf *out)
{
	if (bytes == PST_CGNUM_NONE) {
		pst_buf_str(out, "stopped: its own layer cannot be measured, which may hold ");
	} else {
		pst_buf_str(out, "stopped at ");
		pst_bytes_text(out, bytes);
		pst_buf_str(out, " in its own layer, above ");
	}
	pst_bytes_text(out, limit);
	pst_buf_fmt(out, ": limit from %s", source);
}

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/nodestat.h"
#include "core/oneline.h"

/* How a number is printed. */
enum form {
	PLAIN,
	SECONDS, /* from microseconds */
	MILLI,   /* from thousandths */
};

struct family {
	const char *name, *type, *help;
	enum form form;
	uint64_t (*value)(const struct pst_ctrstat *c); /* PST_CGNUM_NONE: none */
};

#define OF(name, expression)                                          \
	static uint64_t name(const struct pst_ctrstat *c)             \
	{                                                             \
		return expression;                                    \
	}

OF(up, c->up)
OF(since, c->since < 0 ? PST_CGNUM_NONE : (uint64_t)c->since)
OF(memory, c->num.memory)
OF(memory_limit, c->num.memory_limit)
OF(memory_peak, c->num.memory_peak)
OF(memory_full, c->hits.memory_full)
OF(oom_kills, c->hits.oom_kills)
OF(pids, c->num.pids)
OF(pids_limit, c->num.pids_limit)
OF(pids_refused, c->hits.pids_refused)
OF(cpu, c->num.cpu_us)
OF(cpu_limit, pst_cgnum_millicores(&c->num))
OF(periods, c->hits.periods)
OF(throttled, c->hits.throttled)
OF(throttled_us, c->hits.throttled_us)
OF(disk_read, c->num.disk_read)
OF(disk_written, c->num.disk_written)
OF(sent_dropped, c->hits.sent_dropped)
OF(received_dropped, c->hits.received_dropped)
OF(denied, c->hits.denied)
OF(complained, c->hits.complained)

#define GAUGE "gauge"
#define COUNTER "counter"

static const struct family families[] = {
	{"postern_container_up", GAUGE, "Whether the first process of the container lives.", PLAIN, up},
	{"postern_container_start_time_seconds", GAUGE, "When the container was created, unix time.", PLAIN, since},
	{"postern_memory_usage_bytes", GAUGE, "Memory in use, page cache included.", PLAIN, memory},
	{"postern_memory_limit_bytes", GAUGE, "Limit of memory.", PLAIN, memory_limit},
	{"postern_memory_peak_bytes", GAUGE, "Most memory ever in use.", PLAIN, memory_peak},
	{"postern_memory_limit_hits_total", COUNTER, "Times memory was at its limit, reclaim included.", PLAIN, memory_full},
	{"postern_oom_kills_total", COUNTER, "Processes killed for want of memory.", PLAIN, oom_kills},
	{"postern_processes", GAUGE, "Processes and threads.", PLAIN, pids},
	{"postern_processes_limit", GAUGE, "Limit of processes and threads.", PLAIN, pids_limit},
	{"postern_processes_refused_total", COUNTER, "Processes that could not start at the limit.", PLAIN, pids_refused},
	{"postern_cpu_usage_seconds_total", COUNTER, "Cpu time used.", SECONDS, cpu},
	{"postern_cpu_limit_cores", GAUGE, "Limit of cpu time, in cores.", MILLI, cpu_limit},
	{"postern_cpu_periods_total", COUNTER, "Periods of the cpu limit in which the container ran.", PLAIN, periods},
	{"postern_cpu_throttled_periods_total", COUNTER, "Periods cut short by the cpu limit.", PLAIN, throttled},
	{"postern_cpu_throttled_seconds_total", COUNTER, "Time not given because of the cpu limit.", SECONDS, throttled_us},
	{"postern_disk_read_bytes_total", COUNTER, "Bytes read from block devices.", PLAIN, disk_read},
	{"postern_disk_written_bytes_total", COUNTER, "Bytes written to block devices.", PLAIN, disk_written},
	{"postern_network_transmit_packets_dropped_total", COUNTER, "Packets from the container dropped at its network limit.", PLAIN, sent_dropped},
	{"postern_network_receive_packets_dropped_total", COUNTER, "Packets to the container dropped at its network limit.", PLAIN, received_dropped},
	{"postern_denials_total", COUNTER, "System calls denied by the profile or the spec's filter.", PLAIN, denied},
	{"postern_complaints_total", COUNTER, "System calls let through in complain mode that the profile denies.", PLAIN, complained},
};

void pst_metrics_label(struct pst_buf *out, const char *value)
{
	pst_auto_buf line = {0};
	pst_oneline(&line, value);
	pst_buf_char(out, '"');
	for (const char *s = pst_buf_cstr(&line); *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			pst_buf_char(out, '\\');
		pst_buf_char(out, *s);
	}
	pst_buf_char(out, '"');
	out->bad = out->bad || !pst_buf_ok(&line);
}

static void labels(struct pst_buf *out, const struct pst_ctrstat *c)
{
	pst_buf_str(out, "{id=");
	pst_metrics_label(out, c->id);
	pst_buf_str(out, ",root=");
	pst_metrics_label(out, c->root);
	for (size_t i = 0; i < PST_POD_NAMES; i++) {
		pst_buf_fmt(out, ",%s=", pst_podname_keys[i]);
		pst_metrics_label(out, c->names[i] == NULL ? "" : c->names[i]);
	}
}

static void number(struct pst_buf *out, uint64_t v, enum form form)
{
	switch (form) {
	case PLAIN:
		pst_buf_fmt(out, " %" PRIu64 "\n", v);
		break;
	case SECONDS:
		pst_buf_fmt(out, " %" PRIu64 ".%06" PRIu64 "\n", v / 1000000, v % 1000000);
		break;
	case MILLI:
		pst_buf_fmt(out, " %" PRIu64 ".%03" PRIu64 "\n", v / 1000, v % 1000);
		break;
	}
}

static void head(struct pst_buf *out, const char *name, const char *type, const char *help)
{
	pst_buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one_family(const struct pst_nodestat *s, const struct family *f, struct pst_buf *out)
{
	bool any = false;
	for (size_t i = 0; i < s->n; i++) {
		const uint64_t v = f->value(&s->v[i]);
		if (v == PST_CGNUM_NONE)
			continue;
		if (!any)
			head(out, f->name, f->type, f->help);
		any = true;
		pst_buf_str(out, f->name);
		labels(out, &s->v[i]);
		pst_buf_char(out, '}');
		number(out, v, f->form);
	}
}

static void info(const struct pst_nodestat *s, struct pst_buf *out)
{
	if (s->n > 0)
		head(out, "postern_container_info", GAUGE, "What the container is; always 1.");
	for (size_t i = 0; i < s->n; i++) {
		const struct pst_ctrstat *c = &s->v[i];
		pst_buf_str(out, "postern_container_info");
		labels(out, c);
		pst_buf_str(out, ",profile=");
		pst_metrics_label(out, c->profile == NULL ? "" : c->profile);
		pst_buf_fmt(out, ",mode=\"%s\",block=\"%" PRIu32 "\"} 1\n",
			    c->profile == NULL ? "off" : c->complain ? "complain" : "enforce", c->first);
	}
}

static void node(struct pst_buf *out, const char *name, const char *help, uint64_t v, enum form form)
{
	head(out, name, GAUGE, help);
	pst_buf_str(out, name);
	number(out, v, form);
}

void pst_metrics_text(const struct pst_nodestat *s, const char *version, struct pst_buf *out)
{
	head(out, "postern_build_info", GAUGE, "Version of postern; always 1.");
	pst_buf_str(out, "postern_build_info{version=");
	pst_metrics_label(out, version);
	pst_buf_str(out, "} 1\n");
	node(out, "postern_containers", "Hardened containers on this node, ended ones included.", s->n, PLAIN);
	node(out, "postern_containers_unread", "Containers that could not be looked at.", s->unread, PLAIN);
	node(out, "postern_leases", "Blocks of host ids that are held.", s->leases, PLAIN);
	if (s->pool_blocks > 0)
		node(out, "postern_lease_pool_blocks", "Blocks of host ids in the pool.", s->pool_blocks, PLAIN);
	node(out, "postern_collect_duration_seconds", "How long the look at the node took.", s->took_us, SECONDS);
	info(s, out);
	for (size_t i = 0; i < PST_NELEM(families); i++)
		one_family(s, &families[i], out);
}

#include "containerd/stats.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/metrics1.pb-c.h"
#include "proto/metrics2.pb-c.h"

#define TEXT 8192

/* The text of dir/name; "" if there is none. */
static const char *slurp(const char *dir, const char *name, char text[TEXT])
{
	char path[640];
	text[0] = '\0';
	if (dir == NULL || snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return text;
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* One number; "max" is the largest, and so is no limit to those who read it. */
static uint64_t number(const char *dir, const char *name)
{
	char text[TEXT];
	slurp(dir, name, text);
	return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* The number behind `key` at the start of a line. */
static uint64_t value_of(const char *text, const char *key)
{
	const size_t n = strlen(key);
	for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return strtoull(p + n + 1, NULL, 10);
	}
	return 0;
}

/* Fill the uint64 fields of a flat message from lines "name value": the field's own name
 * is the kernel's. `limit` fields stand above the plain ones. */
static void fill_by_name(ProtobufCMessage *m, const char *text, uint32_t last)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		if (f->type == PROTOBUF_C_TYPE_UINT64 && f->id <= last)
			*(uint64_t *)((char *)m + f->offset) = value_of(text, f->name);
	}
}

static Pst1__MemoryEntry memory_entry(const char *dir, const char *prefix)
{
	char name[64];
	Pst1__MemoryEntry e = PST1__MEMORY_ENTRY__INIT;
	snprintf(name, sizeof name, "%s.usage_in_bytes", prefix);
	e.usage = number(dir, name);
	snprintf(name, sizeof name, "%s.limit_in_bytes", prefix);
	e.limit = number(dir, name);
	snprintf(name, sizeof name, "%s.max_usage_in_bytes", prefix);
	e.max = number(dir, name);
	snprintf(name, sizeof name, "%s.failcnt", prefix);
	e.failcnt = number(dir, name);
	return e;
}

#define MOST_ENTRIES 64

struct blkio {
	Pst1__BlkIOEntry entry[MOST_ENTRIES];
	Pst1__BlkIOEntry *list[MOST_ENTRIES];
	char op[MOST_ENTRIES][16];
	size_t n;
};

/* Lines "MAJOR:MINOR OP VALUE". */
static void read_blkio(const char *dir, const char *name, struct blkio *b)
{
	char text[TEXT];
	char *rest = text;
	b->n = 0;
	(void)slurp(dir, name, text);
	for (char *l; b->n < MOST_ENTRIES && (l = strsep(&rest, "\n")) != NULL;) {
		unsigned long major, minor;
		unsigned long long value;
		Pst1__BlkIOEntry *e = &b->entry[b->n];
		if (sscanf(l, "%lu:%lu %15s %llu", &major, &minor, b->op[b->n], &value) != 4)
			continue;
		pst1__blk_ioentry__init(e);
		e->op = b->op[b->n];
		e->major = major;
		e->minor = minor;
		e->value = value;
		b->list[b->n++] = e;
	}
}

static int pack(const ProtobufCMessage *m, const char *type, Pst__Any *any, struct pst_err *err)
{
	const size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *data = malloc(len + 1);
	if (data == NULL)
		return pst_fail_nomem(err);
	(void)protobuf_c_message_pack(m, data);
	any->type_url = (char *)(uintptr_t)type;
	any->value.data = data;
	any->value.len = len;
	return PST_OK;
}

static void fill_cpu1(const struct pst_cgroup *cg, Pst1__CPUUsage *use, Pst1__Throttle *thr)
{
	const char *dir = pst_cgroup_dir(cg, PST_CGROUP_CPUACCT);
	char text[TEXT];
	const uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	use->total = number(dir, "cpuacct.usage");
	slurp(dir, "cpuacct.stat", text);
	use->user = value_of(text, "user") * tick;
	use->kernel = value_of(text, "system") * tick;
	slurp(pst_cgroup_dir(cg, PST_CGROUP_CPU), "cpu.stat", text);
	thr->periods = value_of(text, "nr_periods");
	thr->throttled_periods = value_of(text, "nr_throttled");
	thr->throttled_time = value_of(text, "throttled_time");
}

static int pack_v1(const struct pst_cgroup *cg, Pst__Any *any, struct pst_err *err)
{
	char text[TEXT];
	struct blkio bytes;
	struct blkio ops;
	const char *mem = pst_cgroup_dir(cg, PST_CGROUP_MEMORY);
	Pst1__Metrics m = PST1__METRICS__INIT;
	Pst1__PidsStat pids = PST1__PIDS_STAT__INIT;
	Pst1__CPUUsage use = PST1__CPUUSAGE__INIT;
	Pst1__Throttle thr = PST1__THROTTLE__INIT;
	Pst1__CPUStat cpu = PST1__CPUSTAT__INIT;
	Pst1__MemoryStat ms = PST1__MEMORY_STAT__INIT;
	Pst1__MemoryOomControl oom = PST1__MEMORY_OOM_CONTROL__INIT;
	Pst1__BlkIOStat io = PST1__BLK_IOSTAT__INIT;
	Pst1__MemoryEntry e[] = {memory_entry(mem, "memory"), memory_entry(mem, "memory.memsw"),
				 memory_entry(mem, "memory.kmem"), memory_entry(mem, "memory.kmem.tcp")};
	pids.current = number(pst_cgroup_dir(cg, PST_CGROUP_PIDS), "pids.current");
	pids.limit = number(pst_cgroup_dir(cg, PST_CGROUP_PIDS), "pids.max");
	if (pids.limit == UINT64_MAX)
		pids.limit = 0;
	fill_cpu1(cg, &use, &thr);
	cpu.usage = &use;
	cpu.throttling = &thr;
	fill_by_name(&ms.base, slurp(mem, "memory.stat", text), 32);
	ms.hierarchical_swap_limit = value_of(text, "hierarchical_memsw_limit");
	ms.usage = &e[0];
	ms.swap = &e[1];
	ms.kernel = &e[2];
	ms.kernel_tcp = &e[3];
	fill_by_name(&oom.base, slurp(mem, "memory.oom_control", text), 3);
	read_blkio(pst_cgroup_dir(cg, PST_CGROUP_BLKIO), "blkio.throttle.io_service_bytes_recursive",
		   &bytes);
	read_blkio(pst_cgroup_dir(cg, PST_CGROUP_BLKIO), "blkio.throttle.io_serviced_recursive", &ops);
	io.io_service_bytes_recursive = bytes.list;
	io.n_io_service_bytes_recursive = bytes.n;
	io.io_serviced_recursive = ops.list;
	io.n_io_serviced_recursive = ops.n;
	m.pids = pst_cgroup_dir(cg, PST_CGROUP_PIDS) != NULL ? &pids : NULL;
	m.cpu = pst_cgroup_dir(cg, PST_CGROUP_CPUACCT) != NULL ? &cpu : NULL;
	m.memory = mem != NULL ? &ms : NULL;
	m.memory_oom_control = mem != NULL ? &oom : NULL;
	m.blkio = pst_cgroup_dir(cg, PST_CGROUP_BLKIO) != NULL ? &io : NULL;
	return pack(&m.base, "io.containerd.cgroups.v1.Metrics", any, err);
}

static size_t read_io(const char *dir, Pst2__IOEntry entry[MOST_ENTRIES],
		      Pst2__IOEntry *list[MOST_ENTRIES])
{
	char text[TEXT];
	char *rest = text;
	size_t n = 0;
	(void)slurp(dir, "io.stat", text);
	for (char *l; n < MOST_ENTRIES && (l = strsep(&rest, "\n")) != NULL;) {
		unsigned long v[6];
		if (sscanf(l, "%lu:%lu rbytes=%lu wbytes=%lu rios=%lu wios=%lu", &v[0], &v[1], &v[2],
			   &v[3], &v[4], &v[5]) != 6)
			continue;
		pst2__ioentry__init(&entry[n]);
		entry[n].major = v[0];
		entry[n].minor = v[1];
		entry[n].rbytes = v[2];
		entry[n].wbytes = v[3];
		entry[n].rios = v[4];
		entry[n].wios = v[5];
		list[n] = &entry[n];
		n++;
	}
	return n;
}

static int pack_v2(const struct pst_cgroup *cg, Pst__Any *any, struct pst_err *err)
{
	char text[TEXT];
	Pst2__IOEntry entry[MOST_ENTRIES];
	Pst2__IOEntry *list[MOST_ENTRIES];
	const char *dir = pst_cgroup_dir(cg, PST_CGROUP_CPU);
	Pst2__Metrics m = PST2__METRICS__INIT;
	Pst2__PidsStat pids = PST2__PIDS_STAT__INIT;
	Pst2__CPUStat cpu = PST2__CPUSTAT__INIT;
	Pst2__MemoryStat ms = PST2__MEMORY_STAT__INIT;
	Pst2__MemoryEvents events = PST2__MEMORY_EVENTS__INIT;
	Pst2__IOStat io = PST2__IOSTAT__INIT;
	pids.current = number(dir, "pids.current");
	pids.limit = number(dir, "pids.max");
	if (pids.limit == UINT64_MAX)
		pids.limit = 0;
	fill_by_name(&cpu.base, slurp(dir, "cpu.stat", text), 6);
	fill_by_name(&ms.base, slurp(dir, "memory.stat", text), 19);
	ms.usage = number(dir, "memory.current");
	ms.usage_limit = number(dir, "memory.max");
	ms.swap_usage = number(dir, "memory.swap.current");
	ms.swap_limit = number(dir, "memory.swap.max");
	fill_by_name(&events.base, slurp(dir, "memory.events", text), 5);
	io.n_usage = read_io(dir, entry, list);
	io.usage = list;
	m.pids = &pids;
	m.cpu = &cpu;
	m.memory = &ms;
	m.memory_events = &events;
	m.io = &io;
	return pack(&m.base, "io.containerd.cgroups.v2.Metrics", any, err);
}

int pst_stats_pack(const struct pst_cgroup *cg, Pst__Any *any, struct pst_err *err)
{
	return cg->version == 2 ? pack_v2(cg, any, err) : pack_v1(cg, any, err);
}

/*
 * Limits that were met: counted from the cgroup's own numbers, told once each.
 *
 * Nothing is read while nothing happens: the kernel rings (an eventfd on version 1, inotify
 * on version 2), is answered at most once a second, and what it does not ring for is read
 * when we are awake for another reason, when somebody asks, and when the first process ends.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/limitwatch.h"
#include "core/oneline.h"
#include "keeper.h"

#define REST_MS 1000 /* between two answers to the bell */
#define LOOK_MS 100  /* the bell rings before the kill: it and its line in the log are behind it */

static struct {
	const struct rules *rules;
	int home;            /* c/KEY */
	bool begun;
	int version;
	int dir[PST_CGROUP_KINDS];
	int end, bell;       /* pidfd of init; eventfd or inotify */
	uint64_t rest, look; /* ms when due, 0: not */
	struct pst_hits now, told;
	struct pst_oom_task seen; /* the largest process when the bell rang */
	uint64_t victim;     /* pid of the last one told */
	struct pst_buf said; /* lines for counts */
	unsigned nsaid;
	char *last;          /* a kill that was not told, for the end */
} w = {.end = -1, .bell = -1};

/* A small file, with a NUL behind it; "" if there is none. */
static const char *slurp(int dfd, const char *name, char *text, size_t size)
{
	pst_auto_fd fd = openat(dfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void open_dirs(const char *watch)
{
	char dir[PST_LIMITWATCH_MAX];
	for (size_t i = 0; i < PST_CGROUP_KINDS; i++) {
		const char *at = pst_limitwatch_find(watch, "cgroup", pst_cgroup_names[i]);
		const char *path = at == NULL ? NULL : strchr(at, '\t');
		w.dir[i] = -1;
		if (path == NULL)
			continue;
		w.version = (int)strtol(at, NULL, 10);
		snprintf(dir, sizeof dir, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
		w.dir[i] = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
}

/* Field 22 of proc_pid_stat(5), behind a name that may hold anything. */
static uint64_t start_of(long pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	const char *p = strrchr(slurp(AT_FDCWD, path, text, sizeof text), ')');
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p == NULL ? 0 : strtoull(p, NULL, 10);
}

/* "BOOT PIDNS PID START" (host/procid.h); another process of that number is not it. */
static int open_init(int home)
{
	char text[160];
	long pid;
	uint64_t start;
	if (sscanf(slurp(home, "init", text, sizeof text), "%*s %*s %ld %" SCNu64, &pid, &start) != 2)
		return -1;
	const int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd >= 0 && start_of(pid) != start) {
		pst_fd_close(fd);
		return -1;
	}
	return fd;
}

static int bell_v1(void)
{
	char text[32];
	pst_auto_fd bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pst_auto_fd control = openat(w.dir[PST_CGROUP_MEMORY], "memory.oom_control", O_RDONLY | O_CLOEXEC);
	pst_auto_fd to = openat(w.dir[PST_CGROUP_MEMORY], "cgroup.event_control", O_WRONLY | O_CLOEXEC);
	const int n = snprintf(text, sizeof text, "%d %d", bell, control);
	if (bell < 0 || control < 0 || to < 0 || write(to, text, (size_t)n) != n)
		return -1;
	return PST_TAKE_FD(bell);
}

static int bell_v2(void)
{
	static const struct {
		enum pst_cgroup_kind kind;
		const char *file;
	} files[] = {{PST_CGROUP_MEMORY, "memory.events"}, {PST_CGROUP_PIDS, "pids.events"}};
	char path[64];
	pst_auto_fd bell = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; bell >= 0 && i < PST_NELEM(files); i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d/%s", w.dir[files[i].kind], files[i].file);
		(void)inotify_add_watch(bell, path, IN_MODIFY);
	}
	return PST_TAKE_FD(bell);
}

/* Rows of the table that tell of limits, or the one at `offset`; false: the cgroup is gone. */
static bool read_numbers(struct pst_cgnum *n, bool hits, size_t offset)
{
	char text[4096];
	const char *file = "";
	bool any = false;
	*n = pst_cgnum_none;
	for (const struct pst_cgnum_row *r = pst_cgnum_rows(w.version); r->file != NULL; r++) {
		const int dfd = w.dir[w.version == 2 ? PST_CGROUP_CPU : r->where];
		if (dfd < 0 || (hits ? !r->hit : r->offset != offset))
			continue;
		if (strcmp(file, r->file) != 0)
			(void)slurp(dfd, r->file, text, sizeof text);
		file = r->file;
		any = any || text[0] != '\0';
		pst_cgnum_take(n, r, text);
	}
	return any;
}

static bool count(void)
{
	struct pst_cgnum n;
	const bool there = read_numbers(&n, true, 0);
	pst_hits_take(&w.now, &n);
	return there;
}

bool limits_begin(const struct rules *r, int dir)
{
	char watch[PST_LIMITWATCH_MAX];
	w.rules = r;
	w.home = dir;
	if (w.begun || slurp(dir, PST_LIMITWATCH_FILE, watch, sizeof watch)[0] == '\0')
		return true;
	w.begun = true;
	open_dirs(watch);
	w.end = open_init(dir);
	w.bell = w.version == 2 ? bell_v2() : bell_v1();
	netdrop_begin(watch);
	/* What was met before us, another told. */
	(void)count();
	w.told = w.now;
	return size_begin(dir, watch);
}

int limits_end_fd(void)
{
	return w.end;
}

int limits_bell_fd(void)
{
	return w.rest == 0 ? w.bell : -1;
}

bool limits_alive(void)
{
	return w.end >= 0;
}

/* What limits.watch says of `name`, and whether it is still what is in force. */
static uint64_t said_limit(const char *name, uint64_t now, uint64_t slack, char *source, size_t size)
{
	char watch[PST_LIMITWATCH_MAX];
	(void)slurp(w.home, PST_LIMITWATCH_FILE, watch, sizeof watch);
	const char *at = pst_limitwatch_find(watch, "limit", name);
	const char *text = at == NULL ? NULL : strchr(at, '\t');
	snprintf(source, size, "an update");
	if (text == NULL)
		return now;
	const uint64_t v = strtoull(at, NULL, 10);
	if (now == PST_CGNUM_NONE || (now <= v && v - now <= slack) || (v < now && now - v <= slack)) {
		snprintf(source, size, "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
		return v;
	}
	return now;
}

static void json_task(struct pst_buf *b, const char *key, const struct pst_oom_task *t)
{
	pst_auto_buf name = {0};
	if (t->pid == 0)
		return;
	pst_oneline(&name, t->name);
	pst_buf_fmt(b, ",\"%s\":{\"comm\":\"", key);
	record_text(b, pst_buf_cstr(&name));
	pst_buf_fmt(b, "\",\"pid\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", t->pid, t->bytes);
}

/* One thing to tell. */
struct event {
	const char *limit, *event; /* "memory", "oom-kill" */
	uint64_t count, total;
	uint64_t value;
	const char *source;
	const struct pst_oom_report *oom; /* or NULL */
	const char *text;                 /* or NULL: for the record alone */
};

static void write_record(const struct event *e)
{
	char when[40];
	pst_auto_buf b = {0};
	record_stamp(when);
	pst_buf_fmt(&b, "{\"time\":\"%s\"", when);
	record_who(w.rules, &b);
	pst_buf_fmt(&b, ",\"limit\":\"%s\",\"event\":\"%s\",\"count\":%" PRIu64 ",\"total\":%" PRIu64, e->limit,
		    e->event, e->count, e->total);
	if (e->value != PST_CGNUM_NONE)
		pst_buf_fmt(&b, ",\"value\":%" PRIu64, e->value);
	record_field(&b, "source", e->source);
	if (e->oom != NULL) {
		json_task(&b, "victim", &e->oom->victim);
		json_task(&b, "largest", &e->oom->largest);
	}
	record_field(&b, "text", e->text);
	pst_buf_str(&b, "}\n");
	if (pst_buf_ok(&b))
		record_write(RECORD_LIMITS, &b);
}

static void say(const char *text)
{
	if (w.nsaid == PST_HITS_SAID)
		return;
	w.nsaid++;
	pst_buf_fmt(&w.said, "said %s\n", text);
	tell_limit(w.rules, text);
}

/* What the kernel tells of the kill, else what we saw ourselves when the bell rang. */
static bool whose_kill(struct pst_oom_report *r, uint64_t limit)
{
	char watch[PST_LIMITWATCH_MAX];
	(void)slurp(w.home, PST_LIMITWATCH_FILE, watch, sizeof watch);
	const char *at = pst_limitwatch_find(watch, "cgroup", "memory");
	const char *dir = at == NULL ? NULL : strchr(at, '\t');
	if (dir != NULL) {
		watch[(size_t)(dir - watch) + 1 + strcspn(dir + 1, "\n")] = '\0';
		const char *path = pst_cgroup_inside(w.version, PST_CGROUP_MEMORY, dir + 1);
		if (strcmp(path, "/") != 0 && oom_report(path, r) && r->victim.pid != w.victim) {
			w.victim = r->victim.pid;
			if (r->node || r->largest.pid == 0)
				r->largest = w.seen;
			return !r->node && (r->of[0] == '\0' || strcmp(r->of, path) == 0);
		}
	}
	*r = (struct pst_oom_report){.largest = w.seen, .of = "unknown"};
	return limit != PST_CGNUM_NONE;
}

/* The first two are told as they come, of the rest the last when all has ended. */
static void note_oom(void)
{
	struct pst_oom_report r;
	struct pst_cgnum n;
	char source[512];
	pst_auto_buf text = {0};
	(void)read_numbers(&n, false, offsetof(struct pst_cgnum, memory_limit));
	const uint64_t limit = said_limit("memory", n.memory_limit, 65536, source, sizeof source);
	const bool own = whose_kill(&r, limit);
	const uint64_t at = own || r.limit == 0 ? limit : r.limit;
	pst_hits_oom_text(&r, own ? at : r.limit, own, source, &text);
	const struct event e = {.limit = "memory", .event = "oom-kill",
				.count = w.now.oom_kills - w.told.oom_kills, .total = w.now.oom_kills,
				.value = own ? at : r.limit == 0 ? PST_CGNUM_NONE : r.limit,
				.source = own ? source : r.node ? "the node" : r.of, .oom = &r,
				.text = pst_buf_cstr(&text)};
	write_record(&e);
	free(w.last);
	w.last = NULL;
	if (w.nsaid < PST_HITS_SAID / 2)
		say(pst_buf_cstr(&text));
	else
		w.last = pst_buf_take(&text);
	w.told.oom_kills = w.now.oom_kills;
}

static void note_pids(void)
{
	struct pst_cgnum n;
	char source[512];
	pst_auto_buf text = {0};
	(void)read_numbers(&n, false, offsetof(struct pst_cgnum, pids_limit));
	const uint64_t limit = said_limit("pids", n.pids_limit, 0, source, sizeof source);
	pst_hits_pids_text(limit, w.now.pids_refused, source, &text);
	const struct event e = {.limit = "pids", .event = "refused",
				.count = w.now.pids_refused - w.told.pids_refused, .total = w.now.pids_refused,
				.value = limit, .source = source, .text = pst_buf_cstr(&text)};
	write_record(&e);
	if (w.told.pids_refused == 0)
		say(pst_buf_cstr(&text));
	w.told.pids_refused = w.now.pids_refused;
}

static uint64_t millicores(void)
{
	struct pst_cgnum quota, period;
	(void)read_numbers(&quota, false, offsetof(struct pst_cgnum, quota_us));
	(void)read_numbers(&period, false, offsetof(struct pst_cgnum, period_us));
	return quota.quota_us == PST_CGNUM_NONE || period.period_us == PST_CGNUM_NONE || period.period_us == 0
		       ? PST_CGNUM_NONE
		       : quota.quota_us * 1000 / period.period_us;
}

static void note_net(bool sent, uint64_t now, uint64_t told)
{
	char source[512];
	pst_auto_buf text = {0};
	const char *name = sent ? "net-egress" : "net-ingress";
	if (now <= told)
		return;
	const uint64_t bits = said_limit(name, PST_CGNUM_NONE, 0, source, sizeof source);
	pst_hits_net_text(sent, bits, now, source, &text);
	const struct event e = {.limit = name, .event = "dropped", .count = now - told, .total = now,
				.value = bits, .source = source, .text = pst_buf_cstr(&text)};
	write_record(&e);
	say(pst_buf_cstr(&text));
}

/* What is no event but a share of the whole life. */
static void note_shares(void)
{
	char source[512];
	note_net(true, w.now.sent_dropped, w.told.sent_dropped);
	note_net(false, w.now.received_dropped, w.told.received_dropped);
	if (w.now.throttled > w.told.throttled) {
		pst_auto_buf text = {0};
		const uint64_t limit = said_limit("cpu", millicores(), 1, source, sizeof source);
		pst_hits_cpu_text(&w.now, limit, source, &text);
		const bool told = pst_hits_throttled(&w.now);
		const struct event e = {.limit = "cpu", .event = "throttled",
					.count = w.now.throttled - w.told.throttled, .total = w.now.throttled,
					.value = limit, .source = source,
					.text = told ? pst_buf_cstr(&text) : NULL};
		write_record(&e);
		if (told)
			say(pst_buf_cstr(&text));
	}
	if (w.now.memory_full > w.told.memory_full) {
		struct pst_cgnum n;
		(void)read_numbers(&n, false, offsetof(struct pst_cgnum, memory_limit));
		const uint64_t limit = said_limit("memory", n.memory_limit, 65536, source, sizeof source);
		const struct event e = {.limit = "memory", .event = "full",
					.count = w.now.memory_full - w.told.memory_full,
					.total = w.now.memory_full, .value = limit, .source = source};
		write_record(&e);
	}
	w.told = w.now;
}

void limits_bell(void)
{
	char piece[1024];
	const struct pst_hits before = w.now;
	while (read(w.bell, piece, sizeof piece) > 0 && w.version == 2)
		;
	if (!count()) { /* version 1 also rings when the cgroup is removed */
		pst_fd_close(PST_TAKE_FD(w.bell));
		return;
	}
	if (w.version == 1 || w.now.memory_full != before.memory_full ||
	    w.now.oom_kills != before.oom_kills)
		oom_largest(w.dir[w.version == 2 ? PST_CGROUP_CPU : PST_CGROUP_MEMORY], &w.seen);
	w.look = now_ms() + LOOK_MS;
	w.rest = now_ms() + REST_MS;
}

int limits_due(void)
{
	const uint64_t at = w.look != 0 ? w.look : w.rest;
	const uint64_t now = now_ms();
	return at == 0 ? -1 : at <= now ? 0 : (int)(at - now);
}

void limits_look(void)
{
	const uint64_t now = now_ms();
	if (!w.begun)
		return;
	if (w.look <= now)
		w.look = 0;
	if (w.rest <= now)
		w.rest = 0;
	(void)count();
	if (w.now.oom_kills > w.told.oom_kills)
		note_oom();
	if (w.now.pids_refused > w.told.pids_refused)
		note_pids();
}

void limits_ended(void)
{
	size_end();
	pst_fd_close(PST_TAKE_FD(w.end));
	limits_look();
	if (w.last != NULL)
		say(w.last);
	netdrop_count(&w.now);
	note_shares();
	limits_counts();
}

/* All of it: what is left of a pid namespace's first process is gone with it, but the
 * namespace may be another's. */
/* One pass over the cgroup's processes; false: none was there. */
static bool kill_round(int dir)
{
	long pid;
	bool any = false;
	pst_auto_fd fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	if (f == NULL)
		return false;
	fd = -1; /* the stream's */
	while (fscanf(f, "%ld", &pid) == 1)
		any = (pid > 1 && kill((pid_t)pid, SIGKILL) == 0) || any;
	(void)fclose(f);
	return any;
}

/* Those that a fork brought meanwhile are met in the next pass; the bound is for tasks that
 * do not die. */
static void kill_all(void)
{
	static const struct timespec nap = {.tv_nsec = 2000000};
	(void)syscall(SYS_pidfd_send_signal, w.end, SIGKILL, NULL, 0);
	const int dir = w.version == 2		       ? w.dir[PST_CGROUP_CPU]
			: w.dir[PST_CGROUP_PIDS] >= 0 ? w.dir[PST_CGROUP_PIDS]
						       : w.dir[PST_CGROUP_MEMORY];
	for (int i = 0; i < 50 && kill_round(dir); i++)
		(void)nanosleep(&nap, NULL);
}

void limits_size(enum size_found found, uint64_t bytes)
{
	const char *source;
	const uint64_t limit = size_limit(&source);
	pst_auto_buf text = {0};
	if (found == SIZE_FINE)
		return;
	pst_hits_size_text(found == SIZE_ABOVE ? bytes : PST_CGNUM_NONE, limit, source, &text);
	const struct event e = {.limit = "disk-size", .event = "stopped", .count = 1, .total = 1,
				.value = limit, .source = source, .text = pst_buf_cstr(&text)};
	write_record(&e);
	say(pst_buf_cstr(&text));
	limits_counts();
	kill_all();
}

void limits_counts(void)
{
	netdrop_count(&w.now);
	struct pst_hits h = w.now;
	pst_auto_buf b = {0};
	ring_totals(&h);
	pst_hits_print(&h, &b);
	pst_buf_add(&b, w.said.data == NULL ? "" : w.said.data, w.said.len);
	pst_auto_fd fd = openat(w.home, "counts.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && pst_buf_ok(&b) && write(fd, b.data, b.len) == (ssize_t)b.len)
		(void)renameat(w.home, "counts.new", w.home, "counts");
}

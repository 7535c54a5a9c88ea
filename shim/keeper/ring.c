/*
 * What was denied, as lines of JSON in denials/KEY.ndjson.
 *
 * The first denial of one call by one thread is looked up and written at once; what follows
 * is counted and written once a second, and when the file turns or we end. So the sum
 * of all counts is exact, and a storm costs a counter. `total` is the count of the
 * call in this session, for when older lines were dropped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper.h"

#define FLUSH_MS 1000

/* One thread and call. */
struct seen {
	pid_t pid;
	int fd;            /* of which listener */
	uint32_t nr;
	bool runtime;      /* struct who's */
	const struct rule *rule;
	uint64_t more;     /* not written yet */
	uint64_t used;     /* ms, for the oldest to go */
	char *line;        /* the line without time and counts */
};

static struct {
	const struct rules *rules;
	struct seen seen[KEEPER_SEEN];
	uint64_t total[KEEPER_CALLS];
	uint64_t unlisted[KEEPER_CALLS]; /* counted, with no line of their own */
	bool any_unlisted;
	uint64_t tick_from;              /* ms: the second of `ticks` */
	uint16_t ticks[KEEPER_CALLS];    /* full records in it */
	uint8_t told[KEEPER_CALLS / 8];
	uint64_t denied, complained;     /* those of the container's own programs */
	uint64_t due;                    /* ms, 0: nothing waits */
} ring;

void ring_open(const struct rules *r)
{
	ring.rules = r;
}

static void write_count(const char *line, uint64_t count, uint32_t nr)
{
	char when[40];
	pst_auto_buf b = {0};
	record_stamp(when);
	pst_buf_fmt(&b, "{\"time\":\"%s\"%s,\"count\":%" PRIu64 ",\"total\":%" PRIu64 "}\n", when, line,
		    count, ring.total[nr]);
	if (pst_buf_ok(&b))
		record_write(RECORD_DENIALS, &b);
}

bool rule_is_named(const struct rules *r, const struct rule *rule)
{
	return rule->error != r->def;
}

void allow_rule(const struct seccomp_notif *n, const struct rule *rule, struct pst_buf *out)
{
	pst_buf_str(out, "{\"names\":[\"");
	field_text(rule->name, out);
	pst_buf_str(out, "\"],\"action\":\"SCMP_ACT_ALLOW\"");
	if (strncmp(rule->name, "socket\t", 7) == 0)
		pst_buf_fmt(out, ",\"args\":[{\"index\":0,\"value\":4294967295,\"valueTwo\":%u,"
			    "\"op\":\"SCMP_CMP_MASKED_EQ\"},{\"index\":1,\"value\":15,\"valueTwo\":%u,"
			    "\"op\":\"SCMP_CMP_MASKED_EQ\"}]",
			    (unsigned)n->data.args[0], (unsigned)n->data.args[1] & 15);
	pst_buf_char(out, '}');
}

/* Everything of a record but time and counts. */
static void describe(const struct seccomp_notif *n, const struct rule *rule, unsigned error,
		     bool pass, const char *args, const struct who *w, struct pst_buf *b)
{
	const struct rules *r = ring.rules;
	const char *name = strerrorname_np((int)error);
	record_who(r, b);
	record_field(b, "syscall", rule->name);
	pst_buf_fmt(b, ",\"nr\":%d", n->data.nr);
	if (w != NULL) {
		pst_buf_str(b, ",\"args\":\"");
		record_text(b, args);
		pst_buf_fmt(b, "\",\"pid\":%d,\"pidInside\":%d,\"comm\":\"%s\",\"exe\":\"%s\",\"origin\":\"%s\"",
			    (int)w->pid, (int)w->inside, w->comm, w->exe, w->origin);
		if (w->symbol[0] != '\0')
			pst_buf_fmt(b, ",\"symbol\":\"%s\"", w->symbol);
		if (w->runtime)
			pst_buf_str(b, ",\"runtime\":true");
	}
	pst_buf_fmt(b, ",\"action\":\"%s\",\"errno\":\"%s\"", pass ? "complain" : "deny",
		    name == NULL ? "?" : name);
	record_field(b, "deniedBy", rule->who);
	record_field(b, "why", rule->why);
	if (rule_is_named(r, rule))
		pst_buf_str(b, ",\"named\":true");
	pst_buf_str(b, ",\"allow\":");
	allow_rule(n, rule, b);
}

static void count_seen(struct seen *s)
{
	if (s->more > 0 && s->line != NULL)
		write_count(s->line, s->more, s->nr);
	s->more = 0;
}

static struct seen *find(const struct seccomp_notif *n, const struct rule *rule, int fd)
{
	for (size_t i = 0; i < KEEPER_SEEN; i++) {
		struct seen *s = &ring.seen[i];
		if (s->line != NULL && s->pid == (pid_t)n->pid && s->rule == rule && s->fd == fd &&
		    s->nr == (uint32_t)n->data.nr)
			return s;
	}
	return NULL;
}

/* The place of the one that was quiet longest. */
static struct seen *take(void)
{
	struct seen *best = &ring.seen[0];
	for (size_t i = 1; i < KEEPER_SEEN; i++)
		if (ring.seen[i].used < best->used)
			best = &ring.seen[i];
	count_seen(best);
	free(best->line);
	*best = (struct seen){0};
	return best;
}

/* Has this call had its full records of this second? */
static bool over_rate(uint32_t nr)
{
	const uint64_t now = now_ms();
	if (now - ring.tick_from >= 1000) {
		memset(ring.ticks, 0, sizeof ring.ticks);
		ring.tick_from = now;
	}
	return ring.ticks[nr] >= ring.rules->rate || ring.ticks[nr]++ == UINT16_MAX;
}

static void leave_unlisted(uint32_t nr)
{
	ring.unlisted[nr]++;
	ring.any_unlisted = true;
}

void ring_look(struct denial *d)
{
	const uint32_t nr = (uint32_t)d->n->data.nr;
	d->seen = find(d->n, d->rule, d->fd);
	d->full = d->seen == NULL && !over_rate(nr);
	if (!d->full)
		return;
	look_at(d->n, &d->who);
	args_text(d->n, d->rule->name, &d->args);
	/* Another process may have the pid by now: then nothing of it is true. */
	d->looked = still_waits(d->fd, d->n->id);
}

static void write_full(struct denial *d)
{
	pst_auto_buf b = {0};
	const struct seccomp_notif *n = d->n;
	const uint32_t nr = (uint32_t)n->data.nr;
	const char *args = pst_buf_cstr(&d->args);
	describe(n, d->rule, d->error, d->pass, args, d->looked ? &d->who : NULL, &b);
	if (!pst_buf_ok(&b)) {
		leave_unlisted(nr);
		return;
	}
	write_count(pst_buf_cstr(&b), 1, nr);
	if (d->looked && (ring.told[nr / 8] & 1U << nr % 8) == 0) {
		ring.told[nr / 8] |= (uint8_t)(1U << nr % 8);
		tell(ring.rules, d);
	}
	struct seen *s = take();
	*s = (struct seen){.pid = (pid_t)n->pid, .fd = d->fd, .nr = nr, .rule = d->rule,
			   .runtime = d->looked && d->who.runtime, .used = now_ms(), .line = pst_buf_take(&b)};
}

void ring_count(struct denial *d)
{
	const uint32_t nr = (uint32_t)d->n->data.nr;
	ring.total[nr]++;
	if (d->full ? !(d->looked && d->who.runtime) : d->seen == NULL || !d->seen->runtime)
		*(d->pass ? &ring.complained : &ring.denied) += 1;
	if (d->full) {
		write_full(d);
		return;
	}
	if (d->seen != NULL) {
		d->seen->more++;
		d->seen->used = now_ms();
	} else {
		leave_unlisted(nr);
	}
	if (ring.due == 0)
		ring.due = now_ms() + FLUSH_MS;
}

int ring_due(void)
{
	if (ring.due == 0)
		return -1;
	const uint64_t now = now_ms();
	return now >= ring.due ? 0 : (int)(ring.due - now);
}

static void flush_unlisted(uint32_t nr)
{
	pst_auto_buf b = {0};
	const struct rule *rule = &ring.rules->v[ring.rules->first[nr]];
	const struct seccomp_notif n = {.data.nr = (int)nr};
	describe(&n, rule, rule->error, rule->pass, "", NULL, &b);
	if (pst_buf_ok(&b))
		write_count(pst_buf_cstr(&b), ring.unlisted[nr], nr);
	ring.unlisted[nr] = 0;
}

void ring_flush(void)
{
	for (size_t i = 0; i < KEEPER_SEEN; i++)
		count_seen(&ring.seen[i]);
	for (uint32_t nr = 0; ring.any_unlisted && nr < KEEPER_CALLS; nr++)
		if (ring.unlisted[nr] > 0)
			flush_unlisted(nr);
	ring.any_unlisted = false;
	ring.due = 0;
}

void ring_totals(struct pst_hits *h)
{
	h->denied = ring.denied;
	h->complained = ring.complained;
}

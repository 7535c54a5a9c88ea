#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/nodestat.h"
#include "core/oneline.h"

#define LOUD "\033[1;31m"
#define PLAIN "\033[0m"
#define ID_SHOWN 20   /* of a longer id: as many as engines show */
#define ID_CUT 13
#define GONE_SHOWN 5

enum column { C_ID, C_POD, C_BLOCK, C_PROFILE, C_STATE, C_MEMORY, C_PIDS, C_CPU, C_DENIED, C_HIT, COLUMNS };

static const char *const heads[COLUMNS] = {"ID",     "POD",  "BLOCK", "PROFILE", "STATE",
					   "MEMORY", "PIDS", "CPU",   "DENIED",	 "LIMITS HIT"};

/* Columns a text takes: one a character (core/oneline.h lets no other through). */
static size_t width(const char *s)
{
	size_t n = 0;
	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void put_id(const struct pst_ctrstat *c, struct pst_buf *out)
{
	char cut[ID_SHOWN + 1];
	snprintf(cut, sizeof cut, "%.*s", strlen(c->id) > ID_SHOWN ? ID_CUT : ID_SHOWN, c->id);
	pst_oneline(out, cut);
}

static void put_pod(const struct pst_ctrstat *c, struct pst_buf *out)
{
	static const enum pst_podname order[] = {PST_POD_NAMESPACE, PST_POD_NAME, PST_POD_CONTAINER};
	bool any = false;
	for (size_t i = 0; i < PST_NELEM(order); i++) {
		if (c->names[order[i]] == NULL)
			continue;
		if (any)
			pst_buf_char(out, '/');
		pst_oneline(out, c->names[order[i]]);
		any = true;
	}
	if (!any)
		pst_buf_char(out, '-');
}

/* "12 MiB / 256 MiB", "3 / 64": in use, and the limit if there is one. */
static void put_memory(const struct pst_ctrstat *c, struct pst_buf *out)
{
	if (c->num.memory == PST_CGNUM_NONE) {
		pst_buf_char(out, '-');
		return;
	}
	pst_bytes_text(out, c->num.memory);
	if (c->num.memory_limit != PST_CGNUM_NONE) {
		pst_buf_str(out, " / ");
		pst_bytes_text(out, c->num.memory_limit);
	}
}

static void put_pids(const struct pst_ctrstat *c, struct pst_buf *out)
{
	if (c->num.pids == PST_CGNUM_NONE)
		pst_buf_char(out, '-');
	else
		pst_buf_fmt(out, "%" PRIu64, c->num.pids);
	if (c->num.pids_limit != PST_CGNUM_NONE)
		pst_buf_fmt(out, " / %" PRIu64, c->num.pids_limit);
}

static void put_cpu(const struct pst_ctrstat *c, uint64_t apart_us, struct pst_buf *out)
{
	const uint64_t limit = pst_cgnum_millicores(&c->num);
	if (c->busy_us == PST_CGNUM_NONE || apart_us == 0)
		pst_buf_char(out, '-');
	else
		pst_buf_fmt(out, "%" PRIu64 ".%02" PRIu64, c->busy_us / apart_us, c->busy_us % apart_us * 100 / apart_us);
	if (limit != PST_CGNUM_NONE)
		pst_buf_fmt(out, " / %" PRIu64 ".%02" PRIu64, limit / 1000, limit % 1000 / 10);
}

static void put_denied(const struct pst_ctrstat *c, struct pst_buf *out)
{
	pst_buf_fmt(out, "%" PRIu64, c->hits.denied);
	if (c->hits.complained > 0)
		pst_buf_fmt(out, " (%" PRIu64 " let through)", c->hits.complained);
}

static void put_hit(const struct pst_ctrstat *c, struct pst_buf *out)
{
	const char *comma = "";
	if (c->hits.oom_kills > 0) {
		pst_buf_fmt(out, "memory (%" PRIu64 " killed)", c->hits.oom_kills);
		comma = ", ";
	}
	if (c->hits.pids_refused > 0) {
		pst_buf_fmt(out, "%spids (%" PRIu64 " refused)", comma, c->hits.pids_refused);
		comma = ", ";
	}
	if (pst_hits_throttled(&c->hits)) {
		pst_buf_fmt(out, "%scpu (%" PRIu64 " %% throttled)", comma, c->hits.throttled * 100 / c->hits.periods);
		comma = ", ";
	}
	if (c->hits.sent_dropped + c->hits.received_dropped > 0) {
		pst_buf_fmt(out, "%snetwork (%" PRIu64 " dropped)", comma,
			    c->hits.sent_dropped + c->hits.received_dropped);
		comma = ", ";
	}
	if (comma[0] == '\0')
		pst_buf_char(out, '-');
}

static void cell(const struct pst_nodestat *s, const struct pst_ctrstat *c, enum column at, struct pst_buf *out)
{
	switch (at) {
	case C_ID: put_id(c, out); break;
	case C_POD: put_pod(c, out); break;
	case C_BLOCK:
		if (c->first == 0)
			pst_buf_str(out, "host ids");
		else
			pst_buf_fmt(out, "%" PRIu32, c->first);
		break;
	case C_PROFILE:
		pst_oneline(out, c->profile == NULL ? "off" : c->profile);
		pst_buf_str(out, c->complain ? " COMPLAIN" : "");
		break;
	case C_STATE: pst_buf_str(out, c->up ? "up" : "ended"); break;
	case C_MEMORY: put_memory(c, out); break;
	case C_PIDS: put_pids(c, out); break;
	case C_CPU: put_cpu(c, s->apart_us, out); break;
	case C_DENIED: put_denied(c, out); break;
	case C_HIT: put_hit(c, out); break;
	case COLUMNS: break;
	}
}

static void widths(const struct pst_nodestat *s, size_t w[COLUMNS])
{
	for (enum column k = 0; k < COLUMNS; k++) {
		w[k] = strlen(heads[k]);
		for (size_t i = 0; i < s->n; i++) {
			pst_auto_buf b = {0};
			cell(s, &s->v[i], k, &b);
			const size_t n = width(pst_buf_cstr(&b));
			w[k] = n > w[k] ? n : w[k];
		}
	}
}

static void padded(struct pst_buf *out, const char *text, size_t to, bool last)
{
	pst_buf_str(out, text);
	for (size_t n = width(text); !last && n < to + 2; n++)
		pst_buf_char(out, ' ');
}

static void row(const struct pst_nodestat *s, const struct pst_ctrstat *c, const size_t w[COLUMNS],
		bool color, struct pst_buf *out)
{
	for (enum column k = 0; k < COLUMNS; k++) {
		pst_auto_buf b = {0};
		cell(s, c, k, &b);
		const bool loud = color && ((k == C_PROFILE && c->complain) ||
					    (k == C_HIT && strcmp(pst_buf_cstr(&b), "-") != 0));
		pst_buf_str(out, loud ? LOUD : "");
		padded(out, pst_buf_cstr(&b), w[k], k + 1 == COLUMNS);
		pst_buf_str(out, loud ? PLAIN : "");
	}
	pst_buf_char(out, '\n');
	for (size_t i = 0; i < PST_HITS_SAID && c->said[i] != NULL; i++) {
		pst_buf_str(out, "    ");
		pst_oneline(out, c->said[i]);
		pst_buf_char(out, '\n');
	}
}

static const char *text_of(const json_t *r, const char *key)
{
	const char *s = pst_json_str(json_object_get(r, key));
	return s == NULL ? "" : s;
}

static bool is_there(const struct pst_nodestat *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].id, id) == 0)
			return true;
	return false;
}

/* The last few sentences of containers that are gone. */
static void gone_text(const struct pst_nodestat *s, const json_t *gone, struct pst_buf *out)
{
	size_t from = json_array_size(gone), n = 0;
	while (from > 0 && n < GONE_SHOWN) {
		const json_t *r = json_array_get(gone, --from);
		n += text_of(r, "text")[0] != '\0' && !is_there(s, text_of(r, "id"));
	}
	if (n > 0)
		pst_buf_str(out, "\nof containers that are gone:\n");
	for (; n > 0 && from < json_array_size(gone); from++) {
		const json_t *r = json_array_get(gone, from);
		if (text_of(r, "text")[0] == '\0' || is_there(s, text_of(r, "id")))
			continue;
		pst_buf_str(out, "    ");
		pst_oneline(out, text_of(r, "time"));
		pst_buf_char(out, ' ');
		pst_oneline(out, text_of(r, "id"));
		for (size_t i = 0; i < PST_POD_NAMES; i++)
			if (text_of(r, pst_podname_keys[i])[0] != '\0') {
				pst_buf_fmt(out, " %s ", pst_podname_keys[i]);
				pst_oneline(out, text_of(r, pst_podname_keys[i]));
			}
		pst_buf_str(out, ": ");
		pst_oneline(out, text_of(r, "text"));
		pst_buf_char(out, '\n');
	}
}

void pst_top_text(const struct pst_nodestat *s, const json_t *gone, bool color, struct pst_buf *out)
{
	size_t w[COLUMNS], complain = 0;
	for (size_t i = 0; i < s->n; i++)
		complain += s->v[i].complain;
	pst_buf_fmt(out, "%zu container%s, %zu", s->n, s->n == 1 ? "" : "s", s->leases);
	if (s->pool_blocks > 0)
		pst_buf_fmt(out, " of %zu", s->pool_blocks);
	pst_buf_str(out, " blocks of ids in use\n");
	if (s->unread > 0)
		pst_buf_fmt(out, "%zu could not be looked at\n", s->unread);
	if (complain > 0)
		pst_buf_fmt(out, "%sCOMPLAIN: the profile of %zu container%s is NOT enforced%s\n",
			    color ? LOUD : "", complain, complain == 1 ? "" : "s", color ? PLAIN : "");
	widths(s, w);
	if (s->n > 0) {
		pst_buf_char(out, '\n');
		for (enum column k = 0; k < COLUMNS; k++)
			padded(out, heads[k], w[k], k + 1 == COLUMNS);
		pst_buf_char(out, '\n');
	}
	for (size_t i = 0; i < s->n; i++)
		row(s, &s->v[i], w, color, out);
	gone_text(s, gone, out);
}

static void put(json_t *o, const char *key, json_t *v, bool *ok)
{
	*ok = json_object_set_new(o, key, v) == 0 && *ok;
}

static void put_number(json_t *o, const char *key, uint64_t v, bool *ok)
{
	if (v != PST_CGNUM_NONE)
		put(o, key, pst_json_from_u64(v), ok);
}

/* Names of the host's files need not be UTF-8. */
static void put_text(json_t *o, const char *key, const char *text, bool *ok)
{
	pst_auto_buf b = {0};
	if (text == NULL)
		return;
	pst_oneline(&b, text);
	put(o, key, json_string(pst_buf_cstr(&b)), ok);
}

static json_t *container_json(const struct pst_nodestat *s, const struct pst_ctrstat *c, bool *ok)
{
	json_t *o = json_object(), *said = json_array();
	put_text(o, "id", c->id, ok);
	put_text(o, "root", c->root, ok);
	for (size_t i = 0; i < PST_POD_NAMES; i++)
		put_text(o, pst_podname_keys[i], c->names[i], ok);
	put_text(o, "profile", c->profile, ok);
	put_text(o, "mode", c->profile == NULL ? "off" : c->complain ? "complain" : "enforce", ok);
	put_number(o, "firstId", c->first, ok);
	put_text(o, "state", c->up ? "up" : "ended", ok);
	put_number(o, "memoryBytes", c->num.memory, ok);
	put_number(o, "memoryLimitBytes", c->num.memory_limit, ok);
	put_number(o, "pids", c->num.pids, ok);
	put_number(o, "pidsLimit", c->num.pids_limit, ok);
	put_number(o, "cpuMicroseconds", c->num.cpu_us, ok);
	if (c->busy_us != PST_CGNUM_NONE && s->apart_us > 0)
		put_number(o, "cpuMillicores", c->busy_us * 1000 / s->apart_us, ok);
	put_number(o, "cpuLimitMillicores", pst_cgnum_millicores(&c->num), ok);
	put_number(o, "denied", c->hits.denied, ok);
	put_number(o, "complained", c->hits.complained, ok);
	put_number(o, "oomKills", c->hits.oom_kills, ok);
	put_number(o, "memoryFull", c->hits.memory_full, ok);
	put_number(o, "pidsRefused", c->hits.pids_refused, ok);
	put_number(o, "cpuPeriods", c->hits.periods, ok);
	put_number(o, "cpuThrottledPeriods", c->hits.throttled, ok);
	put_number(o, "cpuThrottledMicroseconds", c->hits.throttled_us, ok);
	put_number(o, "sentDropped", c->hits.sent_dropped, ok);
	put_number(o, "receivedDropped", c->hits.received_dropped, ok);
	for (size_t i = 0; i < PST_HITS_SAID && c->said[i] != NULL; i++)
		*ok = json_array_append_new(said, json_string(c->said[i])) == 0 && *ok;
	put(o, "said", said, ok);
	return o;
}

json_t *pst_top_json(const struct pst_nodestat *s, const json_t *gone)
{
	bool ok = true;
	pst_auto_json *o = json_object();
	json_t *all = json_array();
	for (size_t i = 0; i < s->n; i++)
		ok = json_array_append_new(all, container_json(s, &s->v[i], &ok)) == 0 && ok;
	put(o, "version", json_integer(1), &ok);
	put(o, "containers", all, &ok);
	put_number(o, "unread", s->unread, &ok);
	put_number(o, "leases", s->leases, &ok);
	put_number(o, "poolBlocks", s->pool_blocks == 0 ? PST_CGNUM_NONE : s->pool_blocks, &ok);
	put(o, "hits", gone == NULL ? json_array() : pst_json_copy(gone), &ok);
	return ok ? PST_TAKE(o) : NULL;
}

#include "core/runclog.h"

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define LINE_MAX_BYTES 65536 /* runc cuts nothing, but no message for people is this long */

/* What yajl has seen of one record. */
struct record {
	unsigned depth;
	enum { OTHER, LEVEL, MSG } key;
	bool error;
	bool has_msg;
	char msg[640];
};

static bool is_error(const char *level, size_t n)
{
	static const char *const bad[] = {"error", "fatal", "panic"};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		if (strlen(bad[i]) == n && memcmp(level, bad[i], n) == 0)
			return true;
	return false;
}

static void take_msg(struct record *r, const char *s, size_t n)
{
	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	snprintf(r->msg, sizeof r->msg, "%.*s", (int)(n < sizeof r->msg ? n : sizeof r->msg - 1), s);
	r->has_msg = true;
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	struct record *r = ctx;
	if (r->depth == 1 && r->key == LEVEL)
		r->error = is_error((const char *)s, n);
	if (r->depth == 1 && r->key == MSG)
		take_msg(r, (const char *)s, n);
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct record *r = ctx;
	if (r->depth != 1)
		return 1;
	r->key = OTHER;
	if (n == 5 && memcmp(s, "level", 5) == 0)
		r->key = LEVEL;
	if (n == 3 && memcmp(s, "msg", 3) == 0)
		r->key = MSG;
	return 1;
}

static int on_open(void *ctx)
{
	return ++((struct record *)ctx)->depth < 64;
}

static int on_close(void *ctx)
{
	((struct record *)ctx)->depth--;
	return 1;
}

static bool read_json(const char *line, size_t n, struct record *r)
{
	static const yajl_callbacks cb = {
		.yajl_string = on_string,
		.yajl_map_key = on_key,
		.yajl_start_map = on_open,
		.yajl_end_map = on_close,
		.yajl_start_array = on_open,
		.yajl_end_array = on_close,
	};
	yajl_handle h = yajl_alloc(&cb, NULL, r);
	if (h == NULL)
		return false;
	const bool ok = yajl_parse(h, (const unsigned char *)line, n) == yajl_status_ok &&
			yajl_complete_parse(h) == yajl_status_ok;
	yajl_free(h);
	return ok;
}

/* The value of `key=` in a logfmt line, quotes and escapes undone, into buf. */
static bool logfmt(const char *line, const char *key, char *buf, size_t size)
{
	const char *p = strstr(line, key);
	if (p == NULL || (p != line && p[-1] != ' '))
		return false;
	p += strlen(key);
	const char end = *p == '"' ? '"' : ' ';
	if (end == '"')
		p++;
	size_t n = 0;
	for (; *p != '\0' && *p != end && n + 1 < size; p++) {
		char c = *p;
		if (end == '"' && c == '\\' && p[1] != '\0') {
			c = *++p;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		buf[n++] = c;
	}
	buf[n] = '\0';
	return true;
}

static bool read_text(const char *line, struct record *r)
{
	char level[16], msg[sizeof r->msg];
	if (!logfmt(line, "level=", level, sizeof level) || !logfmt(line, "msg=", msg, sizeof msg))
		return false;
	r->error = is_error(level, strlen(level));
	take_msg(r, msg, strlen(msg));
	return true;
}

static void read_line(struct pst_runclog *l)
{
	struct record r = {0};
	const char *line = pst_buf_cstr(&l->line);
	if (!l->skip && l->line.len > 0 &&
	    (line[0] == '{' ? read_json(line, l->line.len, &r) : read_text(line, &r)) && r.error &&
	    r.has_msg) {
		memcpy(l->msg, r.msg, sizeof l->msg);
		l->found = true;
	}
	pst_buf_done(&l->line);
	l->skip = false;
}

void pst_runclog_feed(struct pst_runclog *l, const char *data, size_t len)
{
	while (len > 0) {
		const char *nl = memchr(data, '\n', len);
		const size_t n = nl == NULL ? len : (size_t)(nl - data);
		if (l->line.len + n > LINE_MAX_BYTES)
			l->skip = true;
		if (!l->skip)
			pst_buf_add(&l->line, data, n);
		if (nl == NULL)
			return;
		read_line(l);
		data += n + 1;
		len -= n + 1;
	}
}

const char *pst_runclog_end(struct pst_runclog *l)
{
	read_line(l);
	return l->found ? l->msg : NULL;
}

void pst_runclog_done(struct pst_runclog *l)
{
	pst_buf_done(&l->line);
	*l = (struct pst_runclog){0};
}

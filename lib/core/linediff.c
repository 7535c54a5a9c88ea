#include "core/linediff.h"

#include <stdbool.h>
#include <string.h>

#include "core/oneline.h"

struct lines {
	const char *at, *end;
};

/* The length of the first line, its \n included. */
static size_t line_len(const char *at, const char *end)
{
	const char *nl = memchr(at, '\n', (size_t)(end - at));
	return (size_t)(nl != NULL ? nl + 1 - at : end - at);
}

static size_t last_len(const char *at, const char *end)
{
	const char *p = end - 1;
	while (p > at && p[-1] != '\n')
		p--;
	return (size_t)(end - p);
}

static size_t count(struct lines l)
{
	size_t n = 0;
	for (; l.at < l.end; l.at += line_len(l.at, l.end))
		n++;
	return n;
}

/* Move both over equal first lines; how many. */
static size_t skip_first(struct lines *a, struct lines *b)
{
	size_t n = 0;
	while (a->at < a->end && b->at < b->end) {
		const size_t la = line_len(a->at, a->end), lb = line_len(b->at, b->end);
		if (la != lb || memcmp(a->at, b->at, la) != 0)
			break;
		a->at += la;
		b->at += lb;
		n++;
	}
	return n;
}

static void skip_last(struct lines *a, struct lines *b)
{
	while (a->at < a->end && b->at < b->end) {
		const size_t la = last_len(a->at, a->end), lb = last_len(b->at, b->end);
		if (la != lb || memcmp(a->end - la, b->end - lb, la) != 0)
			break;
		a->end -= la;
		b->end -= lb;
	}
}

static void print(struct pst_buf *out, char sign, struct lines l)
{
	while (l.at < l.end) {
		const size_t n = line_len(l.at, l.end);
		const bool ended = l.at[n - 1] == '\n';
		pst_auto_buf one = {0};
		pst_buf_add(&one, l.at, n - ended);
		pst_buf_char(out, sign);
		pst_oneline(out, pst_buf_cstr(&one));
		pst_buf_str(out, ended ? "\n" : "\n\\ No newline at end of file\n");
		out->bad = out->bad || !pst_buf_ok(&one);
		l.at += n;
	}
}

void pst_linediff(const char *path, const char *before, size_t before_len, const char *after,
		  size_t after_len, struct pst_buf *out)
{
	struct lines a = {before, before != NULL ? before + before_len : NULL};
	struct lines b = {after, after != NULL ? after + after_len : NULL};
	const size_t same = skip_first(&a, &b);
	skip_last(&a, &b);
	const size_t na = count(a), nb = count(b);
	if (na == 0 && nb == 0 && (before == NULL) == (after == NULL))
		return;
	pst_buf_str(out, "--- ");
	pst_oneline(out, before != NULL ? path : "/dev/null");
	pst_buf_str(out, "\n+++ ");
	pst_oneline(out, after != NULL ? path : "/dev/null");
	pst_buf_fmt(out, "\n@@ -%zu,%zu +%zu,%zu @@\n", same + (na > 0), na, same + (nb > 0), nb);
	print(out, '-', a);
	print(out, '+', b);
}

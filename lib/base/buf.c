#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pst_buf_done(struct pst_buf *b)
{
	free(b->data);
	*b = (struct pst_buf){0};
}

static bool reserve(struct pst_buf *b, size_t more)
{
	if (b->bad || more >= PST_BUF_CAP - b->len) {
		b->bad = true;
		return false;
	}
	const size_t need = b->len + more + 1;
	if (need <= b->cap)
		return true;

	size_t cap = b->cap == 0 ? 128 : b->cap;
	while (cap < need)
		cap *= 2;
	char *p = realloc(b->data, cap);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

void pst_buf_add(struct pst_buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len != 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void pst_buf_str(struct pst_buf *b, const char *s)
{
	pst_buf_add(b, s, strlen(s));
}

void pst_buf_char(struct pst_buf *b, char c)
{
	pst_buf_add(b, &c, 1);
}

void pst_buf_fmt(struct pst_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	} else if (n < 0) {
		b->bad = true;
	}
	va_end(again);
	va_end(ap);
}

bool pst_buf_ok(const struct pst_buf *b)
{
	return !b->bad;
}

const char *pst_buf_cstr(const struct pst_buf *b)
{
	return b->data == NULL ? "" : b->data;
}

char *pst_buf_take(struct pst_buf *b)
{
	if (!reserve(b, 0))
		return NULL;
	b->data[b->len] = '\0';
	char *p = b->data;
	*b = (struct pst_buf){0};
	return p;
}

#include "core/owntext.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/tomlscan.h"

#define BEGIN "# postern install: begin "
#define END "# postern install: end"
#define FILE_LINE "# postern install: file "
#define DIGEST 16
#define JOINED " joined"
#define FOLDER " folder"

static void digest(const char *text, size_t len, char out[DIGEST + 1])
{
	char hex[SHA256_DIGEST_STRING_LENGTH];
	(void)SHA256Data((const uint8_t *)text, len, hex);
	snprintf(out, DIGEST + 1, "%.*s", DIGEST, hex);
}

/* Does [text, end) begin with `head`, then `want`? What follows goes to *rest. */
static bool digest_is(const char *text, size_t len, const char *head, const char *want,
		      const char **rest)
{
	const size_t n = strlen(head);
	if (len < n + DIGEST || memcmp(text, head, n) != 0)
		return false;
	*rest = text + n + DIGEST;
	return memcmp(text + n, want, DIGEST) == 0;
}

struct found {
	struct pst_own_block b;
	const char *text, *name;
	size_t len;
	struct pst_toml_stmt begin;
	bool open;
};

static bool is(const struct pst_toml_stmt *s, const char *head)
{
	return s->kind == PST_TOML_COMMENT && s->value_len >= strlen(head) &&
	       memcmp(s->value, head, strlen(head)) == 0;
}

static bool ends_with(const struct pst_toml_stmt *s, const char *tail)
{
	const size_t n = strlen(tail);
	return s->value_len >= n && memcmp(s->value + s->value_len - n, tail, n) == 0;
}

static int damaged(const struct found *f, unsigned line, const char *what, struct pst_err *err)
{
	pst_fail(err, PST_E_SPEC, "", "line %u: %s", line, what);
	pst_err_cure(err, "take the lines between \"" BEGIN "...\" and \"" END "\" out of %s by hand",
		     f->name);
	return pst_err_file(err, f->name);
}

static int close_block(struct found *f, const struct pst_toml_stmt *s)
{
	char want[DIGEST + 1];
	const char *rest = "";
	digest(f->text + f->begin.end, s->at - f->begin.end, want);
	f->b.intact = digest_is(f->begin.value, f->begin.value_len, BEGIN, want, &rest);
	const bool joined = ends_with(&f->begin, JOINED);
	f->b.there = true;
	f->b.at = f->begin.at;
	f->b.end = s->end;
	f->b.line = f->begin.line;
	f->open = false;
	/* The line end that was put before the block belongs to it, unless text came behind. */
	if (joined && f->b.at > 0 && s->end == f->len)
		f->b.at -= f->b.at > 1 && f->text[f->b.at - 2] == '\r' ? 2 : 1;
	return PST_OK;
}

static int see(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	struct found *f = ctx;
	if (is(s, BEGIN)) {
		if (f->open || f->b.there)
			return damaged(f, s->line, "a second block of `postern install`", err);
		f->open = true;
		f->begin = *s;
	} else if (is(s, END)) {
		return f->open ? close_block(f, s)
			       : damaged(f, s->line, "the end of a block of `postern install`, without its begin", err);
	}
	return PST_OK;
}

int pst_own_block_find(const char *text, size_t len, const char *name, struct pst_own_block *ret,
		       struct pst_err *err)
{
	struct found f = {.text = text, .len = len, .name = name};
	const int rc = pst_tomlscan(text, len, name, see, &f, err);
	if (rc != PST_OK)
		return rc;
	if (f.open)
		return damaged(&f, f.begin.line, "a block of `postern install` without its end", err);
	*ret = f.b;
	return PST_OK;
}

/* `text` with every \n as `nl`. */
static void add_lines(struct pst_buf *out, const char *text, const char *nl)
{
	for (const char *p = text; *p != '\0';) {
		const size_t n = strcspn(p, "\n");
		pst_buf_add(out, p, n);
		if (p[n] == '\n')
			pst_buf_str(out, nl);
		p += n + (p[n] == '\n');
	}
}

static void add_block(struct pst_buf *out, const char *body, const char *nl, bool joined)
{
	pst_auto_buf lines = {0};
	char sum[DIGEST + 1];
	add_lines(&lines, body, nl);
	digest(pst_buf_cstr(&lines), lines.len, sum);
	pst_buf_fmt(out, "%s" BEGIN "%s%s%s", joined ? nl : "", sum, joined ? JOINED : "", nl);
	pst_buf_add(out, pst_buf_cstr(&lines), lines.len);
	pst_buf_fmt(out, END "%s", nl);
	out->bad = out->bad || !pst_buf_ok(&lines);
}

void pst_own_block_put(const char *text, size_t len, const struct pst_own_block *b,
		       const char *body, struct pst_buf *out)
{
	const size_t at = b->there ? b->at : len, end = b->there ? b->end : len;
	const char *first = memchr(text, '\n', len);
	const char *nl = first != NULL && first > text && first[-1] == '\r' ? "\r\n" : "\n";
	pst_buf_add(out, text, at);
	if (body != NULL)
		add_block(out, body, nl, at > 0 && text[at - 1] != '\n');
	pst_buf_add(out, text + end, len - end);
}

enum pst_own_file pst_own_file_is(const char *text, size_t len, bool *folder)
{
	char want[DIGEST + 1];
	const char *rest = "";
	const char *nl = memchr(text, '\n', len);
	*folder = false;
	if (nl == NULL || len < sizeof FILE_LINE || memcmp(text, FILE_LINE, sizeof FILE_LINE - 1) != 0)
		return PST_OWN_FOREIGN;
	digest(nl + 1, len - (size_t)(nl + 1 - text), want);
	if (!digest_is(text, (size_t)(nl - text), FILE_LINE, want, &rest))
		return PST_OWN_EDITED;
	*folder = (size_t)(nl - rest) == sizeof FOLDER - 1 && memcmp(rest, FOLDER, sizeof FOLDER - 1) == 0;
	return PST_OWN_INTACT;
}

void pst_own_file_put(const char *body, bool folder, struct pst_buf *out)
{
	char sum[DIGEST + 1];
	digest(body, strlen(body), sum);
	pst_buf_fmt(out, FILE_LINE "%s%s\n%s", sum, folder ? FOLDER : "", body);
}

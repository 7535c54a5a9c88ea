#include "containerd/toml.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct line {
	const char *at, *end;
	unsigned number;
	struct pst_err *err;
};

static int wrong(const struct line *l, const char *what)
{
	return pst_fail(l->err, PST_E_SPEC, "", "line %u of the runtime's options: %s", l->number, what);
}

static void blanks(struct line *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\r'))
		l->at++;
}

static bool at_end(struct line *l)
{
	blanks(l);
	return l->at == l->end || *l->at == '#';
}

/* A string in one kind of quotes or the other; only the double ones have escapes. */
static int quoted(struct line *l, char *out, size_t size)
{
	const char quote = *l->at++;
	size_t n = 0;
	while (l->at < l->end && *l->at != quote) {
		char c = *l->at++;
		if (c == '\\' && quote == '"') {
			if (l->at == l->end || (*l->at != '"' && *l->at != '\\'))
				return wrong(l, "only \\\" and \\\\ are known as escapes");
			c = *l->at++;
		}
		if (n + 1 >= size || (unsigned char)c < ' ')
			return wrong(l, "the text is too long, or holds a control character");
		out[n++] = c;
	}
	if (l->at == l->end)
		return wrong(l, "the text does not end");
	l->at++;
	out[n] = '\0';
	return PST_OK;
}

static int word(struct line *l, char *out, size_t size)
{
	if (l->at < l->end && (*l->at == '"' || *l->at == '\''))
		return quoted(l, out, size);
	size_t n = 0;
	while (l->at < l->end && strchr(" \t\r=#", *l->at) == NULL) {
		if (n + 1 >= size)
			return wrong(l, "a word is too long");
		out[n++] = *l->at++;
	}
	out[n] = '\0';
	return n > 0 ? PST_OK : wrong(l, "a word is missing");
}

static bool is_ours(const char *header, size_t len)
{
	static const char name[] = "options";
	const size_t n = sizeof name - 1;
	return len >= n && memcmp(header + len - n, name, n) == 0 &&
	       (len == n || header[len - n - 1] == '.');
}

static int header(struct line *l, bool *ours)
{
	const char *close = memchr(l->at, ']', (size_t)(l->end - l->at));
	if (close == NULL || l->at[1] == '[')
		return wrong(l, "not a table header that is known here");
	*ours = is_ours(l->at + 1, (size_t)(close - l->at - 1));
	l->at = close + 1;
	return at_end(l) ? PST_OK : wrong(l, "something follows the table header");
}

static int pair(struct line *l, char *key, char *value, size_t size)
{
	int rc = word(l, key, 64);
	if (rc != PST_OK)
		return rc;
	blanks(l);
	if (l->at == l->end || *l->at++ != '=')
		return wrong(l, "no \"=\" behind the key");
	blanks(l);
	rc = word(l, value, size);
	if (rc != PST_OK)
		return rc;
	return at_end(l) ? PST_OK : wrong(l, "something follows the value");
}

int pst_toml_read(const char *text, size_t len,
		  int (*set)(void *ctx, const char *key, const char *value, struct pst_err *err),
		  void *ctx, struct pst_err *err)
{
	char key[64];
	char value[512];
	bool ours = true;
	struct line l = {.err = err};
	const char *end = text + len;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		l.at = text;
		l.end = nl != NULL ? nl : end;
		l.number++;
		text = nl != NULL ? nl + 1 : end;
		if (at_end(&l))
			continue;
		const bool is_header = *l.at == '[';
		int rc = is_header ? header(&l, &ours) : pair(&l, key, value, sizeof value);
		if (rc == PST_OK && !is_header && ours)
			rc = set(ctx, key, value, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

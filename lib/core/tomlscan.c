#include "core/tomlscan.h"

#include <stdio.h>
#include <string.h>

#include "core/json.h"

struct scan {
	const char *text, *at, *end;
	unsigned line; /* where `at` stands */
	const char *name;
	struct pst_err *err;
	char table[PST_TOML_PATH]; /* the header in force */
};

static int wrong(const struct scan *s, unsigned line, const char *what)
{
	pst_fail(s->err, PST_E_SPEC, "", "line %u: %s", line, what);
	return pst_err_file(s->err, s->name);
}

static bool more(const struct scan *s)
{
	return s->at < s->end;
}

static void blanks(struct scan *s)
{
	while (more(s) && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/* At a line end, or at the end of the text? CR LF is one. */
static bool at_line_end(const struct scan *s)
{
	return !more(s) || *s->at == '\n' ||
	       (*s->at == '\r' && s->at + 1 < s->end && s->at[1] == '\n');
}

static void to_line_end(struct scan *s)
{
	while (!at_line_end(s))
		s->at++;
}

static void over_line_end(struct scan *s)
{
	if (more(s) && *s->at == '\r')
		s->at++;
	if (more(s)) {
		s->at++;
		s->line++;
	}
}

static bool is_thrice(const struct scan *s, char quote)
{
	return s->end - s->at >= 3 && s->at[0] == quote && s->at[1] == quote && s->at[2] == quote;
}

/* Over """...""" or '''...''', which may hold two quotes in a row and end in five. */
static int over_long_string(struct scan *s, char quote)
{
	const unsigned first = s->line;
	s->at += 3;
	for (; more(s); s->at++) {
		if (*s->at == '\n')
			s->line++;
		else if (*s->at == '\\' && quote == '"' && s->at + 1 < s->end && s->at[1] != '\n')
			s->at++;
		else if (is_thrice(s, quote)) {
			s->at += 3;
			for (unsigned i = 0; i < 2 && more(s) && *s->at == quote; i++)
				s->at++;
			return PST_OK;
		}
	}
	return wrong(s, first, "a text of several lines does not end");
}

static int over_string(struct scan *s)
{
	const char quote = *s->at;
	if (is_thrice(s, quote))
		return over_long_string(s, quote);
	for (s->at++; !at_line_end(s); s->at++) {
		if (*s->at == '\\' && quote == '"' && s->at + 1 < s->end)
			s->at++;
		else if (*s->at == quote) {
			s->at++;
			return PST_OK;
		}
	}
	return wrong(s, s->line, "a text does not end");
}

/* Over a value: to the end of the line, or of the comment's begin, outside of brackets. */
static int over_value(struct scan *s)
{
	const unsigned first = s->line;
	unsigned depth = 0;
	while (more(s) && (depth > 0 || (!at_line_end(s) && *s->at != '#'))) {
		const char c = *s->at;
		if (c == '"' || c == '\'') {
			const int rc = over_string(s);
			if (rc != PST_OK)
				return rc;
			continue;
		}
		if (c == '#')
			to_line_end(s);
		if (at_line_end(s)) {
			over_line_end(s);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth-- == 0)
			return wrong(s, s->line, "a bracket closes what was not opened");
		s->at++;
	}
	return depth == 0 ? PST_OK : wrong(s, first, "a bracket is not closed");
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

/* One part of a key, pushed onto path. */
static int key_part(struct scan *s, char *path)
{
	char part[PST_TOML_PATH];
	const char *from = s->at;
	const size_t before = strlen(path);
	if (more(s) && (*s->at == '"' || *s->at == '\'')) {
		if (is_thrice(s, *s->at))
			return wrong(s, s->line, "a key cannot be a text of several lines");
		const int rc = over_string(s);
		if (rc != PST_OK)
			return rc;
		if (!pst_toml_string(from, (size_t)(s->at - from), part, sizeof part))
			return wrong(s, s->line, "a key that cannot be read here");
	} else {
		while (more(s) && is_bare(*s->at))
			s->at++;
		const size_t n = (size_t)(s->at - from);
		if (n == 0 || n >= sizeof part)
			return wrong(s, s->line, "not a statement of TOML");
		memcpy(part, from, n);
		part[n] = '\0';
	}
	pst_json_pointer_push(path, PST_TOML_PATH, part);
	return strlen(path) > before ? PST_OK : wrong(s, s->line, "a key is too long");
}

/* a."b.c".d, pushed onto path; blanks around the dots are allowed. */
static int key(struct scan *s, char *path)
{
	for (;;) {
		blanks(s);
		const int rc = key_part(s, path);
		if (rc != PST_OK)
			return rc;
		blanks(s);
		if (!more(s) || *s->at != '.')
			return PST_OK;
		s->at++;
	}
}

static int header(struct scan *s, struct pst_toml_stmt *st)
{
	const bool list = s->end - s->at > 1 && s->at[1] == '[';
	s->at += list ? 2 : 1;
	st->kind = list ? PST_TOML_TABLES : PST_TOML_TABLE;
	int rc = key(s, st->path);
	for (int i = 0; rc == PST_OK && i <= list; i++, s->at++)
		if (!more(s) || *s->at != ']')
			return wrong(s, s->line, "a table's header does not end");
	memcpy(s->table, st->path, sizeof s->table);
	return rc;
}

static int pair(struct scan *s, struct pst_toml_stmt *st)
{
	st->kind = PST_TOML_KEY;
	memcpy(st->path, s->table, sizeof st->path);
	int rc = key(s, st->path);
	if (rc != PST_OK)
		return rc;
	if (!more(s) || *s->at != '=')
		return wrong(s, s->line, "no \"=\" behind the key");
	s->at++;
	blanks(s);
	st->value = s->at;
	rc = over_value(s);
	st->value_len = (size_t)(s->at - st->value);
	while (st->value_len > 0 && strchr(" \t", st->value[st->value_len - 1]) != NULL)
		st->value_len--;
	return rc != PST_OK || st->value_len > 0 ? rc : wrong(s, st->line, "a value is missing");
}

/* One line, or the lines of one value. */
static int statement(struct scan *s, struct pst_toml_stmt *st, bool *empty)
{
	int rc = PST_OK;
	*st = (struct pst_toml_stmt){.at = (size_t)(s->at - s->text), .line = s->line};
	blanks(s);
	*empty = at_line_end(s);
	if (*empty) {
		over_line_end(s);
		return PST_OK;
	}
	if (*s->at == '#') {
		st->kind = PST_TOML_COMMENT;
		st->value = s->at;
		to_line_end(s);
		st->value_len = (size_t)(s->at - st->value);
		while (strchr(" \t", st->value[st->value_len - 1]) != NULL)
			st->value_len--;
	} else {
		rc = *s->at == '[' ? header(s, st) : pair(s, st);
		blanks(s);
	}
	if (rc != PST_OK)
		return rc;
	if (!at_line_end(s) && *s->at != '#')
		return wrong(s, s->line, "something follows where the line should end");
	to_line_end(s);
	over_line_end(s);
	st->end = (size_t)(s->at - s->text);
	return PST_OK;
}

int pst_tomlscan(const char *text, size_t len, const char *name, pst_toml_fn *fn, void *ctx,
		 struct pst_err *err)
{
	struct scan s = {.text = text, .at = text, .end = text + len, .line = 1, .name = name, .err = err};
	struct pst_toml_stmt st;
	bool empty;
	if (memchr(text, '\0', len) != NULL)
		return wrong(&s, 1, "the file holds a zero byte: it is no text");
	/* What is put behind it would make a whole one of it. */
	if (len > 0 && text[len - 1] == '\r')
		return wrong(&s, 1, "the file ends in half a line end");
	while (more(&s)) {
		int rc = statement(&s, &st, &empty);
		if (rc == PST_OK && !empty)
			rc = fn(ctx, &st, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

bool pst_toml_string(const char *value, size_t len, char *buf, size_t size)
{
	size_t n = 0;
	if (len < 2 || (value[0] != '"' && value[0] != '\'') || value[len - 1] != value[0])
		return false;
	for (size_t i = 1; i + 1 < len; i++) {
		char c = value[i];
		if (c == value[0])
			return false; /* two strings, or one of several lines */
		if (c == '\\' && value[0] == '"') {
			c = value[++i];
			if ((c != '"' && c != '\\') || i + 1 == len)
				return false;
		}
		if (n + 1 >= size)
			return false;
		buf[n++] = c;
	}
	if (size == 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* Blanks, line ends and comments between the elements of an array. */
static void between(struct scan *s)
{
	while (more(s) && strchr(" \t\r\n#", *s->at) != NULL)
		if (*s->at == '#')
			to_line_end(s);
		else
			s->at++;
}

bool pst_toml_strings(const char *value, size_t len, void (*fn)(void *ctx, const char *s), void *ctx)
{
	struct scan s = {.text = value, .at = value, .end = value + len, .name = ""};
	char buf[PST_TOML_PATH];
	if (len < 2 || value[0] != '[' || value[len - 1] != ']')
		return false;
	s.at++;
	s.end--;
	for (;;) {
		between(&s);
		if (!more(&s))
			return true;
		const char *from = s.at;
		if ((*from != '"' && *from != '\'') || over_string(&s) != PST_OK ||
		    !pst_toml_string(from, (size_t)(s.at - from), buf, sizeof buf))
			return false;
		fn(ctx, buf);
		between(&s);
		if (more(&s) && *s.at++ != ',')
			return false;
	}
}

#include "core/jsonspan.h"

#include <string.h>

static size_t blanks(const char *text, size_t at)
{
	return at + strspn(text + at, " \t\r\n");
}

/* Behind the string that begins at `at`. */
static size_t over_string(const char *text, size_t at)
{
	for (at++; text[at] != '"'; at++)
		at += text[at] == '\\';
	return at + 1;
}

/* Behind the value that begins at `at`. */
static size_t over_value(const char *text, size_t at)
{
	unsigned depth = 0;
	do {
		if (text[at] == '"') {
			at = over_string(text, at);
			continue;
		}
		if (text[at] == '{' || text[at] == '[')
			depth++;
		else if (text[at] == '}' || text[at] == ']')
			depth--;
		else if (depth == 0)
			return at + strcspn(text + at, " \t\r\n,]}");
		at++;
	} while (depth > 0);
	return at;
}

size_t pst_jsonspan_top(const char *text)
{
	return blanks(text, 0);
}

bool pst_jsonspan_next(const char *text, size_t open, const struct pst_jsonspan *prev,
		       struct pst_jsonspan *ret)
{
	size_t at = blanks(text, prev != NULL ? prev->end : open + 1);
	if (prev != NULL && text[at] == ',')
		at = blanks(text, at + 1);
	if (text[at] != '"')
		return false;
	ret->key = at;
	at = blanks(text, over_string(text, at));
	ret->value = blanks(text, at + 1); /* behind the colon */
	ret->end = over_value(text, ret->value);
	return true;
}

bool pst_jsonspan_find(const char *text, size_t open, const char *key, struct pst_jsonspan *ret)
{
	const size_t n = strlen(key);
	struct pst_jsonspan s;
	for (bool more = pst_jsonspan_next(text, open, NULL, &s); more;
	     more = pst_jsonspan_next(text, open, &s, &s))
		if (strncmp(text + s.key + 1, key, n) == 0 && text[s.key + 1 + n] == '"') {
			*ret = s;
			return true;
		}
	return false;
}

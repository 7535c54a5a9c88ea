#include "core/keyfold.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Next folded character of *p: ASCII in lower case, the two foreign letters that fold into
 * ASCII, else the byte itself. */
static unsigned char next_folded(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	if (s[0] == 0xC5 && s[1] == 0xBF) { /* U+017F */
		*p += 2;
		return 's';
	}
	if (s[0] == 0xE2 && s[1] == 0x84 && s[2] == 0xAA) { /* U+212A */
		*p += 3;
		return 'k';
	}
	*p += 1;
	return s[0] >= 'A' && s[0] <= 'Z' ? (unsigned char)(s[0] + 32) : s[0];
}

bool pst_keyfold_is(const char *key, const char *name)
{
	if (strcmp(key, name) == 0)
		return false;
	while (*key != '\0' && *name != '\0')
		if (next_folded(&key) != next_folded(&name))
			return false;
	return *key == *name;
}

static bool in(const char *const list[], const char *key)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, key) == 0)
			return true;
	return false;
}

struct walk {
	const char *const *names;
	const char *const *maps;
	char pointer[192];
	struct pst_err *err;
};

static int walk(struct walk *w, const json_t *j, size_t at);

static int check_key(struct walk *w, const char *key)
{
	for (const char *const *n = w->names; *n != NULL; n++) {
		if (!pst_keyfold_is(key, *n))
			continue;
		pst_fail(w->err, PST_E_SPEC, w->pointer,
			 "the key \"%s\" is read as \"%s\" by some runtimes and as nothing by others",
			 key, *n);
		return pst_err_cure(w->err, "write it as \"%s\"", *n);
	}
	return PST_OK;
}

static int walk_object(struct walk *w, const json_t *j, size_t at)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)j, key, v)
	{
		const int n = snprintf(w->pointer + at, sizeof w->pointer - at, "/%s", key);
		int rc = check_key(w, key);
		/* a pointer that does not fit is cut: it names the place well enough */
		const size_t next = n > 0 && at + (size_t)n < sizeof w->pointer ? at + (size_t)n : at;
		if (rc == PST_OK && !in(w->maps, key))
			rc = walk(w, v, next);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int walk(struct walk *w, const json_t *j, size_t at)
{
	int rc = PST_OK;
	if (json_is_object(j))
		return walk_object(w, j, at);
	for (size_t i = 0; rc == PST_OK && i < json_array_size(j); i++) {
		const int n = snprintf(w->pointer + at, sizeof w->pointer - at, "/%zu", i);
		rc = walk(w, json_array_get(j, i),
			  n > 0 && at + (size_t)n < sizeof w->pointer ? at + (size_t)n : at);
	}
	return rc;
}

int pst_keyfold_check(const json_t *doc, const char *const names[], const char *const maps[],
		      struct pst_err *err)
{
	struct walk w = {.names = names, .maps = maps, .err = err};
	return walk(&w, doc, 0);
}

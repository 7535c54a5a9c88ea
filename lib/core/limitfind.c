/* The reader of limits.watch, apart from its writer: the keeper has no JSON. */
#include <string.h>

#include "core/limitwatch.h"

static const char *behind(const char *p, const char *word)
{
	const size_t n = strlen(word);
	return strncmp(p, word, n) == 0 && p[n] == '\t' ? p + n + 1 : NULL;
}

const char *pst_limitwatch_find(const char *text, const char *what, const char *name)
{
	for (const char *line = text; *line != '\0'; line += *line == '\n') {
		const char *p = behind(line, what);
		p = p == NULL ? NULL : behind(p, name);
		if (p != NULL)
			return p;
		line += strcspn(line, "\n");
	}
	return NULL;
}

#include "core/nearest.h"

#include <stdbool.h>
#include <string.h>

#define WORD 64 /* our keys, verbs and profile names are far shorter */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(char a, char b)
{
	return lower(a) == lower(b);
}

/* Optimal string alignment: Levenshtein plus swapped neighbours, three rows. */
unsigned pst_nearest_steps(const char *a, const char *b, unsigned limit)
{
	const size_t n = strlen(a), m = strlen(b);
	if (n >= WORD || m >= WORD)
		return limit + 1;

	unsigned rows[3][WORD] = {0};
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *cur = rows[i % 3];
		const unsigned *prev = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			const unsigned change = prev[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
			cur[j] = least(change, least(prev[j], cur[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				cur[j] = least(cur[j], before[j - 2] + 1);
		}
	}
	return least(rows[n % 3][m], limit + 1);
}

const char *pst_nearest(const char *word, const char *const list[], size_t n)
{
	const unsigned third = (unsigned)least((unsigned)strnlen(word, WORD) / 3, WORD);
	unsigned best = (third == 0 ? 1 : third) + 1;
	const char *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (list[i] == NULL)
			continue;
		const unsigned d = pst_nearest_steps(word, list[i], best);
		if (d < best) {
			best = d;
			found = list[i];
		}
	}
	return found;
}

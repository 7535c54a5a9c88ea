#include "core/quotastate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static size_t find(const struct pst_quotastate *s, const char *key)
{
	size_t i = 0;
	while (i < s->n && !pst_streq(s->holder[i].key, key))
		i++;
	return i;
}

int pst_quotastate_hold(struct pst_quotastate *s, const char *key, uint64_t want, struct pst_err *err)
{
	const size_t at = find(s, key);
	if (at == PST_QUOTA_HOLDERS_MAX)
		return pst_fail(err, PST_E_EXHAUSTED, "", "%zu containers with a size run on one root directory already",
				at);
	snprintf(s->holder[at].key, sizeof s->holder[at].key, "%s", key);
	s->holder[at].want = want;
	s->n += at == s->n;
	return PST_OK;
}

bool pst_quotastate_drop(struct pst_quotastate *s, const char *key)
{
	const size_t at = find(s, key);
	if (at == s->n)
		return false;
	s->n--;
	memmove(&s->holder[at], &s->holder[at + 1], (s->n - at) * sizeof s->holder[0]);
	return true;
}

bool pst_quotastate_holds(const struct pst_quotastate *s, const char *key)
{
	return find(s, key) < s->n;
}

uint64_t pst_quotastate_least(const struct pst_quotastate *s)
{
	uint64_t least = s->was;
	for (size_t i = 0; i < s->n; i++)
		if (s->holder[i].want < least)
			least = s->holder[i].want;
	return least;
}

bool pst_quotastate_ours(const struct pst_quotastate *s, uint64_t now)
{
	return now == s->set || now == s->before;
}

int pst_quotastate_print(const struct pst_quotastate *s, struct pst_buf *out, struct pst_err *err)
{
	pst_buf_fmt(out, "was %" PRIu64 "\nset %" PRIu64 " %" PRIu64 "\n", s->was, s->set, s->before);
	for (size_t i = 0; i < s->n; i++)
		pst_buf_fmt(out, "hold %s %" PRIu64 "\n", s->holder[i].key, s->holder[i].want);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

static bool number(const char *s, uint64_t *ret)
{
	return s != NULL && pst_num_parse(s, 10, UINT64_MAX, ret);
}

/* One line; *seen counts the two that have to be there. */
static bool read_line(char *line, struct pst_quotastate *s, unsigned *seen)
{
	const char *what = strsep(&line, " "), *first = strsep(&line, " "), *second = strsep(&line, " ");
	uint64_t want;
	if (line != NULL)
		return false;
	if (pst_streq(what, "was"))
		return (*seen |= 1) != 0 && second == NULL && number(first, &s->was);
	if (pst_streq(what, "set"))
		return (*seen |= 2) != 0 && number(first, &s->set) && number(second, &s->before);
	return pst_streq(what, "hold") && first != NULL && pst_ctrid_is_key(first) && number(second, &want) &&
	       pst_quotastate_hold(s, first, want, NULL) == PST_OK;
}

int pst_quotastate_parse(char *text, struct pst_quotastate *ret, struct pst_err *err)
{
	struct pst_quotastate s = {0};
	unsigned seen = 0;
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		if (*line != '\0' && !read_line(line, &s, &seen))
			seen = 4;
	if (seen != 3) {
		pst_fail(err, PST_E_STATE, "", "the record of a limited subvolume is not one of ours");
		return pst_err_cure(err, "see who wrote it and remove it");
	}
	*ret = s;
	return PST_OK;
}

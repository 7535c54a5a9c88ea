#include "core/runver.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MAX_PART 1000000 /* no version number is larger; keeps comparisons in int */

/* One line of the text, without its newline. */
struct line {
	const char *s;
	size_t n;
};

static bool next_line(const char **p, const char *end, struct line *ret)
{
	if (*p >= end)
		return false;
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	ret->s = *p;
	ret->n = (size_t)((nl == NULL ? end : nl) - *p);
	*p = nl == NULL ? end : nl + 1;
	return true;
}

static void copy_word(char *dst, size_t size, const char *s, size_t n)
{
	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	size_t len = 0;
	while (len < n && len + 1 < size && s[len] > ' ' && s[len] < 0x7f) {
		dst[len] = s[len];
		len++;
	}
	dst[len] = '\0';
}

/* "1.1.5+ds1", "1.3.0-rc.1", "1.28": missing parts are 0; false without a first number. */
static bool parse_numbers(const char *s, size_t n, int version[3])
{
	const char *const end = s + n;
	int v[3] = {0};
	for (int i = 0; i < 3; i++) {
		if (s == end || *s < '0' || *s > '9')
			return false;
		for (; s < end && *s >= '0' && *s <= '9'; s++)
			v[i] = v[i] < MAX_PART ? v[i] * 10 + (*s - '0') : v[i];
		if (s == end || *s != '.')
			break;
		s++;
	}
	memcpy(version, v, sizeof v);
	return true;
}

static bool parse_first(struct line l, struct pst_runtime *rt)
{
	static const char word[] = " version ";
	const char *at = memmem(l.s, l.n, word, sizeof word - 1);
	if (at == NULL || at == l.s)
		return false;
	copy_word(rt->name, sizeof rt->name, l.s, (size_t)(at - l.s));
	const char *v = at + sizeof word - 1;
	return rt->name[0] != '\0' && parse_numbers(v, (size_t)(l.s + l.n - v), rt->version);
}

static void parse_key(struct line l, struct pst_runtime *rt)
{
	static const char spec[] = "spec:", seccomp[] = "libseccomp:";
	if (l.n >= sizeof spec - 1 && memcmp(l.s, spec, sizeof spec - 1) == 0)
		copy_word(rt->spec, sizeof rt->spec, l.s + sizeof spec - 1,
			  l.n - (sizeof spec - 1));
	if (l.n >= sizeof seccomp - 1 && memcmp(l.s, seccomp, sizeof seccomp - 1) == 0)
		copy_word(rt->libseccomp, sizeof rt->libseccomp, l.s + sizeof seccomp - 1,
			  l.n - (sizeof seccomp - 1));
}

int pst_runver_parse(const char *text, size_t len, struct pst_runtime *ret, struct pst_err *err)
{
	struct pst_runtime rt = {0};
	struct line l;
	const char *p = text;

	if (!next_line(&p, text + len, &l) || !parse_first(l, &rt)) {
		pst_fail(err, PST_E_RUNTIME, "",
			 "the runtime's --version does not begin with \"NAME version X.Y.Z\"");
		return pst_err_cure(err, "name an OCI runtime with --runtime or in the policy's "
					 "/runtime/path");
	}
	while (next_line(&p, text + len, &l))
		parse_key(l, &rt);
	*ret = rt;
	return PST_OK;
}

bool pst_runver_at_least(const struct pst_runtime *rt, const char *name, int major, int minor,
			 int patch)
{
	const int want[3] = {major, minor, patch};
	if (!pst_streq(rt->name, name))
		return false;
	for (int i = 0; i < 3; i++)
		if (rt->version[i] != want[i])
			return rt->version[i] > want[i];
	return true;
}

bool pst_runver_joins_netns(const struct pst_runtime *rt)
{
	return !pst_streq(rt->name, "runc") || pst_runver_at_least(rt, "runc", 1, 3, 0);
}

void pst_runtime_done(struct pst_runtime *rt)
{
	free(rt->path);
	*rt = (struct pst_runtime){0};
}

bool pst_runver_notifies(const struct pst_runtime *rt)
{
	return pst_runver_at_least(rt, "runc", 1, 1, 0) || pst_runver_at_least(rt, "crun", 1, 0, 0);
}

#include "core/policytext.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* 1..max bytes, all of `set`, the first also of `first`. */
static bool made_of(const char *s, const char *first, const char *set, size_t max)
{
	const size_t n = strspn(s, set);
	return n > 0 && n <= max && s[n] == '\0' && strspn(s, first) > 0;
}

bool pst_policytext_profile(const char *s)
{
	return made_of(s, LOWER UPPER DIGITS, LOWER UPPER DIGITS "._-", 64);
}

bool pst_policytext_allow(const char *s)
{
	return pst_streq(s, "*") || pst_policytext_profile(s);
}

bool pst_policytext_path(const char *s)
{
	pst_auto_free char *clean = pst_path_clean(s);
	return pst_streq(clean, s);
}

bool pst_policytext_program(const char *s)
{
	if (s[0] == '/')
		return s[1] != '\0' && pst_policytext_path(s);
	return made_of(s, LOWER UPPER DIGITS, LOWER UPPER DIGITS "._+-", 255);
}

static bool label(const char *s, size_t max)
{
	return made_of(s, LOWER DIGITS, LOWER DIGITS "-", max) && !pst_ends(s, "-");
}

bool pst_policytext_namespace(const char *s)
{
	return label(s, 63);
}

bool pst_policytext_class(const char *s)
{
	return label(s, 40);
}

bool pst_policytext_annotation(const char *s)
{
	const size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || (s[i] == '*' && i + 1 != n))
			return false;
	return n > 0 && n <= 317; /* Kubernetes: 253 of prefix, '/', 63 of name */
}

bool pst_policytext_age(const char *s)
{
	const size_t n = strspn(s, DIGITS);
	return n > 0 && n <= 6 && s[0] != '0' && s[n] != '\0' && strchr("mhd", s[n]) != NULL &&
	       s[n + 1] == '\0';
}

const char *pst_policytext_show(const char *s, char *buf, size_t size)
{
	size_t n = 0;
	for (; s[n] != '\0' && n + 1 < size; n++)
		buf[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
	buf[n] = '\0';
	return buf;
}

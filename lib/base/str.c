#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool pst_streq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool pst_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool pst_ends(const char *s, const char *suffix)
{
	const size_t n = strlen(s), m = strlen(suffix);
	return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool pst_num_parse(const char *s, int base, uint64_t max, uint64_t *ret)
{
	if (*s < '0' || *s > '9') /* strtoull takes signs and spaces */
		return false;
	char *end = NULL;
	const int saved = errno;
	errno = 0;
	const unsigned long long v = strtoull(s, &end, base);
	const bool ok = errno == 0 && *end == '\0' && v <= max;
	errno = saved;
	if (ok)
		*ret = v;
	return ok;
}

bool pst_path_under(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (n == 1 && dir[0] == '/')
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool pst_path_has_dotdot(const char *path)
{
	for (const char *p = path; *p != '\0';) {
		const size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += n;
		p += strspn(p, "/");
	}
	return false;
}

char *pst_path_clean(const char *path)
{
	if (path[0] != '/')
		return NULL;
	char *out = malloc(strlen(path) + 2);
	if (out == NULL)
		return NULL;

	size_t len = 0;
	for (const char *p = path + strspn(path, "/"); *p != '\0';) {
		const size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (len > 0 && out[--len] != '/')
				;
		} else if (n != 1 || p[0] != '.') {
			out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

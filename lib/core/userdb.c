#include "core/userdb.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

#define NFIELDS 7 /* of passwd(5); group(5) has four */

/* Bytes of one field of a line; not NUL-terminated. */
struct field {
	const char *s;
	size_t n;
};

struct line {
	struct field f[NFIELDS];
	size_t n;
};

/* The next line of *text, split at ':'; false at the end. */
static bool next_line(const char **text, struct line *ret)
{
	const char *p = *text;
	if (*p == '\0')
		return false;
	const size_t len = strcspn(p, "\n");
	*ret = (struct line){0};
	const char *end = p + len;
	while (ret->n < NFIELDS) {
		const char *colon = memchr(p, ':', (size_t)(end - p));
		const char *stop = colon == NULL ? end : colon;
		ret->f[ret->n++] = (struct field){p, (size_t)(stop - p)};
		if (colon == NULL)
			break;
		p = colon + 1;
	}
	*text = *end == '\n' ? end + 1 : end;
	return true;
}

static bool field_is(struct field f, const char *s, size_t n)
{
	return f.n == n && memcmp(f.s, s, n) == 0;
}

static bool field_num(struct field f, uint32_t *ret)
{
	char digits[16];
	uint64_t v = 0;
	if (f.n == 0 || f.n >= sizeof digits)
		return false;
	memcpy(digits, f.s, f.n);
	digits[f.n] = '\0';
	if (!pst_num_parse(digits, 10, PST_USERDB_ID_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool has_group(const struct pst_user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->ngroups; i++)
		if (u->groups[i] == gid)
			return true;
	return gid == u->gid;
}

static bool member_of(struct field members, struct field name)
{
	const char *p = members.s, *end = members.s + members.n;
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma == NULL ? end : comma;
		if (field_is(name, p, (size_t)(stop - p)))
			return true;
		p = stop + 1;
	}
	return false;
}

static void add_groups(const char *group, struct field name, struct pst_user *u)
{
	struct line l;
	uint32_t gid = 0;
	while (name.n > 0 && next_line(&group, &l))
		if (l.n >= 4 && field_num(l.f[2], &gid) && member_of(l.f[3], name) &&
		    !has_group(u, gid) && u->ngroups < PST_USERDB_GROUPS_MAX)
			u->groups[u->ngroups++] = gid;
}

/* A field that looks like a number is one even when too large: Docker refuses it. */
static bool all_digits(struct field f)
{
	for (size_t i = 0; i < f.n; i++)
		if (f.s[i] < '0' || f.s[i] > '9')
			return false;
	return f.n > 0;
}

static int bad_range(struct field f, struct pst_err *err)
{
	pst_fail(err, PST_E_SPEC, "", "uids and gids must be in range 0-2147483647: %.*s",
		 (int)(f.n > 40 ? 40 : f.n), f.s);
	return PST_E_SPEC;
}

static int no_entry(struct field f, const char *kind, const char *file, struct pst_err *err)
{
	pst_fail(err, PST_E_SPEC, "", "unable to find %s %.*s: no matching entries in %s file",
		 kind, (int)(f.n > 100 ? 100 : f.n), f.s, file);
	pst_err_cure(err, "use a number, or a name that the container's /etc/%s holds", file);
	return PST_E_SPEC;
}

/* Fill uid, gid and home of `want`; *name is the user's name or empty. */
static int find_user(struct field want, const char *passwd, struct pst_user *u, struct field *name,
		     struct pst_err *err)
{
	const bool number = all_digits(want);
	if (number && !field_num(want, &u->uid))
		return bad_range(want, err);
	struct line l;
	uint32_t uid = 0, gid = 0;
	while (next_line(&passwd, &l)) {
		if (l.n < 4 || !field_num(l.f[2], &uid) || !field_num(l.f[3], &gid) ||
		    !(number ? uid == u->uid : field_is(l.f[0], want.s, want.n)))
			continue;
		u->uid = uid;
		u->gid = gid;
		*name = l.f[0];
		if (l.n >= 6 && l.f[5].n > 0 && l.f[5].n < sizeof u->home) {
			memcpy(u->home, l.f[5].s, l.f[5].n);
			u->home[l.f[5].n] = '\0';
		}
		return PST_OK;
	}
	return number ? PST_OK : no_entry(want, "user", "passwd", err);
}

static int find_group(struct field want, const char *group, struct pst_user *u, struct pst_err *err)
{
	if (all_digits(want))
		return field_num(want, &u->gid) ? PST_OK : bad_range(want, err);
	struct line l;
	uint32_t gid = 0;
	while (next_line(&group, &l))
		if (l.n >= 3 && field_is(l.f[0], want.s, want.n) && field_num(l.f[2], &gid)) {
			u->gid = gid;
			return PST_OK;
		}
	return no_entry(want, "group", "group", err);
}

int pst_userdb_resolve(const char *spec, const char *passwd, const char *group,
		       struct pst_user *ret, struct pst_err *err)
{
	const char *colon = strchr(spec, ':');
	struct field user = {spec, colon == NULL ? strlen(spec) : (size_t)(colon - spec)};
	struct field grp = {colon == NULL ? "" : colon + 1, colon == NULL ? 0 : strlen(colon + 1)};
	if (user.n == 0)
		user = (struct field){"0", 1};

	struct pst_user u = {.home = "/"};
	struct field name = {"", 0};
	int rc = find_user(user, passwd, &u, &name, err);
	if (rc == PST_OK && grp.n > 0)
		rc = find_group(grp, group, &u, err);
	if (rc != PST_OK)
		return rc;
	if (grp.n == 0)
		add_groups(group, name, &u);
	*ret = u;
	return PST_OK;
}

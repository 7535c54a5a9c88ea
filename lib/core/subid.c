#include "core/subid.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* A piece of the text: [p, p + n). */
struct piece {
	const char *p;
	size_t n;
};

static struct piece trim(struct piece s)
{
	while (s.n > 0 && memchr(" \t\r", s.p[0], 3) != NULL)
		s.p++, s.n--;
	while (s.n > 0 && memchr(" \t\r", s.p[s.n - 1], 3) != NULL)
		s.n--;
	return s;
}

/* Cut at the first `sep`: the part before is returned, *rest is what follows.
 * Without one the whole is returned and rest->p becomes NULL. */
static struct piece cut(struct piece *rest, char sep)
{
	struct piece head = *rest;
	const char *at = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
	if (at == NULL) {
		*rest = (struct piece){0};
		return head;
	}
	head.n = (size_t)(at - head.p);
	*rest = (struct piece){.p = at + 1, .n = rest->n - head.n - 1};
	return head;
}

static bool piece_num(struct piece s, uint64_t max, uint64_t *ret)
{
	char buf[24];
	if (s.n == 0 || s.n >= sizeof buf)
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	return strlen(buf) == s.n && pst_num_parse(buf, 10, max, ret);
}

struct subid_line {
	struct piece owner;
	struct pst_idspan span;
};

static bool parse_line(struct piece line, struct subid_line *out)
{
	struct piece rest = line;
	uint64_t first, count;
	out->owner = cut(&rest, ':');
	const struct piece a = cut(&rest, ':');
	const struct piece b = cut(&rest, ':');
	if (out->owner.n == 0 || rest.p != NULL || !piece_num(a, UINT32_MAX, &first) ||
	    !piece_num(b, (uint64_t)UINT32_MAX + 1, &count))
		return false;
	if (first + count > (uint64_t)UINT32_MAX + 1)
		count = (uint64_t)UINT32_MAX + 1 - first;
	/* 0:4294967296 is the one span that len cannot say; id 2^32-1 is never given. */
	if (count > UINT32_MAX)
		count = UINT32_MAX;
	out->span = (struct pst_idspan){.first = (uint32_t)first, .len = (uint32_t)count};
	return true;
}

static int bad_line(const char *name, size_t no, const char *what, struct pst_err *err)
{
	pst_fail(err, PST_E_POLICY, "", "%s:%zu: %s", name, no, what);
	pst_err_file(err, name);
	pst_err_cure(err, "correct or remove line %zu of %s (owner:first:count)", no, name);
	return PST_E_POLICY;
}

int pst_subid_parse(const char *text, size_t len, const char *name, struct pst_idspan *own,
		    struct pst_idspans *held, struct pst_err *err)
{
	struct pst_idspan ours = {0};
	struct piece rest = {.p = text, .n = len};
	bool seen = false;
	for (size_t no = 1; rest.p != NULL && rest.n > 0; no++) {
		const struct piece line = trim(cut(&rest, '\n'));
		struct subid_line l;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!parse_line(line, &l))
			return bad_line(name, no, "not of the form owner:first:count", err);
		if (l.owner.n != strlen(PST_SUBID_OWNER) ||
		    memcmp(l.owner.p, PST_SUBID_OWNER, l.owner.n) != 0) {
			const int rc = pst_idspans_add(held, l.span, err);
			if (rc != PST_OK)
				return rc;
			continue;
		}
		if (seen)
			return bad_line(name, no, "a second line of " PST_SUBID_OWNER, err);
		if (l.span.len == 0)
			return bad_line(name, no, "the pool of " PST_SUBID_OWNER " is empty", err);
		seen = true;
		ours = l.span;
	}
	*own = ours;
	return PST_OK;
}

int pst_subid_pool(struct pst_idspan uid, struct pst_idspan gid, struct pst_idspan fallback,
		   struct pst_idspan *out, struct pst_err *err)
{
	if (uid.len == 0 && gid.len == 0) {
		const int rc = pst_idpool_check(fallback, err);
		if (rc == PST_OK)
			*out = fallback;
		return rc;
	}
	if (uid.first != gid.first || uid.len != gid.len) {
		pst_fail(err, PST_E_POLICY, "",
			 "the " PST_SUBID_OWNER " lines of subuid (%u:%u) and subgid (%u:%u) differ",
			 uid.first, uid.len, gid.first, gid.len);
		pst_err_cure(err, "write the same line " PST_SUBID_OWNER
				  ":first:count into /etc/subuid and /etc/subgid");
		return PST_E_POLICY;
	}
	const int rc = pst_idpool_check(uid, err);
	if (rc != PST_OK) {
		pst_err_prefix(err, "the " PST_SUBID_OWNER " line of subuid and subgid");
		return rc;
	}
	*out = uid;
	return PST_OK;
}

int pst_subid_accounts(const char *text, size_t len, struct pst_idspan pool,
		       struct pst_idspans *held, struct pst_err *err)
{
	struct piece rest = {.p = text, .n = len};
	while (rest.p != NULL && rest.n > 0) {
		struct piece line = cut(&rest, '\n');
		uint64_t id;
		(void)cut(&line, ':'); /* name */
		(void)cut(&line, ':'); /* password */
		if (line.p == NULL || !piece_num(cut(&line, ':'), UINT32_MAX, &id))
			continue;
		const struct pst_idspan one = {.first = (uint32_t)id, .len = 1};
		if (!pst_idspan_overlaps(one, pool))
			continue;
		const int rc = pst_idspans_add(held, one, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

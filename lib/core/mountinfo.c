#include "core/mountinfo.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void pst_mounttab_done(struct pst_mounttab *t)
{
	free(t->v);
	free(t->text);
	*t = (struct pst_mounttab){0};
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void pst_mountinfo_unescape(char *s)
{
	char *w = s;
	for (const char *r = s; *r != '\0'; w++) {
		/* first digit up to 3: a byte */
		if (r[0] == '\\' && r[1] >= '0' && r[1] <= '3' && is_octal(r[2]) && is_octal(r[3])) {
			*w = (char)((r[1] - '0') << 6 | (r[2] - '0') << 3 | (r[3] - '0'));
			r += 4;
		} else {
			*w = *r++;
		}
	}
	*w = '\0';
}

/* Cut the next field off. Fields are parted by exactly one space: an empty
 * source is an empty field. NULL when the line is used up. */
static char *next_field(char **line)
{
	char *field = *line;
	if (field == NULL)
		return NULL;
	char *space = strchr(field, ' ');
	if (space != NULL)
		*space++ = '\0';
	*line = space;
	return field;
}

static bool has_word(const char *list, const char *word)
{
	const size_t n = strlen(word);
	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	}
	return false;
}

static bool parse_dev(char *field, struct pst_mountinfo *m)
{
	uint64_t major, minor;
	char *colon = strchr(field, ':');
	if (colon == NULL)
		return false;
	*colon = '\0';
	if (!pst_num_parse(field, 10, UINT32_MAX, &major) ||
	    !pst_num_parse(colon + 1, 10, UINT32_MAX, &minor))
		return false;
	m->major = (uint32_t)major;
	m->minor = (uint32_t)minor;
	return true;
}

/* The optional fields up to the lone "-"; false if that is missing. */
static bool parse_optional(char **line, struct pst_mountinfo *m)
{
	for (char *f; (f = next_field(line)) != NULL;) {
		if (pst_streq(f, "-"))
			return true;
		m->shared |= pst_starts(f, "shared:");
		m->slave |= pst_starts(f, "master:");
	}
	return false;
}

static bool parse_line(char *line, struct pst_mountinfo *m)
{
	char *id = next_field(&line);
	char *parent = next_field(&line);
	char *dev = next_field(&line);
	char *root = next_field(&line);
	char *point = next_field(&line);
	char *opts = next_field(&line);
	if (opts == NULL || !pst_num_parse(id, 10, UINT64_MAX, &m->id) ||
	    !pst_num_parse(parent, 10, UINT64_MAX, &m->parent) || !parse_dev(dev, m) ||
	    !parse_optional(&line, m))
		return false;

	char *fstype = next_field(&line);
	char *source = next_field(&line);
	if (source == NULL || line == NULL)
		return false;
	pst_mountinfo_unescape(root);
	pst_mountinfo_unescape(point);
	pst_mountinfo_unescape(fstype);
	pst_mountinfo_unescape(source);
	m->root = root;
	m->point = point;
	m->opts = opts;
	m->fstype = fstype;
	m->source = source;
	m->super = line;
	m->readonly = has_word(opts, "ro") || has_word(line, "ro");
	return true;
}

bool pst_mountinfo_has(const struct pst_mountinfo *m, const char *option)
{
	return has_word(m->opts, option);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = len > 0 && text[len - 1] != '\n';
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

int pst_mountinfo_parse(const char *text, size_t len, struct pst_mounttab *ret, struct pst_err *err)
{
	struct pst_mounttab PST_CLEANUP(pst_mounttab_done) t = {0};
	const size_t n = count_lines(text, len);
	t.text = malloc(len + 1);
	t.v = calloc(n + 1, sizeof *t.v);
	if (t.text == NULL || t.v == NULL)
		return pst_fail_nomem(err);
	memcpy(t.text, text, len);
	t.text[len] = '\0';

	char *line = t.text;
	while (t.n < n) {
		char *end = line + strcspn(line, "\n");
		char *next = *end == '\0' ? end : end + 1;
		*end = '\0';
		if (!parse_line(line, &t.v[t.n]))
			return pst_fail(err, PST_E_HOST, "", "line %zu of the mount table cannot be read",
					t.n + 1);
		t.n++;
		line = next;
	}
	*ret = t;
	t = (struct pst_mounttab){0};
	return PST_OK;
}

static bool has_id(const struct pst_mounttab *t, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].id == id)
			return true;
	return false;
}

/* Is `m` mounted on `on`? NULL stands for what is outside the table, where the
 * process's root mount hangs; a root mount may also be its own parent. */
static bool hangs_on(const struct pst_mounttab *t, const struct pst_mountinfo *m,
		     const struct pst_mountinfo *on)
{
	if (on != NULL)
		return m->parent == on->id && m->id != on->id;
	return m->parent == m->id || !has_id(t, m->parent);
}

/* Walk down as a lookup does: from a mount, the first mount point met on the way
 * is the shortest one, and what is mounted there is entered. */
const struct pst_mountinfo *pst_mountinfo_of(const struct pst_mounttab *t, const char *path)
{
	const struct pst_mountinfo *cur = NULL;
	for (size_t depth = 0; depth <= t->n; depth++) {
		const struct pst_mountinfo *best = NULL;
		for (size_t i = 0; i < t->n; i++) {
			const struct pst_mountinfo *m = &t->v[i];
			if (pst_path_under(path, m->point) && hangs_on(t, m, cur) &&
			    (best == NULL || strlen(m->point) < strlen(best->point)))
				best = m;
		}
		if (best == NULL)
			return cur;
		cur = best;
	}
	return cur;
}

const struct pst_mountinfo *pst_mountinfo_at(const struct pst_mounttab *t, const char *path)
{
	const struct pst_mountinfo *m = pst_mountinfo_of(t, path);
	return m != NULL && pst_streq(m->point, path) ? m : NULL;
}

bool pst_mountinfo_below(const struct pst_mounttab *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (pst_path_under(t->v[i].point, path) && !pst_streq(t->v[i].point, path))
			return true;
	return false;
}

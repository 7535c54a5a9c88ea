/* The rules of c/KEY/denials.rules: mapped, so that their text is no memory of ours. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper.h"

static const char *field_end(const char *f)
{
	return f + strcspn(f, "\t\n");
}

void field_text(const char *field, struct pst_buf *out)
{
	pst_buf_add(out, field, (size_t)(field_end(field) - field));
}

static bool field_is(const char *field, const char *word)
{
	const size_t n = strlen(word);
	return strncmp(field, word, n) == 0 && field_end(field) == field + n;
}

/* The next field of the line, or an empty one at its end. */
static const char *next_field(const char *f)
{
	const char *end = field_end(f);
	return *end == '\t' ? end + 1 : end;
}

static bool map(struct rules *r, int dfd)
{
	struct stat st;
	pst_auto_fd fd = openat(dfd, "denials.rules", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    st.st_size > INT32_MAX / 2)
		return false;
	/* One byte more than the file where it fills its last page: the NUL behind it. */
	const size_t len = (size_t)st.st_size;
	char *area = mmap(NULL, len + 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return false;
	r->text = mmap(area, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	return r->text != MAP_FAILED;
}

static bool parse_box(const char *args, struct pst_box *b)
{
	*b = (struct pst_box){0};
	for (const char *p = args;; p++) {
		char *end;
		const unsigned long i = strtoul(p, &end, 10);
		if (i >= PST_NARGS || *end != ':')
			return false;
		b->arg[i].mask = strtoull(end + 1, &end, 16);
		if (*end != ':')
			return false;
		b->arg[i].value = strtoull(end + 1, &end, 16);
		p = end;
		if (*p != ',')
			return p == field_end(args);
	}
}

static void *grow(void *v, size_t n, size_t size)
{
	/* By powers of two: the tables are read once and small. */
	return (n & (n - 1)) != 0 ? v : reallocarray(v, n == 0 ? 1 : n * 2, size);
}

static bool add_rule(struct rules *r, const char *line, bool pass)
{
	struct rule e = {.pass = pass, .box = UINT32_MAX};
	const char *f = next_field(line);
	const unsigned long nr = strtoul(f, NULL, 10);
	e.name = next_field(f);
	e.args = next_field(e.name);
	f = next_field(e.args);
	e.error = (uint16_t)strtoul(f, NULL, 10);
	e.who = next_field(f);
	e.why = next_field(e.who);
	if (nr >= KEEPER_CALLS || r->n == UINT16_MAX)
		return false;
	if (!field_is(e.args, "-")) {
		struct pst_box *boxes = grow(r->boxes, r->nboxes, sizeof *boxes);
		if (boxes == NULL || !parse_box(e.args, &boxes[r->nboxes]))
			return false;
		r->boxes = boxes;
		e.box = (uint32_t)r->nboxes++;
	}
	struct rule *v = grow(r->v, r->n, sizeof *v);
	if (v == NULL)
		return false;
	r->v = v;
	uint16_t *at = &r->first[nr];
	while (*at != 0)
		at = &v[*at].next;
	*at = (uint16_t)r->n;
	v[r->n++] = e;
	return true;
}

static void header(struct rules *r, const char *line)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"id", &r->id}, {"profile", &r->profile}, {"pod", &r->pod},
		{"namespace", &r->namespace_}, {"container", &r->container},
		{"message", &r->message}, {"log", &r->log},
	};
	const char *value = next_field(line);
	for (size_t i = 0; i < PST_NELEM(texts); i++)
		if (field_is(line, texts[i].key))
			*texts[i].to = value;
	if (field_is(line, "rate"))
		r->rate = (unsigned)strtoul(value, NULL, 10);
	if (field_is(line, "default"))
		r->def = (unsigned)strtoul(value, NULL, 10);
}

bool rules_read(struct rules *r, int dfd)
{
	*r = (struct rules){.rate = 100, .def = 1};
	if (!map(r, dfd))
		return false;
	r->v = calloc(1, sizeof *r->v);
	if (r->v == NULL)
		return false;
	r->n = 1;
	for (const char *line = r->text; *line != '\0';) {
		const bool pass = field_is(line, "pass");
		if (!pass && !field_is(line, "deny"))
			header(r, line);
		else if (!add_rule(r, line, pass))
			return false;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return r->id != NULL;
}

const struct rule *rules_find(const struct rules *r, const struct seccomp_data *d, bool *pass)
{
	uint64_t args[PST_NARGS];
	const struct rule *found = NULL;
	const uint32_t nr = (uint32_t)d->nr;
	*pass = false;
	for (size_t i = 0; i < PST_NARGS; i++)
		args[i] = d->args[i];
	for (uint16_t at = nr < KEEPER_CALLS ? r->first[nr] : 0; at != 0; at = r->v[at].next) {
		const struct rule *e = &r->v[at];
		if (e->box != UINT32_MAX && !pst_box_holds(&r->boxes[e->box], args))
			continue;
		if (e->pass)
			*pass = true;
		else if (found == NULL)
			found = e;
	}
	return found;
}

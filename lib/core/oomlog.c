#include "core/oomlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* One line of the log, without its marks. */
struct line {
	const char *s;
	size_t len;
	const char *next;
};

/* "<6>[  601.563125] text": the level says who wrote it, the time is passed over. */
static struct line line_at(const char *p)
{
	const size_t len = strcspn(p, "\n");
	struct line l = {.s = p, .len = len, .next = p[len] == '\n' ? p + len + 1 : p + len};
	const char *end = p + len;
	char *rest;
	if (*p != '<' || strtoul(p + 1, &rest, 10) > 7 || *rest != '>') {
		l.len = 0; /* of user space, or no whole line */
		return l;
	}
	l.s = rest + 1;
	if (*l.s == '[') {
		const char *close = memchr(l.s, ']', (size_t)(end - l.s));
		const bool time = close != NULL && strspn(l.s + 1, " 0123456789.") == (size_t)(close - l.s - 1) &&
				  memchr(l.s, '.', (size_t)(close - l.s)) != NULL;
		if (time)
			l.s = close[1] == ' ' ? close + 2 : close + 1;
	}
	l.len = (size_t)(end - l.s);
	return l;
}

static bool copy(const struct line *l, char *out, size_t size)
{
	if (l->len >= size)
		return false;
	memcpy(out, l->s, l->len);
	out[l->len] = '\0';
	return true;
}

static void set_name(struct pst_oom_task *t, const char *s, size_t len)
{
	snprintf(t->name, sizeof t->name, "%.*s", (int)(len < sizeof t->name ? len : sizeof t->name - 1), s);
}

/* "task=NAME,pid=N,uid=N" at the end: read from there, for the name may hold anything. */
static bool read_task(char *text, struct pst_oom_task *t)
{
	char *uid = strrchr(text, ',');
	if (uid == NULL || !pst_starts(uid, ",uid="))
		return false;
	*uid = '\0';
	char *pid = strrchr(text, ',');
	if (pid == NULL || !pst_starts(pid, ",pid=") || !pst_num_parse(pid + 5, 10, INT32_MAX, &t->pid))
		return false;
	*pid = '\0';
	const char *name = strstr(text, ",task=");
	if (name == NULL)
		return false;
	set_name(t, name + 6, strlen(name + 6));
	return true;
}

/* The text between `from` and `to`; "" if it is not there. Paths hold commas at their
 * own risk: a path cut short is not ours, and the kill is then not told with a name. */
static void between(const char *text, const char *from, const char *to, char *out, size_t size)
{
	const char *a = strstr(text, from);
	const char *b = a == NULL ? NULL : strstr(a + strlen(from), to);
	out[0] = '\0';
	if (b == NULL || (size_t)(b - a) - strlen(from) >= size)
		return;
	snprintf(out, size, "%.*s", (int)((size_t)(b - a) - strlen(from)), a + strlen(from));
}

/* "oom-kill:..." of our cgroup? */
static bool read_kill(const struct line *l, const char *path, struct pst_oom_report *r)
{
	char text[1024], task[512];
	if (!copy(l, text, sizeof text) || !pst_starts(text, "oom-kill:constraint="))
		return false;
	between(text, ",task_memcg=", ",task=", task, sizeof task);
	if (task[0] == '\0' || !pst_path_under(task, path))
		return false;
	r->node = strstr(text, ",global_oom,") != NULL;
	between(text, ",oom_memcg=", ",task_memcg=", r->of, sizeof r->of);
	return read_task(text, &r->victim);
}

/* "[  21771]  0 21771 18789 18015 ... 0 python3" with `columns` of them. */
static void read_row(const struct line *l, unsigned columns, size_t page, struct pst_oom_task *best)
{
	char text[256];
	uint64_t v[16];
	if (!copy(l, text, sizeof text) || text[0] != '[' || columns < 6 || columns > PST_NELEM(v))
		return;
	char *p = text + 1;
	for (unsigned i = 0; i + 1 < columns; i++) {
		char *end;
		p += strspn(p, " ]");
		const bool minus = *p == '-'; /* oom_score_adj */
		if ((*p < '0' || *p > '9') && !minus)
			return;
		v[i] = strtoull(p + minus, &end, 10);
		p = end;
	}
	if (*p != ' ' || v[4] > UINT64_MAX / page || v[4] * page <= best->bytes)
		return;
	best->pid = v[0];
	best->bytes = v[4] * page;
	set_name(best, p + 1, strlen(p + 1));
}

static unsigned count_words(const char *s)
{
	unsigned n = 0;
	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		n++;
		s += strcspn(s, " ");
	}
	return n;
}

/* "...: Killed process 21771 (python3) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:1kB, ..." */
static void read_killed(const struct line *l, struct pst_oom_task *t)
{
	char text[512];
	uint64_t pid, vm, anon, file, shmem;
	const char *at = copy(l, text, sizeof text) ? strstr(text, ": Killed process ") : NULL;
	const char *rest = at == NULL ? NULL : strrchr(at, ')');
	if (rest == NULL || sscanf(at, ": Killed process %" SCNu64 " (", &pid) != 1 || pid != t->pid ||
	    sscanf(rest, ") total-vm:%" SCNu64 "kB, anon-rss:%" SCNu64 "kB, file-rss:%" SCNu64
			 "kB, shmem-rss:%" SCNu64 "kB", &vm, &anon, &file, &shmem) != 4)
		return;
	t->bytes = (anon + file + shmem) * 1024;
}

bool pst_oomlog_find(const char *text, const char *path, size_t page, struct pst_oom_report *ret)
{
	struct pst_oom_report r = {0};
	bool found = false, ours = false;
	unsigned columns = 0;
	for (struct line l = line_at(text); *text != '\0'; text = l.next, l = line_at(text)) {
		char head[256];
		if (l.len == 0)
			continue;
		if (copy(&l, head, sizeof head) && pst_starts(head, "memory: usage ")) {
			uint64_t kb = 0;
			ours = false;
			r = (struct pst_oom_report){0};
			if (sscanf(head, "memory: usage %*ukB, limit %" SCNu64 "kB", &kb) == 1)
				r.limit = kb * 1024;
		} else if (pst_starts(l.s, "[  pid  ]")) {
			ours = false;
			r.largest = (struct pst_oom_task){0};
			columns = copy(&l, head, sizeof head) ? count_words(strchr(head, ']') + 1) + 1 : 0;
		} else if (l.s[0] == '[') {
			read_row(&l, columns, page, &r.largest);
		} else if (read_kill(&l, path, &r)) {
			ours = found = true;
			*ret = r;
			if (r.node)
				ret->limit = 0;
			r = (struct pst_oom_report){0};
		} else if (pst_starts(l.s, "oom-kill:")) {
			ours = false;
			r = (struct pst_oom_report){0};
		} else if (ours) {
			read_killed(&l, &ret->victim);
		}
	}
	return found;
}

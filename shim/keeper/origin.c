/*
 * Where a call was made: the file, the offset in it, the function that is there.
 *
 * The function's name comes from the process's memory, where the file is mapped: no file of
 * the container's is opened. Files of programs have few places that make a denied call, so
 * what was found is kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "core/elfsym.h"
#include "keeper.h"

#define KEPT 16

/* A line of proc_pid_maps(5). */
struct mapping {
	uint64_t from, to, off, ino;
	unsigned major, minor;
	char name[512];
};

static struct place {
	uint64_t ino, off;
	unsigned major, minor;
	char symbol[sizeof((struct who *)NULL)->symbol];
} kept[KEPT];
static size_t next_place;

static bool read_memory(void *ctx, uint64_t at, void *buf, size_t n)
{
	const struct iovec to = {.iov_base = buf, .iov_len = n};
	const struct iovec from = {.iov_base = (void *)(uintptr_t)at, .iov_len = n};
	return process_vm_readv(*(pid_t *)ctx, &to, 1, &from, 1, 0) == (ssize_t)n;
}

static bool same_file(const struct mapping *a, const struct mapping *b)
{
	return a->ino == b->ino && a->major == b->major && a->minor == b->minor;
}

/* `head` is where the file's first byte is mapped. */
static void find_symbol(pid_t pid, uint64_t ip, const struct mapping *m, const struct mapping *head,
			char *out, size_t size)
{
	char name[PST_ELFSYM_NAME];
	uint64_t in;
	const uint64_t off = ip - m->from + m->off;
	for (size_t i = 0; i < KEPT; i++) {
		const struct place *p = &kept[i];
		if (p->ino == m->ino && p->off == off && p->major == m->major && p->minor == m->minor) {
			snprintf(out, size, "%s", p->symbol);
			return;
		}
	}
	struct place *p = &kept[next_place++ % KEPT];
	*p = (struct place){.ino = m->ino, .off = off, .major = m->major, .minor = m->minor};
	if (pst_elfsym_find(read_memory, &pid, head->from, ip, name, &in))
		snprintf(p->symbol, sizeof p->symbol, "%s+0x%" PRIx64, name, in);
	snprintf(out, size, "%s", p->symbol);
}

/* "START-END perms OFFSET MAJOR:MINOR INODE PATH"; false: it is none. */
static bool parse(const char *line, struct mapping *m)
{
	m->name[0] = '\0';
	return sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %511[^\n]", &m->from,
		      &m->to, &m->off, &m->major, &m->minor, &m->ino, m->name) >= 6;
}

void find_origin(pid_t pid, uint64_t ip, struct who *w)
{
	char path[64], esc[224];
	char *line = NULL;
	size_t space = 0;
	struct mapping m, head = {0};
	w->origin[0] = w->symbol[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return;
	while (getline(&line, &space, f) > 0) {
		if (!parse(line, &m))
			continue;
		if (m.off == 0)
			head = m;
		if (ip < m.from || ip >= m.to)
			continue;
		put_text(esc, sizeof esc, m.name[0] != '\0' ? m.name : "memory without a file");
		snprintf(w->origin, sizeof w->origin, "%s+0x%" PRIx64, esc, ip - m.from + m.off);
		if (m.ino != 0 && same_file(&m, &head))
			find_symbol(pid, ip, &m, &head, w->symbol, sizeof w->symbol);
		break;
	}
	free(line);
	(void)fclose(f);
}

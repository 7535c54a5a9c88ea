#include "host/livemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

/* user_namespaces(7): at most 340 lines of three 10-digit columns. */
#define MAP_MAX ((size_t)340 * 36 + 1)
#define NSTEXT 32 /* "user:[4026531837]" */

struct scan {
	struct pst_idset *set;
	int proc;          /* /proc */
	char host[NSTEXT]; /* our own user namespace: whoever is in it holds nothing */
	struct pst_buf seen; /* NSTEXT bytes for each namespace read already */
};

/* Three columns to a line; anything else is the kernel's to explain. */
static int add_lines(char *text, const char *path, struct pst_idset *set, struct pst_err *err)
{
	char *save = text;
	for (char *line; (line = strsep(&save, "\n")) != NULL;) {
		unsigned long inside, outside, count;
		char over;
		if (line[0] == '\0')
			continue;
		if (sscanf(line, "%lu %lu %lu %c", &inside, &outside, &count, &over) != 3 ||
		    outside > UINT32_MAX || count > UINT32_MAX)
			return pst_fail(err, PST_E_HOST, "", "/proc/%s has a line of another form",
					path);
		if (inside == outside)
			continue;
		pst_idset_add(set, (struct pst_idspan){.first = (uint32_t)outside,
						       .len = (uint32_t)count});
	}
	return PST_OK;
}

/* EINVAL: what opening a map says when the process ended after its name was
 * looked up (fs/proc/base.c, proc_id_map_open). */
static bool gone(int e)
{
	return e == ENOENT || e == ESRCH || e == EINVAL;
}

static int add_map(struct scan *s, const char *pid, const char *file, struct pst_err *err)
{
	char path[64], text[MAP_MAX];
	snprintf(path, sizeof path, "%s/%s", pid, file);
	if (pst_io_read_small(s->proc, path, text, sizeof text) >= 0)
		return add_lines(text, path, s->set, err);
	return gone(errno) ? PST_OK : pst_fail_sys(err, "cannot read /proc/%s", path);
}

/* Name of the process's user namespace: its length, 0 if the process is gone
 * or the kernel does not tell (then its maps are read all the same). */
static size_t ns_name(int proc, const char *pid, char out[NSTEXT])
{
	char path[64];
	snprintf(path, sizeof path, "%s/ns/user", pid);
	memset(out, 0, NSTEXT);
	const ssize_t n = pst_host->readlinkat(proc, path, out, NSTEXT - 1);
	return n < 0 ? 0 : (size_t)n;
}

static bool seen_before(const struct scan *s, const char ns[NSTEXT])
{
	/* Latest first: processes of one container have neighbouring pids. */
	for (size_t at = s->seen.len; at > 0; at -= NSTEXT)
		if (memcmp(s->seen.data + at - NSTEXT, ns, NSTEXT) == 0)
			return true;
	return false;
}

static int visit(void *arg, const char *name, struct pst_err *err)
{
	struct scan *s = arg;
	char ns[NSTEXT];
	if (name[0] < '1' || name[0] > '9')
		return PST_OK;
	if (ns_name(s->proc, name, ns) != 0) {
		if (memcmp(ns, s->host, NSTEXT) == 0 || seen_before(s, ns))
			return PST_OK;
		pst_buf_add(&s->seen, ns, NSTEXT);
		if (!pst_buf_ok(&s->seen))
			return pst_fail_nomem(err);
	} else if (gone(errno)) {
		return PST_OK;
	}
	const int rc = add_map(s, name, "uid_map", err);
	return rc != PST_OK ? rc : add_map(s, name, "gid_map", err);
}

int pst_livemap_scan(struct pst_idset *set, struct pst_err *err)
{
	pst_auto_fd proc = pst_host->openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (proc < 0)
		return pst_fail_sys(err, "cannot open /proc");
	struct pst_idset found = {0};
	struct scan s = {.set = &found, .proc = proc};
	(void)ns_name(proc, "self", s.host);
	const int rc = pst_dirents_each(proc, visit, &s, err);
	pst_buf_done(&s.seen);
	if (rc == PST_OK)
		pst_idset_merge(set, &found);
	return rc;
}

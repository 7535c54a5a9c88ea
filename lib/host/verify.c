#include "host/verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "host/io.h"
#include "host/scload.h"

static int mismatch(struct pst_err *err, pid_t pid, const char *what, const char *found)
{
	pst_fail(err, PST_E_STATE, "", "the container's init (pid %ld) is not as planned: %s, but found %s",
		 (long)pid, what, found);
	return pst_err_cure(err, "the container was not started; run `postern doctor` and report this");
}

static int read_proc(pid_t pid, const char *name, char *buf, size_t size, struct pst_err *err)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return pst_io_read_small(AT_FDCWD, path, buf, size) < 0
		       ? pst_fail_sys(err, "cannot read %s", path)
		       : PST_OK;
}

/* Exactly the lines planned, in rising order as the kernel prints them. */
static bool map_is(const char *map, const struct pst_expect *e)
{
	for (size_t i = 0; i <= e->high.n; i++) {
		const struct pst_idextra block = {.host = e->base, .count = PST_BLOCK_SIZE};
		const struct pst_idextra *want = i == 0 ? &block : &e->high.v[i - 1];
		unsigned long inside, outside, count;
		int used = 0;
		if (sscanf(map, "%lu %lu %lu %n", &inside, &outside, &count, &used) != 3 ||
		    inside != want->container || outside != want->host || count != want->count)
			return false;
		map += used;
	}
	return *map == '\0';
}

static int check_map(pid_t pid, const char *name, const struct pst_expect *e, struct pst_err *err)
{
	char map[2048], what[96];
	unsigned long inside, outside, count;
	const int rc = read_proc(pid, name, map, sizeof map, err);
	if (rc != PST_OK)
		return rc;
	if (e->maps && !map_is(map, e)) {
		snprintf(what, sizeof what, "%s should be 0 %u %u and %zu single ids", name, e->base,
			 PST_BLOCK_SIZE, e->high.n);
		map[strcspn(map, "\n")] = '\0';
		return mismatch(err, pid, what, map);
	}
	for (const char *line = map; e->not_host_root && *line != '\0';) {
		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 && outside == 0 &&
		    count > 0)
			return mismatch(err, pid, "no id of it should be host root", line);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return PST_OK;
}

/* Value of "Name:\tvalue" in the text of /proc/PID/status. */
static bool status_field(const char *text, const char *name, int base, unsigned long long *ret)
{
	const size_t n = strlen(name);
	for (const char *p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, n) == 0 && p[n] == ':') {
			char *end;
			*ret = strtoull(p + n + 1, &end, base);
			return end != p + n + 1;
		}
	}
	return false;
}

static int check_status(pid_t pid, const struct pst_expect *e, struct pst_err *err)
{
	char text[8192], found[64];
	unsigned long long bnd, nnp, mode;
	const int rc = read_proc(pid, "status", text, sizeof text, err);
	if (rc != PST_OK)
		return rc;
	if (!status_field(text, "CapBnd", 16, &bnd) || !status_field(text, "NoNewPrivs", 10, &nnp) ||
	    !status_field(text, "Seccomp", 10, &mode))
		return mismatch(err, pid, "its status should have CapBnd, NoNewPrivs and Seccomp",
				"a status without them");
	if ((bnd & ~e->bounding) != 0) {
		char what[96];
		snprintf(what, sizeof what, "CapBnd should be within %016llx",
			 (unsigned long long)e->bounding);
		snprintf(found, sizeof found, "%016llx", bnd);
		return mismatch(err, pid, what, found);
	}
	if (e->no_new_privs && nnp != 1)
		return mismatch(err, pid, "NoNewPrivs should be 1", "0");
	if (e->seccomp && mode != 2) {
		snprintf(found, sizeof found, "mode %llu", mode);
		return mismatch(err, pid, "a syscall filter should be loaded (Seccomp: 2)", found);
	}
	return PST_OK;
}

int pst_verify_ids(pid_t pid, const struct pst_plan *p, struct pst_err *err)
{
	const int rc = check_map(pid, "uid_map", &p->expect, err);
	return rc == PST_OK ? check_map(pid, "gid_map", &p->expect, err) : rc;
}

int pst_verify(pid_t pid, const struct pst_plan *p, struct pst_err *err)
{
	const struct pst_expect *e = &p->expect;
	int rc = pst_verify_ids(pid, p, err);
	if (rc == PST_OK)
		rc = check_status(pid, e, err);
	if (rc != PST_OK || !e->seccomp)
		return rc;
	struct pst_err why = {0};
	rc = pst_scload_verify(pid, p->filter, &why);
	/* A kernel that does not show filters leaves the mode, checked above. */
	if (rc != PST_OK && pst_scload_unreadable(&why))
		return PST_OK;
	if (rc != PST_OK && err != NULL)
		*err = why;
	return rc;
}

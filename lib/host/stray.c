#include "host/stray.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/mounttab.h"

#define ROUNDS 500 /* of 10 ms */

static bool in_block(const char *pid, uint32_t base)
{
	char path[64], map[2048];
	unsigned long inside, outside, count;
	snprintf(path, sizeof path, "/proc/%s/uid_map", pid);
	return pst_io_read_small(AT_FDCWD, path, map, sizeof map) > 0 &&
	       sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == base && count == 65536;
}

static bool is_zombie(const char *pid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	if (pst_io_read_small(AT_FDCWD, path, text, sizeof text) <= 0)
		return true;
	const char *p = strrchr(text, ')');
	return p != NULL && (p[2] == 'Z' || p[2] == 'X');
}

/* Signal all of the block; how many are still running. */
static int kill_round(uint32_t base, size_t *left, struct pst_err *err)
{
	pst_auto_dirnames l = {0};
	pst_auto_fd proc = pst_host->openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (proc < 0)
		return pst_fail_sys(err, "cannot open /proc");
	const int rc = pst_dirnames_read(proc, &l, err);
	*left = 0;
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		uint64_t pid;
		if (!pst_num_parse(l.v[i], 10, INT32_MAX, &pid) || !in_block(l.v[i], base) ||
		    is_zombie(l.v[i]))
			continue;
		++*left;
		(void)pst_host->kill((pid_t)pid, SIGKILL);
	}
	return rc;
}

int pst_stray_kill(uint32_t base, struct pst_err *err)
{
	size_t left = 1;
	for (int i = 0; i < ROUNDS && left > 0; i++) {
		if (i > 0)
			(void)pst_host->poll(NULL, 0, 10);
		const int rc = kill_round(base, &left, err);
		if (rc != PST_OK)
			return rc;
	}
	return left == 0 ? PST_OK
			 : pst_fail(err, PST_E_STATE, "", "%zu processes of id block %u do not die", left,
				    base);
}

static void kill_members(const char *dir)
{
	char path[600], text[4096];
	snprintf(path, sizeof path, "%s/cgroup.procs", dir);
	if (pst_io_read_small(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		char num[24];
		uint64_t pid;
		snprintf(num, sizeof num, "%.*s", (int)strcspn(p, "\n"), p);
		if (pst_num_parse(num, 10, INT32_MAX, &pid) && pid > 1)
			(void)pst_host->kill((pid_t)pid, SIGKILL);
	}
}

static int remove_cgroup(const char *dir, struct pst_err *err)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (pst_host->unlinkat(AT_FDCWD, dir, AT_REMOVEDIR) == 0 || errno == ENOENT ||
		    errno == ENOTDIR)
			return PST_OK;
		if (errno != EBUSY)
			return pst_fail_sys(err, "cannot remove the cgroup %s", dir);
		kill_members(dir);
		(void)pst_host->poll(NULL, 0, 10);
	}
	return pst_fail(err, PST_E_HOST, "", "the cgroup %s stays busy", dir);
}

/* "N:controllers:PATH" of /proc/self/cgroup whose controllers are `subsys`
 * ("" is the unified hierarchy). */
static const char *own_cgroup(const char *text, const char *subsys, char *buf, size_t size)
{
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *c = strchr(p, ':');
		const char *path = c == NULL ? NULL : strchr(c + 1, ':');
		if (path == NULL)
			break;
		if ((size_t)(path - c - 1) == strlen(subsys) &&
		    strncmp(c + 1, subsys, strlen(subsys)) == 0) {
			snprintf(buf, size, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
			return buf;
		}
	}
	return "/";
}

static int one_hierarchy(const struct pst_mountinfo *m, const char *own, const char *path,
			 struct pst_err *err)
{
	char dir[700], sub[300];
	const char *last = strrchr(m->point, '/');
	const char *parent = path[0] == '/'
				     ? "/"
				     : own_cgroup(own, strcmp(m->fstype, "cgroup2") == 0 ? "" : last + 1,
						  sub, sizeof sub);
	snprintf(dir, sizeof dir, "%s/%s/%s", m->point, parent, path);
	int rc = remove_cgroup(dir, err);
	if (rc == PST_OK && strcmp(parent, "/") != 0) {
		snprintf(dir, sizeof dir, "%s/%s", m->point, path);
		rc = remove_cgroup(dir, err);
	}
	return rc;
}

int pst_stray_cgroups(const char *cgroups_path, const char *id, struct pst_err *err)
{
	const char *path = cgroups_path == NULL || *cgroups_path == '\0' ? id : cgroups_path;
	if (strchr(path, ':') != NULL || pst_path_has_dotdot(path))
		return PST_OK;
	char own[4096];
	pst_auto_mounttab tab = {0};
	if (pst_io_read_small(AT_FDCWD, "/proc/self/cgroup", own, sizeof own) < 0)
		return pst_fail_sys(err, "cannot read /proc/self/cgroup");
	int rc = pst_mounttab_read(&tab, err);
	for (size_t i = 0; rc == PST_OK && i < tab.n; i++)
		if (strcmp(tab.v[i].fstype, "cgroup") == 0 || strcmp(tab.v[i].fstype, "cgroup2") == 0)
			rc = one_hierarchy(&tab.v[i], own, path, err);
	return rc;
}

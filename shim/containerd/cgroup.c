#include "containerd/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define DEEPEST 16

int pst_cgroup_find(pid_t pid, struct pst_cgroup *ret, struct pst_err *err)
{
	char text[8192];
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/cgroup", (int)pid);
	pst_auto_fd fd = open(name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return pst_fail_sys(err, "cannot read %s", name);
	text[n] = '\0';
	return pst_cgroup_parse(text, access(PST_CGROUP_ROOT "/cgroup.controllers", F_OK) == 0, ret, err);
}

/* Where the processes are counted: any hierarchy will do. */
static const char *any_dir(const struct pst_cgroup *cg)
{
	static const enum pst_cgroup_kind order[] = {PST_CGROUP_PIDS, PST_CGROUP_MEMORY,
						     PST_CGROUP_CPU, PST_CGROUP_BLKIO};
	for (size_t i = 0; i < PST_NELEM(order); i++)
		if (pst_cgroup_dir(cg, order[i]) != NULL)
			return pst_cgroup_dir(cg, order[i]);
	return NULL;
}

bool pst_cgroup_exists(const struct pst_cgroup *cg)
{
	const char *dir = any_dir(cg);
	return dir != NULL && access(dir, F_OK) == 0;
}

struct list {
	pid_t *v;
	size_t n, space;
};

static int add(struct list *l, pid_t pid, struct pst_err *err)
{
	if (l->n == l->space) {
		const size_t space = l->space == 0 ? 64 : l->space * 2;
		pid_t *v = reallocarray(l->v, space, sizeof *v);
		if (v == NULL)
			return pst_fail_nomem(err);
		l->v = v;
		l->space = space;
	}
	l->v[l->n++] = pid;
	return PST_OK;
}

static int read_procs(int dir, struct list *l, struct pst_err *err)
{
	char piece[4096];
	pst_auto_fd fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	pid_t pid = 0;
	int rc = PST_OK;
	while (fd >= 0 && rc == PST_OK && (n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; rc == PST_OK && i < n; i++) {
			if (piece[i] >= '0' && piece[i] <= '9') {
				pid = pid * 10 + piece[i] - '0';
				continue;
			}
			if (pid > 0)
				rc = add(l, pid, err);
			pid = 0;
		}
	return rc;
}

static int walk(int dir, struct list *l, unsigned depth, struct pst_err *err)
{
	int rc = read_procs(dir, l, err);
	DIR *d = rc == PST_OK && depth < DEEPEST ? fdopendir(dir) : NULL;
	if (d == NULL) {
		pst_fd_close(dir);
		return rc;
	}
	const struct dirent *e;
	while (rc == PST_OK && (e = readdir(d)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		const int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub >= 0)
			rc = walk(sub, l, depth + 1, err);
	}
	closedir(d);
	return rc;
}

int pst_cgroup_pids(const struct pst_cgroup *cg, pid_t **ret, size_t *n, struct pst_err *err)
{
	struct list l = {0};
	const char *path = any_dir(cg);
	const int dir = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int rc = dir < 0 ? PST_OK : walk(dir, &l, 0, err);
	if (rc != PST_OK) {
		free(l.v);
		return rc;
	}
	*ret = l.v;
	*n = l.n;
	return PST_OK;
}

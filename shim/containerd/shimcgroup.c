#include "containerd/shimcgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define CGROUPS "/sys/fs/cgroup"

/* A new cpuset has neither processors nor memory, and takes nobody in until it has some
 * (cpuset(7)): it gets its parent's. Elsewhere there is no such file. */
static void inherit(const char *dir, const char *name)
{
	char from[700], to[700], text[256];
	snprintf(from, sizeof from, "%s/../%s", dir, name);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	pst_auto_fd in = open(from, O_RDONLY | O_CLOEXEC);
	const ssize_t n = in < 0 ? -1 : read(in, text, sizeof text);
	pst_auto_fd out = n <= 1 ? -1 : open(to, O_WRONLY | O_CLOEXEC);
	if (out >= 0)
		(void)!write(out, text, (size_t)n);
}

static void make(const char *dir)
{
	if (mkdir(dir, 0755) != 0)
		return;
	inherit(dir, "cpuset.cpus");
	inherit(dir, "cpuset.mems");
}

/* mkdir -p of what lies below `root`. */
static void make_parents(char *dir, size_t root)
{
	for (char *p = dir + root + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			make(dir);
			*p = '/';
		}
	make(dir);
}

static int join(const char *root, const char *path, const char *pid, struct pst_err *err)
{
	char dir[640];
	const int n = snprintf(dir, sizeof dir - 16, "%s/%s", root, path + strspn(path, "/"));
	if (n < 0 || n >= (int)sizeof dir - 16)
		return pst_fail(err, PST_E_SPEC, "", "ShimCgroup has too long a name");
	make_parents(dir, strlen(root));
	(void)stpcpy(dir + n, "/cgroup.procs");
	pst_auto_fd fd = open(dir, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pid, strlen(pid)) < 0)
		return pst_fail_sys(err, "cannot put the shim into cgroup %s", dir);
	return PST_OK;
}

int pst_shimcgroup_join(const char *path, pid_t pid, struct pst_err *err)
{
	char text[16];
	snprintf(text, sizeof text, "%d", (int)pid);
	if (strstr(path, "..") != NULL)
		return pst_fail(err, PST_E_SPEC, "", "ShimCgroup must not hold \"..\"");
	if (access(CGROUPS "/cgroup.controllers", F_OK) == 0)
		return join(CGROUPS, path, text, err);
	DIR *d = opendir(CGROUPS);
	if (d == NULL)
		return pst_fail_sys(err, "cannot read " CGROUPS);
	int rc = PST_OK;
	const struct dirent *e;
	while (rc == PST_OK && (e = readdir(d)) != NULL) {
		char root[300];
		/* cpu and cpuacct are links to one hierarchy */
		if (e->d_name[0] == '.' || e->d_type != DT_DIR)
			continue;
		snprintf(root, sizeof root, CGROUPS "/%s", e->d_name);
		rc = join(root, path, text, err);
	}
	closedir(d);
	return rc;
}

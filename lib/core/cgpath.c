#include "core/cgpath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pst_cgroup_names[PST_CGROUP_KINDS] = {"cpu", "cpuacct", "memory", "pids", "blkio"};

/* Does the list "cpu,cpuacct" hold `name`? */
static bool lists(const char *list, const char *name)
{
	const size_t n = strlen(name);
	for (const char *p = list;; p++) {
		const size_t len = strcspn(p, ",");
		if (len == n && memcmp(p, name, n) == 0)
			return true;
		p += len;
		if (*p == '\0')
			return false;
	}
}

static int keep(struct pst_cgroup *cg, enum pst_cgroup_kind kind, const char *top, const char *path,
		struct pst_err *err)
{
	const char *slash = path[0] == '/' ? "" : "/";
	const size_t size = strlen(PST_CGROUP_ROOT) + strlen(top) + strlen(path) + 3;
	cg->path[kind] = malloc(size);
	if (cg->path[kind] == NULL)
		return pst_fail_nomem(err);
	snprintf(cg->path[kind], size, "%s%s%s%s%s", PST_CGROUP_ROOT, top[0] == '\0' ? "" : "/", top,
		 slash, path);
	return PST_OK;
}

static int take_line(struct pst_cgroup *cg, char *line, bool unified, struct pst_err *err)
{
	char *list = strchr(line, ':');
	char *path = list == NULL ? NULL : strchr(list + 1, ':');
	int rc = PST_OK;
	if (path == NULL)
		return PST_OK;
	*list++ = '\0';
	*path++ = '\0';
	if (list[0] == '\0') {
		if (!unified || cg->path[0] != NULL)
			return PST_OK;
		cg->version = 2;
		return keep(cg, PST_CGROUP_CPU, "", path, err);
	}
	/* With version 2 at the root, what version 1 has is mounted who knows where. */
	for (size_t i = 0; rc == PST_OK && !unified && i < PST_CGROUP_KINDS; i++) {
		if (!lists(list, pst_cgroup_names[i]) || cg->path[i] != NULL)
			continue;
		cg->version = 1;
		rc = keep(cg, (enum pst_cgroup_kind)i, pst_cgroup_names[i], path, err);
	}
	return rc;
}

int pst_cgroup_parse(char *text, bool unified, struct pst_cgroup *ret, struct pst_err *err)
{
	struct pst_cgroup cg = {0};
	int rc = PST_OK;
	for (char *l; rc == PST_OK && (l = strsep(&text, "\n")) != NULL;)
		rc = take_line(&cg, l, unified, err);
	if (rc == PST_OK)
		*ret = cg;
	else
		pst_cgroup_done(&cg);
	return rc;
}

void pst_cgroup_done(struct pst_cgroup *cg)
{
	for (size_t i = 0; i < PST_CGROUP_KINDS; i++)
		free(cg->path[i]);
	*cg = (struct pst_cgroup){0};
}

const char *pst_cgroup_dir(const struct pst_cgroup *cg, enum pst_cgroup_kind kind)
{
	return cg->version == 2 ? cg->path[PST_CGROUP_CPU] : cg->path[kind];
}

const char *pst_cgroup_inside(int version, enum pst_cgroup_kind kind, const char *dir)
{
	const size_t top = strlen(PST_CGROUP_ROOT);
	const size_t more = version == 2 ? 0 : strlen(pst_cgroup_names[kind]) + 1;
	return strlen(dir) > top + more ? dir + top + more : "/";
}

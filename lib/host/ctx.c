#include "host/ctx.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/ctrid.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/policyload.h"
#include "host/runtime.h"

char *pst_ctx_canonical(const char *path)
{
	char link[64], real[PATH_MAX];
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	if (fd >= 0) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		const ssize_t n = pst_host->readlinkat(AT_FDCWD, link, real, sizeof real - 1);
		if (n > 0 && real[0] == '/') {
			real[n] = '\0';
			return strdup(real);
		}
	}
	if (path[0] == '/')
		return pst_path_clean(path);
	const ssize_t n = pst_host->readlinkat(AT_FDCWD, "/proc/self/cwd", real, sizeof real - 1);
	if (n <= 0)
		return NULL;
	pst_auto_buf b = {0};
	pst_buf_add(&b, real, (size_t)n);
	pst_buf_char(&b, '/');
	pst_buf_str(&b, path);
	return pst_buf_ok(&b) ? pst_path_clean(pst_buf_cstr(&b)) : NULL;
}

/* Root that can give ids away maps the whole id space of the host. */
static bool is_full_root(void)
{
	char map[256];
	unsigned long inside, outside, count;
	if (geteuid() != 0 || pst_io_read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) < 0)
		return false;
	return sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count >= UINT32_MAX;
}

/* A policy that asks for nothing: postern is then the runtime and nothing more. */
static bool is_transparent(const struct pst_policy *p)
{
	if (p->ids_mode != PST_IDS_OFF || p->profile_mode != PST_MODE_OFF || p->nnp_force ||
	    (p->cap_ceiling & PST_CAPS_ALL) != PST_CAPS_ALL || p->mask_paths.n != 0 ||
	    p->readonly_paths.n != 0 || p->pass_annotations.n != 1 ||
	    strcmp(p->pass_annotations.v[0], "*") != 0)
		return false;
	for (int g = 0; g < PST_G_COUNT; g++)
		if (p->grants[g] != PST_PASS)
			return false;
	return !pst_policy_limits(p);
}

static const char *default_root(const struct pst_runtime *rt)
{
	return strcmp(rt->name, "crun") == 0 ? "/run/crun" : "/run/runc";
}

enum want { WANT_ALL, WANT_LOOK, WANT_END };

static int fill(const struct pst_global *g, enum want want, struct pst_ctx *c, struct pst_err *err)
{
	bool look = want != WANT_ALL;
	c->g = g;
	c->full_root = is_full_root();
	int rc = pst_policy_load(g->policy_file, g->policy_required, g->class_name, &c->policy, err);
	if (rc != PST_OK && want == WANT_END)
		rc = pst_policy_build(NULL, NULL, 0, NULL, &c->policy, err);
	if (rc != PST_OK)
		return rc;
	c->transparent = is_transparent(&c->policy);

	if (c->transparent)
		look = true; /* nothing will be kept */
	rc = look ? pst_statedir_look(g->state_dir, &c->sd, err)
		  : pst_statedir_open(g->state_dir, &c->sd, err);
	if (rc != PST_OK && !(look && rc == PST_E_HOST))
		return rc;

	pst_auto_free char *path = NULL;
	rc = pst_runtime_find(g->runtime != NULL ? g->runtime : c->policy.runtime_path, &path, err);
	if (rc == PST_OK)
		rc = pst_runtime_probe(c->sd.fd, path, &c->rt, err);
	if (rc != PST_OK)
		return rc;
	c->root = pst_ctx_canonical(g->root != NULL ? g->root : default_root(&c->rt));
	return c->root == NULL ? pst_fail_nomem(err) : PST_OK;
}

static int open_ctx(const struct pst_global *g, enum want want, struct pst_ctx *ret, struct pst_err *err)
{
	struct pst_ctx c = PST_CTX_NONE;
	const int rc = fill(g, want, &c, err);
	if (rc != PST_OK) {
		pst_ctx_done(&c);
		return rc;
	}
	*ret = c;
	return PST_OK;
}

int pst_ctx_open(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err)
{
	return open_ctx(g, WANT_ALL, ret, err);
}

int pst_ctx_look(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err)
{
	return open_ctx(g, WANT_LOOK, ret, err);
}

int pst_ctx_end(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err)
{
	return open_ctx(g, WANT_END, ret, err);
}

void pst_ctx_done(struct pst_ctx *c)
{
	pst_policy_done(&c->policy);
	pst_statedir_close(&c->sd);
	pst_runtime_done(&c->rt);
	free(c->root);
	c->root = NULL;
}

int pst_ctx_key(const struct pst_ctx *c, const char *id, char out[33], struct pst_err *err)
{
	const int rc = pst_ctrid_check(id, err);
	if (rc == PST_OK)
		pst_ctrid_key(c->root, id, out);
	return rc;
}

const char *pst_ctx_dir(const struct pst_ctx *c, const char *key, char *buf, size_t size)
{
	snprintf(buf, size, "%s/c/%s", c->sd.path, key);
	return buf;
}

const char *pst_ctx_stage(const struct pst_ctx *c, char *buf, size_t size)
{
	snprintf(buf, size, "%s/stage", c->sd.path);
	return buf;
}

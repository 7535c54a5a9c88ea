/* The verbs that hand over to the runtime: exec, update, and all others. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "core/annotations.h"
#include "core/execspec.h"
#include "core/json.h"
#include "host/container.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/look.h"
#include "host/memdoc.h"
#include "host/netside.h"
#include "host/runcall.h"
#include "host/runtime.h"

/* Inside the container's network namespace, or not at all: what the runtime would
 * run outside is the host's (I-1). */
static int enter_netns(const struct pst_seen *s, struct pst_runcall *c, struct pst_err *err)
{
	struct pst_nsid id;
	if (s->record.netns_ino == 0 || s->record.netns == NULL)
		return PST_OK;
	int rc = pst_runcall_netns(c, s->record.netns, err);
	if (rc == PST_OK)
		rc = pst_netside_id(c->netns, &id, err);
	if (rc == PST_OK && (id.dev != s->record.netns_dev || id.ino != s->record.netns_ino)) {
		pst_fail(err, PST_E_STATE, "",
			 "%s is no longer the network namespace container %s was put into",
			 s->record.netns, s->record.id);
		rc = pst_err_cure(err, "nothing is run in another one; create the container again");
	}
	return rc;
}

/* What the container has, and so what an exec may have. */
static struct pst_exec_limits limits_of(const struct pst_plan *p, const json_t *spec,
					const struct pst_policy *pol, uint32_t high[PST_HIGHIDS_MAX])
{
	for (size_t i = 0; i < p->expect.high.n; i++)
		high[i] = p->expect.high.v[i].container;
	struct pst_exec_limits lim = {
		.caps = p->expect.bounding,
		.no_new_privs = p->expect.no_new_privs,
		.nids = p->expect.maps ? PST_BLOCK_SIZE : 0,
		.extra_ids = high,
		.nextra = p->expect.high.n,
		.rlimits = pst_json_at(spec, "/process/rlimits"),
		.policy = pol,
	};
	lim.has_nofile = pst_annotations_nofile(pst_json_at(spec, "/annotations"), &lim.nofile);
	return lim;
}

static int confined_exec(struct pst_ctx *ctx, const struct pst_seen *s,
			 const struct pst_exec_words *w, int argc, char **argv, struct pst_err *err)
{
	struct pst_plan plan = {0};
	pst_auto_json *tree = NULL;
	pst_auto_json *process = NULL;
	pst_auto_json *spec = NULL;
	pst_auto_exec_plan ex = {0};
	char path[64];
	int rc = pst_look_verified(s, err);
	if (rc == PST_OK)
		rc = pst_look_plan(s, false, &tree, &plan, err);
	if (rc == PST_OK && w->process_file != NULL)
		rc = pst_memdoc_read(w->process_file, &process, err);
	if (rc == PST_OK && process != NULL) /* with flags the runtime takes the container's own */
		rc = pst_look_spec(s, &spec, err);
	if (rc == PST_OK) {
		uint32_t high[PST_HIGHIDS_MAX];
		const struct pst_exec_limits lim = limits_of(&plan, spec, &ctx->policy, high);
		rc = pst_execspec_plan(argc, argv, process, &lim, &ex, err);
	}
	if (rc == PST_OK && ex.process != NULL) {
		rc = pst_memdoc_write(ex.process, path, err);
		if (rc == PST_OK)
			ex.argv[ex.process_at] = path;
	}
	pst_auto_runcall c;
	pst_runcall_begin(&c, ctx, s->record.runtime_root);
	pst_runcall_add(&c, "exec");
	for (size_t i = 0; rc == PST_OK && i < ex.argc; i++)
		pst_runcall_add(&c, ex.argv[i]);
	c.safety_net = plan.safety_net;
	if (rc == PST_OK)
		rc = enter_netns(s, &c, err);
	/* A runtime may run the program although nobody took its filter's listener. */
	if (rc == PST_OK && plan.keeper)
		rc = pst_keeper_ensure(&ctx->sd, &s->state, err);
	if (rc == PST_OK)
		rc = pst_runcall_ready(&c, err);
	if (rc == PST_OK)
		rc = pst_runtime_exec(&c.spawn, err);
	pst_plan_done(&plan);
	return rc;
}

int pst_container_exec(const struct pst_global *g, int argc, char **argv, struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	struct pst_exec_words w;
	int rc = pst_ctx_look(g, &ctx, err);
	if (rc == PST_OK && !ctx.transparent)
		rc = pst_execspec_read(argc, argv, &w, err);
	if (rc == PST_OK && !ctx.transparent)
		rc = pst_look(&ctx, w.id, PST_LOCK_NONE, &seen, err);
	if (rc == PST_OK && seen.found)
		return confined_exec(&ctx, &seen, &w, argc, argv, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_runcall c;
	pst_runcall_begin(&c, &ctx, NULL);
	pst_runcall_add(&c, "exec");
	for (int i = 0; i < argc; i++)
		pst_runcall_add(&c, argv[i]);
	rc = pst_runcall_ready(&c, err);
	return rc == PST_OK ? pst_runtime_exec(&c.spawn, err) : rc;
}

bool pst_container_transparent(const struct pst_global *g)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	return pst_ctx_look(g, &ctx, NULL) == PST_OK && ctx.transparent;
}

int pst_container_restore(const struct pst_global *g, int argc, char **argv, struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	int rc = pst_ctx_look(g, &ctx, err);
	if (rc != PST_OK)
		return rc;
	if (!ctx.transparent) {
		pst_fail(err, PST_E_POLICY, "", "restore is refused: a checkpoint carries ids, filters and "
			 "capabilities that no plan has judged");
		return pst_err_cure(err, "start the container anew, or restore it with the runtime itself");
	}
	pst_auto_runcall c;
	pst_runcall_begin(&c, &ctx, NULL);
	pst_runcall_add(&c, "restore");
	for (int i = 0; i < argc; i++)
		pst_runcall_add(&c, argv[i]);
	rc = pst_runcall_ready(&c, err);
	return rc == PST_OK ? pst_runtime_exec(&c.spawn, err) : rc;
}

int pst_container_pass(const struct pst_global *g, const char *id, int argc, char **argv,
		       struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	int rc = pst_ctx_end(g, &ctx, err);
	if (rc == PST_OK && id != NULL && !ctx.transparent)
		rc = pst_look(&ctx, id, PST_LOCK_NONE, &seen, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_runcall c;
	pst_runcall_begin(&c, &ctx, seen.record.runtime_root);
	for (int i = 0; i < argc; i++)
		pst_runcall_add(&c, argv[i]);
	rc = pst_runcall_ready(&c, err);
	return rc == PST_OK ? pst_runtime_exec(&c.spawn, err) : rc;
}

int pst_container_capture(const struct pst_global *g, const char *runtime_root,
			  const char *const argv[], struct pst_buf *out, int *ret_status,
			  struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	int rc = pst_ctx_end(g, &ctx, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_runcall c;
	pst_runcall_begin(&c, &ctx, runtime_root);
	for (size_t i = 0; argv[i] != NULL; i++)
		pst_runcall_add(&c, argv[i]);
	rc = pst_runcall_ready(&c, err);
	c.spawn.out = out;
	c.spawn.die_with_us = true;
	return rc == PST_OK ? pst_runtime_run(&c.spawn, ret_status, err) : rc;
}

int pst_container_info(const struct pst_global *g, const char *id, struct pst_container_info *ret,
		       struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	int rc = pst_ctx_end(g, &ctx, err);
	if (rc == PST_OK && !ctx.transparent)
		rc = pst_look(&ctx, id, PST_LOCK_NONE, &seen, err);
	if (rc != PST_OK)
		return rc;
	*ret = (struct pst_container_info){
		.ours = seen.found,
		.bundle = PST_TAKE(seen.record.bundle),
		.runtime_root = PST_TAKE(seen.record.runtime_root),
	};
	return PST_OK;
}

void pst_container_info_done(struct pst_container_info *i)
{
	free(i->bundle);
	free(i->runtime_root);
	*i = (struct pst_container_info){0};
}

/* The private root of one container of this caller's --root; NULL if it has none. */
static char *private_root(struct pst_ctx *ctx, const char *key)
{
	pst_auto_state st = PST_STATE_NONE;
	pst_auto_record rec = {0};
	if (pst_state_open(&ctx->sd, key, PST_LOCK_NONE, &st, NULL) != PST_OK ||
	    pst_state_read(&st, &rec, NULL) != PST_OK || rec.runtime_root == NULL ||
	    strcmp(rec.root, ctx->root) != 0)
		return NULL;
	return PST_TAKE(rec.runtime_root);
}

int pst_container_private_roots(const struct pst_global *g, char ***ret, struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_dirnames l = {0};
	int rc = pst_ctx_look(g, &ctx, err);
	if (rc == PST_OK && ctx.sd.fd >= 0)
		rc = pst_state_list(&ctx.sd, &l, err);
	if (rc != PST_OK)
		return rc;
	char **v = calloc(l.n + 1, sizeof *v);
	if (v == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0, n = 0; i < l.n; i++) {
		v[n] = private_root(&ctx, l.v[i]);
		n += v[n] != NULL;
	}
	*ret = v;
	return PST_OK;
}

void pst_container_roots_free(char **roots)
{
	for (size_t i = 0; roots != NULL && roots[i] != NULL; i++)
		free(roots[i]);
	free(roots);
}

#include "host/inspect.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/decide.h"
#include "host/io.h"
#include "host/lease.h"
#include "host/policyload.h"
#include "host/userns.h"

#define FIRST_BLOCK UINT32_C(1879048192) /* shown when nothing can be asked */

/* The blocks a create would get now, without taking them. */
static void propose(struct pst_ctx *c, bool two, struct pst_factfind *f)
{
	struct pst_lease_sources src = pst_lease_sources_default;
	pst_auto_leases l = PST_LEASES_NONE;
	struct pst_idspan block = {0}, other = {0};
	if (c->policy.pool_set)
		src.pool = (struct pst_idspan){.first = c->policy.pool_first,
					       .len = c->policy.pool_blocks * PST_BLOCK_SIZE};
	if (c->sd.fd >= 0 && pst_leases_lock(&c->sd, &l, NULL) == PST_OK &&
	    pst_lease_pick(&l, &src, NULL, &block, NULL) == PST_OK)
		/* A free one is chosen by chance: another look finds another. */
		for (int i = 0; two && i < 16 && (other.first == 0 || other.first == block.first); i++)
			if (pst_lease_pick(&l, &src, NULL, &other, NULL) != PST_OK)
				break;
	f->base = block.first != 0	? block.first
		  : src.pool.first != 0 ? src.pool.first
					: FIRST_BLOCK;
	f->second = !two		      ? 0
		    : other.first != 0 && other.first != f->base ? other.first
								 : f->base + PST_BLOCK_SIZE;
}

static int facts_of(struct pst_ctx *c, const struct pst_bundle *b, json_t **ret, struct pst_err *err)
{
	char stage[300], dir[320], home[300], listener[340];
	pst_auto_fd userns = -1;
	struct pst_factfind f = {.userns = -1, .disks = true};
	struct pst_highids high = {.n = 0};
	int rc = b == NULL ? PST_OK : pst_highids_read(&b->spec, 0, &high, err);
	if (rc != PST_OK)
		return rc;
	propose(c, high.n > 0, &f);
	snprintf(dir, sizeof dir, "%s/plan", pst_ctx_stage(c, stage, sizeof stage));
	f.stage = dir;
	snprintf(listener, sizeof listener, "%s/listener.sock",
		 pst_ctx_dir(c, "plan", home, sizeof home));
	if (c->full_root)
		f.listener = listener;
	if (b != NULL)
		f.bundle = b->path;
	if (b != NULL && c->full_root) {
		rc = pst_userns_open(f.base, PST_BLOCK_SIZE, NULL, 0, &userns, err);
		if (rc != PST_OK)
			return rc;
		f.userns = userns;
	}
	return pst_factfind(c, &f, b == NULL ? NULL : &b->spec, ret, err);
}

int pst_inspect_facts(const struct pst_global *g, const char *bundle, json_t **ret,
		      struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_bundle b = {0};
	int rc = pst_ctx_look(g, &ctx, err);
	if (rc == PST_OK && bundle != NULL)
		rc = pst_bundle_read(bundle, &b, err);
	return rc == PST_OK ? facts_of(&ctx, bundle == NULL ? NULL : &b, ret, err) : rc;
}

static int read_facts(const char *file, json_t **ret, struct pst_err *err)
{
	pst_auto_buf text = {0};
	int rc = pst_io_read_file(AT_FDCWD, file, pst_json_oci.bytes, &text, err);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, file, &pst_json_oci, ret, err);
	return rc;
}

static int plan_with(const struct pst_global *g, const struct pst_bundle *b, const char *facts_file,
		     struct pst_plan *ret, struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_json *facts = NULL;
	int rc;
	if (facts_file != NULL) {
		ctx.g = g;
		rc = pst_policy_load(g->policy_file, g->policy_required, g->class_name, &ctx.policy, err);
		if (rc == PST_OK)
			rc = read_facts(facts_file, &facts, err);
	} else {
		rc = pst_ctx_look(g, &ctx, err);
		if (rc == PST_OK)
			rc = facts_of(&ctx, b, &facts, err);
	}
	if (rc == PST_OK)
		rc = pst_decide(&ctx, b, facts, ret, err);
	return rc;
}

int pst_inspect_plan(const struct pst_global *g, const char *bundle, const char *facts,
		     struct pst_inspected *ret, struct pst_err *err)
{
	struct pst_inspected i = {.bundle = calloc(1, sizeof *i.bundle)};
	if (i.bundle == NULL)
		return pst_fail_nomem(err);
	int rc = pst_bundle_read(bundle, i.bundle, err);
	if (rc == PST_OK)
		rc = plan_with(g, i.bundle, facts, &i.plan, err);
	if (rc != PST_OK) {
		pst_bundle_done(i.bundle);
		free(i.bundle);
		return rc;
	}
	*ret = i;
	return PST_OK;
}

void pst_inspected_done(struct pst_inspected *i)
{
	pst_plan_done(&i->plan);
	if (i->bundle != NULL)
		pst_bundle_done(i->bundle);
	free(i->bundle);
	i->bundle = NULL;
}

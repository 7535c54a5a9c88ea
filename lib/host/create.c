#include "host/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "core/annotations.h"
#include "core/json.h"
#include "core/podname.h"
#include "host/gate.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/lease.h"
#include "host/netside.h"
#include "host/rootmount.h"
#include "host/runloop.h"
#include "host/sweep.h"
#include "host/userns.h"

void pst_making_done(struct pst_making *m)
{
	pst_journal_close(&m->apply.journal);
	pst_fd_close(PST_TAKE_FD(m->apply.userns));
	pst_fd_close(PST_TAKE_FD(m->apply.stage));
	pst_fd_close(PST_TAKE_FD(m->apply.hostns));
	pst_runloop_abort(&m->apply);
	pst_plan_done(&m->plan);
	pst_record_done(&m->record);
	pst_state_close(&m->state);
	pst_bundle_done(&m->bundle);
	pst_ovl_done(&m->layout);
	pst_ctx_done(&m->ctx);
}

/* The container's directory, its lock and its journal. */
static int begin(struct pst_making *m, const struct pst_create *c, struct pst_err *err)
{
	char key[33];
	int rc = pst_ctx_key(&m->ctx, c->id, key, err);
	if (rc != PST_OK)
		return rc;
	m->record = (struct pst_record){
		.id = strdup(c->id),
		.root = strdup(m->ctx.root),
		.bundle = strdup(m->bundle.path),
		.runtime = strdup(m->ctx.rt.path),
	};
	if (m->record.id == NULL || m->record.root == NULL || m->record.bundle == NULL ||
	    m->record.runtime == NULL)
		return pst_fail_nomem(err);
	rc = pst_state_create(&m->ctx.sd, key, &m->record, &m->state, err);
	if (rc == PST_E_STATE)
		return pst_fail(err, PST_E_STATE, "", "container with given ID already exists: %s", c->id);
	if (rc != PST_OK)
		return rc;
	m->begun = true;
	m->apply.state = &m->state;
	m->apply.record = &m->record;
	return pst_journal_open(m->state.fd, &m->apply.journal, err);
}

/* One free block, journalled before it is claimed. */
static int claim_block(struct pst_making *m, struct pst_leases *l, struct pst_idspan *ret,
		       struct pst_err *err)
{
	struct pst_lease_sources src = pst_lease_sources_default;
	if (m->ctx.policy.pool_set)
		src.pool = (struct pst_idspan){.first = m->ctx.policy.pool_first,
					       .len = m->ctx.policy.pool_blocks * PST_BLOCK_SIZE};
	struct pst_idspan block;
	int rc = pst_lease_pick(l, &src, NULL, &block, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_json *arg = json_pack("{s:I}", "first", (json_int_t)block.first);
	rc = arg == NULL ? pst_fail_nomem(err)
			 : pst_journal_put(&m->apply.journal, PST_J_BEGIN, 0, "lease", arg, NULL, err);
	if (rc == PST_OK)
		rc = pst_lease_claim(l, block, PST_LEASE_SANDBOX, m->state.key, err);
	if (rc == PST_OK)
		*ret = block;
	return rc;
}

/* The block of this container, a second one for ids above it, and their id map. */
static int take_block(struct pst_making *m, struct pst_err *err)
{
	pst_auto_leases l = PST_LEASES_NONE;
	struct pst_idspan block = {0}, second = {0};
	struct pst_highids high;
	int rc = pst_highids_read(&m->bundle.spec, 0, &high, err);
	if (rc == PST_OK)
		rc = pst_leases_lock(&m->ctx.sd, &l, err);
	if (rc == PST_OK)
		rc = claim_block(m, &l, &block, err);
	if (rc == PST_OK && high.n > 0)
		rc = claim_block(m, &l, &second, err);
	if (rc != PST_OK)
		return rc;
	m->record.block = block;
	m->second = second.first;
	for (size_t i = 0; i < high.n; i++)
		high.v[i].host += second.first;
	return pst_userns_open(block.first, block.len, high.v, high.n, &m->apply.userns, err);
}

/* Leased and not needed after all; the journal's undo finds it gone. */
static int give_back(struct pst_making *m, struct pst_leases *l, struct pst_err *err)
{
	const struct pst_idspan second = {.first = m->second, .len = PST_BLOCK_SIZE};
	int rc = pst_lease_release(l, m->record.block, m->state.key, err);
	if (rc == PST_OK && m->second != 0)
		rc = pst_lease_release(l, second, m->state.key, err);
	m->record.block = (struct pst_idspan){0};
	m->second = 0;
	return rc;
}

static int join_one(struct pst_making *m, struct pst_leases *l, uint32_t first, const char *key,
		    struct pst_err *err)
{
	const struct pst_idspan block = {.first = first, .len = PST_BLOCK_SIZE};
	pst_auto_json *arg = json_pack("{s:I}", "first", (json_int_t)first);
	if (arg == NULL)
		return pst_fail_nomem(err);
	const int rc = pst_journal_put(&m->apply.journal, PST_J_BEGIN, 0, "lease", arg, NULL, err);
	return rc == PST_OK ? pst_lease_join(l, block, key, m->state.key, err) : rc;
}

/* The plan joins a sibling's blocks: ours go back, theirs count us in. */
static int join_block(struct pst_making *m, const json_t *facts, struct pst_err *err)
{
	static const enum pst_ns_kind kinds[] = {PST_NS_PID, PST_NS_IPC, PST_NS_UTS, PST_NS_NETWORK};
	const struct pst_highids *high = &m->plan.expect.high;
	struct pst_facts f;
	struct pst_ns_fact sib = {0};
	int rc = pst_facts_parse(facts, &f, err);
	for (size_t i = 0; rc == PST_OK && !sib.known && i < PST_NELEM(kinds); i++) {
		const struct pst_ns_fact n = pst_facts_ns(&f, kinds[i]);
		if (n.known && n.owner == PST_OWNER_BLOCK)
			sib = n;
	}
	if (rc != PST_OK)
		return rc;
	pst_auto_leases l = PST_LEASES_NONE;
	if (sib.key == NULL)
		return pst_fail(err, PST_E_BUG, "", "a joined block without a container that holds it");
	rc = pst_leases_lock(&m->ctx.sd, &l, err);
	if (rc == PST_OK)
		rc = join_one(m, &l, m->plan.base, sib.key, err);
	/* All of them lie in one block: whoever made the map took one. */
	if (rc == PST_OK && high->n > 0)
		rc = join_one(m, &l, high->v[0].host - high->v[0].host % PST_BLOCK_SIZE, sib.key, err);
	if (rc == PST_OK)
		rc = give_back(m, &l, err);
	if (rc != PST_OK)
		return rc;
	m->record.block = (struct pst_idspan){.first = m->plan.base, .len = PST_BLOCK_SIZE};
	m->record.sandbox = strdup(sib.key);
	pst_fd_close(PST_TAKE_FD(m->apply.userns));
	return m->record.sandbox == NULL
		       ? pst_fail_nomem(err)
		       : pst_userns_open(m->plan.base, PST_BLOCK_SIZE, high->v, high->n,
					 &m->apply.userns, err);
}

static int decide(struct pst_making *m, const struct pst_create *c, struct pst_err *err)
{
	char stage[300], dir[340], home[300], listener[340];
	snprintf(dir, sizeof dir, "%s/%s", pst_ctx_stage(&m->ctx, stage, sizeof stage), m->state.key);
	snprintf(listener, sizeof listener, "%s/listener.sock",
		 pst_ctx_dir(&m->ctx, m->state.key, home, sizeof home));
	const struct pst_factfind f = {
		.bundle = m->bundle.path,
		.stage = dir,
		.listener = m->ctx.full_root ? listener : NULL,
		.base = m->record.block.first,
		.second = m->second,
		.userns = m->apply.userns,
		.layers = c->layers,
		.nlayers = c->nlayers,
		.upper = c->upper,
		.work = c->work,
		.hidden_root = c->nrootfs > 0 && c->nlayers == 0,
		.disks = pst_annotations_disk(m->bundle.spec.annotations, &m->ctx.policy),
	};
	pst_auto_json *facts = NULL;
	int rc = pst_factfind(&m->ctx, &f, &m->bundle.spec, &facts, err);
	if (rc == PST_OK)
		rc = pst_decide(&m->ctx, &m->bundle, facts, &m->plan, err);
	if (rc == PST_OK && m->plan.ids == PST_HOW_JOIN)
		rc = join_block(m, facts, err);
	return rc;
}

/* What `top` and `metrics` call it: profile, and the names Kubernetes gave. */
static bool add_names(const struct pst_making *m, json_t *j)
{
	bool ok = m->plan.profile == NULL ||
		  json_object_set_new(j, "profile", json_string(m->plan.profile)) == 0;
	for (enum pst_podname i = 0; i < PST_POD_NAMES; i++) {
		const char *name = pst_podname(m->bundle.spec.annotations, i);
		if (name != NULL)
			ok = json_object_set_new(j, pst_podname_keys[i], json_string(name)) == 0 && ok;
	}
	return ok;
}

/* What later verbs need is on disk before the first effect. */
static int write_plan(struct pst_making *m, struct pst_err *err)
{
	if (m->plan.netns_path != NULL)
		m->record.netns = strdup(m->plan.netns_path);
	if (m->plan.enter_netns) {
		char root[400], dir[300];
		snprintf(root, sizeof root, "%s/runtime",
			 pst_ctx_dir(&m->ctx, m->state.key, dir, sizeof dir));
		m->record.runtime_root = strdup(root);
		if (m->record.runtime_root == NULL)
			return pst_fail_nomem(err);
		struct pst_nsid id = {0};
		pst_auto_fd ns = pst_host->openat(AT_FDCWD, m->plan.netns_path, O_RDONLY | O_CLOEXEC, 0);
		if (ns < 0)
			return pst_fail_sys(err, "cannot open %s", m->plan.netns_path);
		const int rc = pst_netside_id(ns, &id, err);
		if (rc != PST_OK)
			return rc;
		m->record.netns_dev = id.dev;
		m->record.netns_ino = id.ino;
	}
	pst_auto_buf text = {0};
	pst_auto_json *j = pst_plan_json(&m->plan);
	/* The hardened spec stands in the bundle already. */
	int rc = j == NULL || !add_names(m, j) ? pst_fail_nomem(err) : PST_OK;
	if (rc == PST_OK) {
		(void)json_object_del(j, "spec");
		(void)json_object_del(j, "edits");
		rc = pst_json_dump(j, PST_JSON_COMPACT, &text, err);
	}
	if (rc == PST_OK)
		rc = pst_io_replace(m->state.fd, "plan.json", text.data, text.len, 0600, err);
	if (rc == PST_OK)
		rc = pst_state_write(&m->ctx.sd, &m->state, &m->record, err);
	return rc;
}

/* An overlay that was to be built id-mapped, for a container that stays as it is: it is
 * mounted as it came, and what was decided for layers is decided anew. */
static int mount_as_it_came(struct pst_making *m, struct pst_err *err)
{
	struct pst_create *c = &m->create;
	c->layers = NULL;
	c->nlayers = 0;
	c->upper = NULL;
	c->work = NULL;
	pst_plan_done(&m->plan);
	m->plan = (struct pst_plan){0};
	int rc = pst_apply_mark(&m->apply, err);
	if (rc == PST_OK)
		rc = pst_rootmount_mount(m->bundle.path, &m->bundle.spec, c->rootfs,
					 c->nrootfs, err);
	return rc == PST_OK ? decide(m, c, err) : rc;
}

static bool moves(const struct pst_making *m)
{
	return m->plan.ids == PST_HOW_MAP || m->plan.ids == PST_HOW_JOIN;
}

static int make(struct pst_making *m, const struct pst_create *c, bool run, struct pst_err *err)
{
	int rc = begin(m, c, err);
	if (rc == PST_OK && pst_bundle_wants_ids(&m->ctx, &m->bundle))
		rc = take_block(m, err);
	if (rc == PST_OK)
		rc = decide(m, c, err);
	if (rc == PST_OK && !moves(m) && m->layout.n > 0)
		rc = mount_as_it_came(m, err);
	if (rc == PST_OK && !moves(m) && m->record.block.len != 0) {
		pst_auto_leases l = PST_LEASES_NONE;
		rc = pst_leases_lock(&m->ctx.sd, &l, err);
		if (rc == PST_OK)
			rc = give_back(m, &l, err);
	}
	if (rc == PST_OK)
		rc = write_plan(m, err);
	if (rc != PST_OK)
		return rc;
	m->apply.ctx = &m->ctx;
	m->apply.create = c;
	m->apply.plan = &m->plan;
	/* Links that have to be limited may come while the runtime waits: not at a gate that
	 * is opened without another look. */
	m->apply.run = run && !(c->hold && m->plan.net_late && !c->hold_look);
	m->apply.attached = run && !c->detach && !c->hold;
	rc = pst_apply_run(&m->apply, err);
	if (rc == PST_OK)
		rc = pst_journal_put(&m->apply.journal, PST_J_MARK, 0, "verified", NULL, NULL, err);
	return rc;
}

int pst_making_unmake(struct pst_making *m, bool failed, struct pst_err *err)
{
	if (!m->begun)
		return PST_OK;
	pst_runloop_abort(&m->apply);
	if (failed)
		pst_apply_restore(&m->apply);
	int rc = pst_apply_leave(&m->apply, err);
	struct pst_undo u = {
		.ctx = &m->ctx,
		.state = &m->state,
		.record = &m->record,
		.journal = &m->apply.journal,
		.failed = failed,
	};
	if (rc == PST_OK)
		rc = pst_apply_undo(&u, err);
	if (rc == PST_OK)
		rc = pst_state_remove(&m->ctx.sd, &m->state, err);
	return rc;
}

/* Mounts to be made: an overlay goes straight into its id-mapped form, others are
 * mounted where only we see it. */
static int take_rootfs(struct pst_making *m, struct pst_err *err)
{
	struct pst_create *c = &m->create;
	if (!pst_bundle_wants_ids(&m->ctx, &m->bundle) ||
	    !pst_rootmount_direct(c->rootfs, c->nrootfs, &m->layout)) {
		const int rc = pst_apply_mark(&m->apply, err);
		return rc != PST_OK ? rc
				    : pst_rootmount_mount(m->bundle.path, &m->bundle.spec, c->rootfs,
					 c->nrootfs, err);
	}
	c->layers = (const char *const *)m->layout.lower;
	c->nlayers = m->layout.n;
	c->upper = m->layout.upper;
	c->work = m->layout.work;
	return PST_OK;
}

int pst_making_make(struct pst_making *m, const struct pst_create *c, bool run,
		    struct pst_err *err)
{
	int rc = pst_bundle_read(c->bundle, &m->bundle, err);
	m->create = *c;
	if (rc == PST_OK && c->nrootfs > 0)
		rc = take_rootfs(m, err);
	if (rc != PST_OK)
		return rc;
	c = &m->create;
	/* What dead creators left goes first; trouble there is not this caller's. */
	(void)!pst_sweep_making(&m->ctx, NULL, NULL);

	rc = make(m, c, run, err);
	if (rc == PST_OK)
		return PST_OK;
	struct pst_err why = {0};
	if (pst_making_unmake(m, true, &why) != PST_OK && err != NULL) {
		char cure[sizeof err->cure];
		snprintf(cure, sizeof cure, "%.100s%s", err->cure, err->cure[0] == '\0' ? "" : "; ");
		(void)pst_err_cure(err, "%srun `postern doctor --repair`: the clean-up failed too (%.120s)",
				   cure, why.msg);
	}
	return rc;
}

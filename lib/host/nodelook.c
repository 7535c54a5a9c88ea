#include "host/nodelook.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/json.h"
#include "core/plan.h"
#include "host/cgroupof.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/lease.h"
#include "host/policyload.h"
#include "host/state.h"

#define PATIENCE_US 2000000 /* for keepers that do not answer */

static uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A text member of the plan, copied; a missing one stays NULL. */
static int take_text(const json_t *plan, const char *key, char **ret, struct pst_err *err)
{
	const char *s = pst_json_str(json_object_get(plan, key));
	*ret = s == NULL ? NULL : strdup(s);
	return s != NULL && *ret == NULL ? pst_fail_nomem(err) : PST_OK;
}

static int read_plan(const struct pst_state *st, struct pst_ctrstat *c, struct pst_err *err)
{
	pst_auto_buf text = {0};
	pst_auto_json *plan = NULL;
	int rc = pst_io_read_file(st->fd, "plan.json", pst_json_oci.bytes, &text, err);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, "plan.json", &pst_json_oci, &plan, err);
	if (rc == PST_OK)
		rc = take_text(plan, "profile", &c->profile, err);
	for (size_t i = 0; rc == PST_OK && i < PST_POD_NAMES; i++)
		rc = take_text(plan, pst_podname_keys[i], &c->names[i], err);
	c->complain = json_is_true(pst_json_at(plan, "/denials/complain"));
	return rc;
}

static void read_counts(const struct pst_state *st, struct pst_ctrstat *c)
{
	char text[PST_HITS_TEXT];
	if (pst_io_read_small(st->fd, "counts", text, sizeof text) <= 0)
		return;
	c->counts = strdup(text);
	if (c->counts != NULL)
		pst_hits_parse(c->counts, &c->hits, c->said);
}

/* What the cgroup says now; the keeper's counts may be older, or there is none. */
static void read_use(const struct pst_state *st, struct pst_ctrstat *c)
{
	pid_t pid;
	pst_auto_cgroup cg = {0};
	c->up = pst_keeper_named(st, "init", &pid);
	if (!c->up || pst_cgroup_of(pid, &cg, NULL) != PST_OK || cg.version == 0)
		return;
	pst_cgroup_numbers(&cg, &c->num);
	pst_hits_take(&c->hits, &c->num);
}

static int look_at(struct pst_statedir *sd, const char *key, uint64_t *patience, struct pst_ctrstat *c,
		   struct pst_err *err)
{
	pst_auto_state st = PST_STATE_NONE;
	pst_auto_record rec = {0};
	*c = (struct pst_ctrstat){.num = pst_cgnum_none, .busy_us = PST_CGNUM_NONE};
	int rc = pst_state_open(sd, key, PST_LOCK_NONE, &st, err);
	if (rc == PST_OK)
		rc = pst_state_read(&st, &rec, err);
	if (rc == PST_OK)
		rc = read_plan(&st, c, err);
	if (rc != PST_OK)
		return rc;
	memcpy(c->key, st.key, sizeof c->key);
	c->id = PST_TAKE(rec.id);
	c->root = PST_TAKE(rec.root);
	c->since = rec.time;
	c->first = rec.block.first;
	if (*patience > 0) {
		const uint64_t from = now_us();
		if (pst_keeper_ask(&st, PST_KEEPER_FLUSH, NULL) != PST_OK) {
			const uint64_t spent = now_us() - from;
			*patience -= spent < *patience ? spent : *patience;
		}
	}
	read_counts(&st, c);
	read_use(&st, c);
	return PST_OK;
}

static int look_at_all(struct pst_statedir *sd, struct pst_nodestat *s, struct pst_err *err)
{
	pst_auto_dirnames l = {0};
	uint64_t patience = PATIENCE_US;
	int rc = pst_state_list(sd, &l, err);
	if (rc != PST_OK)
		return rc;
	s->v = calloc(l.n + 1, sizeof *s->v);
	if (s->v == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < l.n; i++) {
		struct pst_err why = {0};
		rc = look_at(sd, l.v[i], &patience, &s->v[s->n], &why);
		if (rc == PST_E_NOMEM) {
			s->n++; /* what it holds is freed with the rest */
			*err = why;
			return rc;
		}
		if (rc == PST_OK) {
			s->n++;
			continue;
		}
		/* Gone meanwhile, or being made and not planned yet: no fault. */
		s->unread += why.sys != ENOENT;
		for (size_t k = 0; k < PST_POD_NAMES; k++)
			free(s->v[s->n].names[k]);
		free(s->v[s->n].profile);
	}
	return PST_OK;
}

static void count_leases(const struct pst_global *g, struct pst_statedir *sd, struct pst_nodestat *s)
{
	struct pst_policy policy = {0};
	struct pst_lease_sources src = pst_lease_sources_default;
	struct pst_idspan pool;
	pst_auto_leases l = PST_LEASES_NONE;
	pst_auto_idspans held = {0};
	if (pst_leases_lock(sd, &l, NULL) == PST_OK && pst_lease_list(&l, &held, NULL) == PST_OK)
		s->leases = held.n;
	pst_leases_unlock(&l);
	if (pst_policy_load(g->policy_file, g->policy_required, g->class_name, &policy, NULL) != PST_OK)
		return;
	if (policy.pool_set)
		src.pool = (struct pst_idspan){.first = policy.pool_first,
					       .len = policy.pool_blocks * PST_BLOCK_SIZE};
	if (pst_lease_pool(&src, &pool, NULL) == PST_OK)
		s->pool_blocks = pool.len / PST_BLOCK_SIZE;
	pst_policy_done(&policy);
}

static int by_id(const void *a, const void *b)
{
	const struct pst_ctrstat *x = a;
	const struct pst_ctrstat *y = b;
	const int ids = strcmp(x->id, y->id);
	return ids != 0 ? ids : strcmp(x->root, y->root);
}

int pst_node_look(const struct pst_global *g, struct pst_nodestat *ret, struct pst_err *err)
{
	struct pst_nodestat s = {.at_us = now_us()};
	pst_auto_statedir sd = PST_STATEDIR_NONE;
	struct pst_err why = {0};
	int rc = pst_statedir_look(g->state_dir, &sd, &why);
	const bool never = rc == PST_E_HOST && why.sys == ENOENT; /* no container was ever made */
	if (rc == PST_OK)
		rc = look_at_all(&sd, &s, &why);
	if (rc == PST_OK)
		count_leases(g, &sd, &s);
	if (rc != PST_OK && !never) {
		pst_nodestat_done(&s);
		*err = why;
		return rc;
	}
	if (s.n > 1)
		qsort(s.v, s.n, sizeof *s.v, by_id);
	s.took_us = now_us() - s.at_us;
	*ret = s;
	return PST_OK;
}

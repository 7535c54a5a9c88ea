#include "host/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "host/hostops.h"
#include "host/lease_priv.h"
#include "host/livemap.h"
#include "host/state.h"

struct sweep {
	struct pst_leases *l;
	struct pst_procid self;
	int c;      /* ROOT/c */
	int making; /* ROOT/making */
	struct pst_idset live;
	bool looked; /* `live` is filled: only when something needs it */
	struct pst_lease_swept *n;
	struct pst_notes *notes;
};

static const char source[] = "leases of the dead are freed";

static int is_live(struct sweep *s, struct pst_idspan block, bool *ret, struct pst_err *err)
{
	if (!s->looked) {
		const int rc = pst_livemap_scan(&s->live, err);
		if (rc != PST_OK)
			return rc;
		s->looked = true;
	}
	*ret = pst_idset_has(&s->live, block.first);
	return PST_OK;
}

static int exists(int dfd, const char *name, bool *ret, struct pst_err *err)
{
	struct stat st;
	*ret = pst_host->fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *ret || errno == ENOENT ? PST_OK : pst_fail_sys(err, "cannot look for %s", name);
}

/* Does a container's record name the block? One that cannot be read may. */
static int named(struct sweep *s, struct pst_idspan block, bool *ret, struct pst_err *err)
{
	pst_auto_dirnames keys = {0};
	*ret = false;
	int rc = pst_state_list(s->l->sd, &keys, err);
	for (size_t i = 0; rc == PST_OK && !*ret && i < keys.n; i++) {
		pst_auto_state st = PST_STATE_NONE;
		pst_auto_record rec = {0};
		struct pst_err why = {0};
		const int open = pst_state_open(s->l->sd, keys.v[i], PST_LOCK_NONE, &st, &why);
		if (open == PST_E_STATE)
			continue; /* removed meanwhile */
		*ret = open != PST_OK || pst_state_read(&st, &rec, &why) != PST_OK ||
		       pst_idspan_overlaps(rec.block, block) ||
		       pst_idspan_overlaps(rec.extra, block);
	}
	return rc;
}

static int free_block(struct sweep *s, struct pst_idspan block, const char *why,
		      struct pst_err *err)
{
	const int rc = pst_lease_remove(s->l, block, err);
	if (rc != PST_OK)
		return rc;
	s->n->freed++;
	if (s->notes != NULL)
		pst_note_add(s->notes, "", source, "id block %u was freed: %s", block.first, why);
	return PST_OK;
}

static void keep(struct sweep *s, size_t *count, struct pst_idspan block, const char *why)
{
	++*count;
	if (s->notes != NULL)
		pst_note_add(s->notes, "", source, "id block %u stays held: %s", block.first, why);
}

static int sweep_garbage(struct sweep *s, struct pst_idspan block, struct pst_err *err)
{
	bool held = false;
	int rc = is_live(s, block, &held, err);
	if (rc != PST_OK)
		return rc;
	if (held) {
		keep(s, &s->n->garbage, block,
		     "its file is no lease, and a living process is mapped to it");
		return PST_OK;
	}
	rc = named(s, block, &held, err);
	if (rc != PST_OK)
		return rc;
	if (held) {
		keep(s, &s->n->garbage, block,
		     "its file is no lease, and a container's record may name it");
		return PST_OK;
	}
	return free_block(s, block, "its file was no lease, and nothing uses it", err);
}

enum owner { OWNER_HOLDS, OWNER_DEAD, OWNER_UNSURE };

static int judge(struct sweep *s, const struct pst_lease_owner *o, enum owner *ret,
		 struct pst_err *err)
{
	bool there = false;
	int rc = exists(s->c, o->key, &there, err);
	if (rc == PST_OK && !there)
		rc = exists(s->making, o->key, &there, err);
	if (rc != PST_OK)
		return rc;
	const enum pst_alive alive = there ? PST_ALIVE : pst_procid_alive(&o->proc, &s->self);
	*ret = alive == PST_ALIVE ? OWNER_HOLDS : alive == PST_DEAD ? OWNER_DEAD : OWNER_UNSURE;
	return PST_OK;
}

/* Owners that are dead leave; `unsure` if one of the rest may be. */
static int drop_dead(struct sweep *s, struct pst_lease *lease, bool *unsure, struct pst_err *err)
{
	for (size_t i = lease->nowners; i-- > 0;) {
		enum owner o;
		const int rc = judge(s, &lease->owners[i], &o, err);
		if (rc != PST_OK)
			return rc;
		*unsure = *unsure || o == OWNER_UNSURE;
		if (o == OWNER_DEAD)
			pst_lease_drop_owner(lease, i);
	}
	return PST_OK;
}

static bool other_boot(const struct sweep *s, const struct pst_lease *lease)
{
	for (size_t i = 0; i < lease->nowners; i++)
		if (strcmp(lease->owners[i].proc.boot, s->self.boot) == 0)
			return false;
	return true;
}

static int sweep_lease(struct sweep *s, struct pst_lease *lease, struct pst_err *err)
{
	const size_t before = lease->nowners;
	bool unsure = false, live = false;
	if (other_boot(s, lease))
		return free_block(s, lease->block, "its lease is of another boot", err);
	int rc = drop_dead(s, lease, &unsure, err);
	if (rc != PST_OK)
		return rc;
	if (unsure)
		keep(s, &s->n->unsure, lease->block,
		     "its owner was written down in another pid namespace");
	if (lease->nowners > 0)
		return lease->nowners == before ? PST_OK : pst_lease_store(s->l, lease, err);
	rc = is_live(s, lease->block, &live, err);
	if (rc != PST_OK)
		return rc;
	if (live) {
		keep(s, &s->n->unsure, lease->block,
		     "its owners are dead, and a living process is mapped to it");
		return PST_OK;
	}
	return free_block(s, lease->block, "its owners are dead", err);
}

static int begin(struct pst_leases *l, struct sweep *s, struct pst_err *err)
{
	int rc = pst_procid_self(&s->self, err);
	if (rc == PST_OK)
		rc = pst_statedir_sub(l->sd, PST_DIR_C, &s->c, err);
	if (rc == PST_OK)
		rc = pst_statedir_sub(l->sd, PST_DIR_MAKING, &s->making, err);
	return rc;
}

int pst_lease_sweep(struct pst_leases *l, struct pst_lease_swept *out, struct pst_notes *notes,
		    struct pst_err *err)
{
	struct pst_lease_swept n = {0};
	struct sweep s = {.l = l, .n = &n, .notes = notes};
	pst_auto_idspans all = {0};
	int rc = begin(l, &s, err);
	if (rc == PST_OK)
		rc = pst_lease_list(l, &all, err);
	for (size_t i = 0; rc == PST_OK && i < all.n; i++) {
		pst_auto_lease lease = {0};
		struct pst_err why = {0};
		rc = pst_lease_read(l, all.v[i], &lease, &why);
		if (rc == PST_OK)
			rc = sweep_lease(&s, &lease, err);
		else if (rc == PST_E_STATE)
			rc = sweep_garbage(&s, all.v[i], err);
		else if (err != NULL)
			*err = why;
	}
	if (rc == PST_OK)
		*out = n;
	return rc;
}

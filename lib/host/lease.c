#include "host/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/fd.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/lease_priv.h"

#define ASIDE ".new" /* one name: the lock lets only one be written at a time */
#define LEASE_MAX ((size_t)1 << 20)

int pst_leases_lock(struct pst_statedir *sd, struct pst_leases *out, struct pst_err *err)
{
	int fd;
	const int rc = pst_statedir_lock(sd, PST_DIR_IDS, &fd, err);
	if (rc == PST_OK)
		*out = (struct pst_leases){.sd = sd, .fd = fd};
	return rc;
}

void pst_leases_unlock(struct pst_leases *l)
{
	/* Not left to close(2): a forked child may hold the description too. */
	if (l->fd >= 0)
		(void)pst_host->flock(l->fd, LOCK_UN);
	pst_fd_close(l->fd);
	*l = (struct pst_leases)PST_LEASES_NONE;
}

static int no_lease(struct pst_idspan block, struct pst_err *err)
{
	pst_fail(err, PST_E_STATE, "", "id block %u has no lease", block.first);
	if (err != NULL)
		err->sys = ENOENT;
	return PST_E_STATE;
}

int pst_lease_read(struct pst_leases *l, struct pst_idspan block, struct pst_lease *out,
		   struct pst_err *err)
{
	char name[PST_LEASE_NAME];
	pst_auto_buf text = {0};
	struct pst_err why = {0};
	pst_lease_name(block.first, name);
	const int rc = pst_io_read_file(l->fd, name, LEASE_MAX, &text, &why);
	if (rc == PST_E_HOST && why.sys == ENOENT)
		return no_lease(block, err);
	if (rc == PST_E_SPEC || (rc == PST_E_HOST && why.sys == ELOOP))
		return pst_fail(err, PST_E_STATE, "", "lease file ids/%s is not a lease", name);
	if (rc != PST_OK) {
		if (err != NULL)
			*err = why;
		return rc;
	}
	return pst_lease_parse(pst_buf_cstr(&text), text.len, block, out, err);
}

/* The file aside, whole; left behind only if its removal fails too. */
static int write_aside(struct pst_leases *l, const struct pst_buf *text, struct pst_err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	pst_auto_fd fd = pst_host->openat(l->fd, ASIDE, flags, 0600);
	if (fd < 0 && errno == EEXIST) {
		/* Of a creator killed here. Removed, never written into: it may be
		 * the second name of a lease that was linked already. */
		(void)pst_host->unlinkat(l->fd, ASIDE, 0);
		fd = pst_host->openat(l->fd, ASIDE, flags, 0600);
	}
	if (fd < 0) {
		pst_fail_sys(err, "cannot create a lease in %s/ids", l->sd->path);
		pst_statedir_cure(l->sd, err);
		return PST_E_HOST;
	}
	if (pst_io_write_all(fd, text->data, text->len) == 0)
		return PST_OK;
	pst_fail_sys(err, "cannot write a lease in %s/ids", l->sd->path);
	pst_statedir_cure(l->sd, err);
	(void)pst_host->unlinkat(l->fd, ASIDE, 0);
	return PST_E_HOST;
}

static int link_aside(struct pst_leases *l, struct pst_idspan block, struct pst_err *err)
{
	char name[PST_LEASE_NAME];
	pst_lease_name(block.first, name);
	if (pst_host->linkat(l->fd, ASIDE, l->fd, name, 0) != 0) {
		const bool taken = errno == EEXIST;
		pst_fail_sys(err, "cannot claim id block %u in %s/ids", block.first, l->sd->path);
		pst_statedir_cure(l->sd, err);
		(void)pst_host->unlinkat(l->fd, ASIDE, 0);
		return taken ? pst_fail(err, PST_E_STATE, "", "id block %u has a lease already",
					block.first)
			     : PST_E_HOST;
	}
	if (pst_host->unlinkat(l->fd, ASIDE, 0) == 0)
		return PST_OK;
	pst_fail_sys(err, "cannot remove %s/ids/%s", l->sd->path, ASIDE);
	(void)pst_host->unlinkat(l->fd, name, 0);
	(void)pst_host->unlinkat(l->fd, ASIDE, 0);
	return PST_E_HOST;
}

static int whole_block(struct pst_idspan block, struct pst_err *err)
{
	struct pst_err bad;
	if (block.len == PST_ID_BLOCK && pst_idpool_check(block, &bad) == PST_OK)
		return PST_OK;
	return pst_fail(err, PST_E_BUG, "", "%u+%u is not one id block", block.first, block.len);
}

int pst_lease_claim(struct pst_leases *l, struct pst_idspan block, enum pst_lease_kind kind,
		    const char *owner, struct pst_err *err)
{
	pst_auto_lease lease = {.block = block, .kind = kind};
	pst_auto_buf text = {0};
	struct pst_procid self;
	int rc = whole_block(block, err);
	if (rc == PST_OK)
		rc = pst_procid_self(&self, err);
	if (rc == PST_OK)
		rc = pst_lease_add_owner(&lease, owner, &self, err);
	if (rc == PST_OK)
		rc = pst_lease_print(&lease, &text, err);
	if (rc == PST_OK)
		rc = write_aside(l, &text, err);
	if (rc == PST_OK)
		rc = link_aside(l, block, err);
	if (rc != PST_OK)
		return rc;

	struct pst_leasehint h;
	if (pst_leasehint_load(l, &h, NULL) == PST_OK) {
		pst_idset_add(&h.used, block);
		pst_leasehint_save(l, &h);
	}
	return PST_OK;
}

int pst_lease_remove(struct pst_leases *l, struct pst_idspan block, struct pst_err *err)
{
	char name[PST_LEASE_NAME];
	pst_lease_name(block.first, name);
	if (pst_host->unlinkat(l->fd, name, 0) != 0 && errno != ENOENT) {
		pst_fail_sys(err, "cannot remove lease %s/ids/%s", l->sd->path, name);
		pst_statedir_cure(l->sd, err);
		return PST_E_HOST;
	}
	struct pst_leasehint h;
	if (pst_leasehint_load(l, &h, NULL) == PST_OK) {
		pst_idset_drop(&h.used, block);
		pst_idset_add(&h.live, block); /* until a look proves nobody is left in it */
		pst_leasehint_save(l, &h);
	}
	return PST_OK;
}

int pst_lease_store(struct pst_leases *l, const struct pst_lease *lease, struct pst_err *err)
{
	if (lease->nowners == 0)
		return pst_lease_remove(l, lease->block, err);

	char name[PST_LEASE_NAME];
	pst_auto_buf text = {0};
	pst_lease_name(lease->block.first, name);
	int rc = pst_lease_print(lease, &text, err);
	if (rc == PST_OK)
		rc = write_aside(l, &text, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->renameat(l->fd, ASIDE, l->fd, name) == 0)
		return PST_OK;
	pst_fail_sys(err, "cannot replace lease %s/ids/%s", l->sd->path, name);
	pst_statedir_cure(l->sd, err);
	(void)pst_host->unlinkat(l->fd, ASIDE, 0);
	return PST_E_HOST;
}

int pst_lease_take(struct pst_statedir *sd, const struct pst_lease_sources *src,
		   enum pst_lease_kind kind, const char *owner, struct pst_idspan *out,
		   struct pst_err *err)
{
	pst_auto_leases l = PST_LEASES_NONE;
	struct pst_idspan block = {0};
	int rc = pst_leases_lock(sd, &l, err);
	if (rc == PST_OK)
		rc = pst_lease_pick(&l, src, NULL, &block, err);
	if (rc == PST_OK)
		rc = pst_lease_claim(&l, block, kind, owner, err);
	if (rc == PST_OK)
		*out = block;
	return rc;
}

int pst_lease_join(struct pst_leases *l, struct pst_idspan block, const char *via,
		   const char *owner, struct pst_err *err)
{
	pst_auto_lease lease = {0};
	struct pst_procid self;
	int rc = pst_lease_read(l, block, &lease, err);
	if (rc == PST_OK)
		rc = pst_procid_self(&self, err);
	if (rc != PST_OK)
		return rc;
	const size_t at = pst_lease_owner_at(&lease, via);
	if (lease.kind != PST_LEASE_SANDBOX || at == lease.nowners ||
	    strcmp(lease.owners[at].proc.boot, self.boot) != 0)
		return pst_fail(err, PST_E_STATE, "",
				"id block %u is not a block of pod %.32s that is up", block.first,
				via);
	if (pst_lease_owner_at(&lease, owner) != lease.nowners)
		return PST_OK;
	rc = pst_lease_add_owner(&lease, owner, &self, err);
	return rc != PST_OK ? rc : pst_lease_store(l, &lease, err);
}

int pst_lease_release(struct pst_leases *l, struct pst_idspan block, const char *owner,
		      struct pst_err *err)
{
	pst_auto_lease lease = {0};
	const int rc = pst_lease_read(l, block, &lease, err);
	if (rc == PST_E_STATE) /* none, or garbage: that is the sweep's to judge */
		return PST_OK;
	if (rc != PST_OK)
		return rc;
	const size_t at = pst_lease_owner_at(&lease, owner);
	if (at == lease.nowners)
		return PST_OK;
	pst_lease_drop_owner(&lease, at);
	return pst_lease_store(l, &lease, err);
}

int pst_lease_release_all(struct pst_leases *l, const char *owner, struct pst_err *err)
{
	pst_auto_idspans blocks = {0};
	int rc = pst_lease_find(l, owner, &blocks, err);
	for (size_t i = 0; rc == PST_OK && i < blocks.n; i++)
		rc = pst_lease_release(l, blocks.v[i], owner, err);
	return rc;
}

int pst_lease_find(struct pst_leases *l, const char *owner, struct pst_idspans *out,
		   struct pst_err *err)
{
	pst_auto_idspans all = {0};
	int rc = pst_lease_list(l, &all, err);
	for (size_t i = 0; rc == PST_OK && i < all.n; i++) {
		pst_auto_lease lease = {0};
		rc = pst_lease_read(l, all.v[i], &lease, err);
		if (rc == PST_E_STATE)
			rc = PST_OK; /* garbage is nobody's */
		else if (rc == PST_OK && pst_lease_owner_at(&lease, owner) != lease.nowners)
			rc = pst_idspans_add(out, all.v[i], err);
	}
	return rc;
}

static int add_block(void *arg, const char *name, struct pst_err *err)
{
	struct pst_idspan block;
	return pst_lease_block(name, &block) ? pst_idspans_add(arg, block, err) : PST_OK;
}

static int by_first(const void *a, const void *b)
{
	const struct pst_idspan *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

int pst_lease_list(struct pst_leases *l, struct pst_idspans *out, struct pst_err *err)
{
	const size_t before = out->n;
	const int rc = pst_dirents_each(l->fd, add_block, out, err);
	if (rc == PST_OK && out->n > before)
		qsort(out->v + before, out->n - before, sizeof *out->v, by_first);
	return rc;
}

#include "host/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "core/subid.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/lease_priv.h"
#include "host/livemap.h"

#define TEXT_MAX ((size_t)64 << 20) /* account files of a directory service */

const struct pst_lease_sources pst_lease_sources_default = {
	.pool = {.first = UINT32_C(0x70000000), .len = UINT32_C(4095) * PST_ID_BLOCK},
	.subuid = "/etc/subuid",
	.subgid = "/etc/subgid",
	.passwd = "/etc/passwd",
	.group = "/etc/group",
};

/* A missing file is an empty text. */
static int read_text(const char *path, struct pst_buf *out, struct pst_err *err)
{
	struct pst_err why = {0};
	const int rc = pst_io_read_trusted(AT_FDCWD, path, TEXT_MAX, out, &why);
	if (rc == PST_E_HOST && why.sys == ENOENT)
		return PST_OK;
	if (rc != PST_OK && err != NULL)
		*err = why;
	return rc;
}

static int read_subids(const char *path, struct pst_idspan *own, struct pst_idspans *held,
		       struct pst_err *err)
{
	pst_auto_buf text = {0};
	const int rc = read_text(path, &text, err);
	return rc != PST_OK ? rc
			    : pst_subid_parse(pst_buf_cstr(&text), text.len, path, own, held, err);
}

static int read_pool(const struct pst_lease_sources *src, struct pst_idspan *out,
		     struct pst_idspans *held, struct pst_err *err)
{
	struct pst_idspan uid = {0}, gid = {0};
	int rc = read_subids(src->subuid, &uid, held, err);
	if (rc == PST_OK)
		rc = read_subids(src->subgid, &gid, held, err);
	return rc != PST_OK ? rc : pst_subid_pool(uid, gid, src->pool, out, err);
}

int pst_lease_pool(const struct pst_lease_sources *src, struct pst_idspan *out,
		   struct pst_err *err)
{
	pst_auto_idspans held = {0};
	return read_pool(src, out, &held, err);
}

/* The pool, and every slot somebody else was given by the files. */
static int read_sources(const struct pst_lease_sources *src, struct pst_idspan *pool,
			struct pst_idset *held, struct pst_err *err)
{
	pst_auto_idspans spans = {0};
	const char *const accounts[] = {src->passwd, src->group};
	int rc = read_pool(src, pool, &spans, err);
	for (size_t i = 0; rc == PST_OK && i < PST_NELEM(accounts); i++) {
		pst_auto_buf text = {0};
		rc = read_text(accounts[i], &text, err);
		if (rc == PST_OK)
			rc = pst_subid_accounts(pst_buf_cstr(&text), text.len, *pool, &spans, err);
	}
	for (size_t i = 0; rc == PST_OK && i < spans.n; i++)
		pst_idset_add(held, spans.v[i]);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail for a clock Linux has */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int look_at_living(struct pst_leasehint *h, struct pst_err *err)
{
	struct pst_idset live = {0};
	const int64_t start = now_ms();
	const int rc = pst_livemap_scan(&live, err);
	if (rc != PST_OK)
		return rc;
	h->live = live;
	h->live_ms = start;
	return PST_OK;
}

/* Text of 64 random bits: where the search starts. */
static int random_key(char out[17], struct pst_err *err)
{
	uint64_t r;
	ssize_t n;
	do
		n = pst_host->getrandom(&r, sizeof r, 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof r)
		return pst_fail_sys(err, "cannot get random bytes");
	snprintf(out, 17, "%016llx", (unsigned long long)r);
	return PST_OK;
}

/* One round with what the hint knows. A slot that turns out to have a file is
 * noted and the next is tried, so this ends after at most one pool. */
static int pick_once(struct pst_leases *l, struct pst_idspan pool, const struct pst_idset *others,
		     const char *key, struct pst_leasehint *h, struct pst_idspan *out,
		     struct pst_err *err)
{
	struct pst_idset held = *others;
	pst_idset_merge(&held, &h->used);
	pst_idset_merge(&held, &h->live);
	for (;;) {
		struct pst_idspan block;
		struct stat st;
		char name[PST_LEASE_NAME];
		const int rc = pst_idrange_pick_set(pool, &held, key, &block, err);
		if (rc != PST_OK)
			return rc;
		pst_lease_name(block.first, name);
		if (pst_host->fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT)
				return pst_fail_sys(err, "cannot look at lease ids/%s", name);
			*out = block;
			return PST_OK;
		}
		pst_idset_add(&held, block);
		pst_idset_add(&h->used, block);
	}
}

/* All looked at afresh, then once more without the dead. */
static int pick_hard(struct pst_leases *l, struct pst_idspan pool, const struct pst_idset *others,
		     const char *key, struct pst_leasehint *h, struct pst_idspan *out,
		     struct pst_err *err)
{
	struct pst_err full;
	struct pst_lease_swept swept = {0};
	int rc = pst_leasehint_list(l, h, err);
	if (rc == PST_OK)
		rc = look_at_living(h, err);
	if (rc != PST_OK)
		return rc;
	rc = pick_once(l, pool, others, key, h, out, &full);
	if (rc == PST_E_EXHAUSTED) {
		rc = pst_lease_sweep(l, &swept, NULL, err);
		if (rc == PST_OK)
			rc = pst_leasehint_list(l, h, err);
		return rc != PST_OK ? rc : pick_once(l, pool, others, key, h, out, err);
	}
	if (rc != PST_OK && err != NULL)
		*err = full;
	return rc;
}

static int pick_from(struct pst_leases *l, struct pst_idspan pool, const struct pst_idset *others,
		     const char *key, struct pst_idspan *out, struct pst_err *err)
{
	struct pst_leasehint h;
	struct pst_err why;
	int rc = pst_leasehint_load(l, &h, err);
	if (rc != PST_OK)
		return rc;
	const int64_t age = now_ms() - h.live_ms;
	bool changed = h.live_ms == 0 || age < 0 || age > PST_LEASE_LIVE_MS;
	if (changed)
		rc = look_at_living(&h, err);
	if (rc != PST_OK)
		return rc;
	rc = pick_once(l, pool, others, key, &h, out, &why);
	if (rc == PST_E_EXHAUSTED) {
		changed = true;
		rc = pick_hard(l, pool, others, key, &h, out, &why);
	}
	if (rc != PST_OK && err != NULL)
		*err = why;
	if (rc == PST_OK && changed)
		pst_leasehint_save(l, &h);
	return rc;
}

int pst_lease_pick(struct pst_leases *l, const struct pst_lease_sources *src, const char *key,
		   struct pst_idspan *out, struct pst_err *err)
{
	struct pst_idset others = {0};
	struct pst_idspan pool;
	char seed[17];
	int rc = read_sources(src, &pool, &others, err);
	if (rc == PST_OK && key == NULL)
		rc = random_key(seed, err);
	return rc != PST_OK ? rc : pick_from(l, pool, &others, key == NULL ? seed : key, out, err);
}

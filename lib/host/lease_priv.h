/*
 * host/lease_priv.h - shared by lease*.c: the form of a lease file, and the hint.
 */
#pragma once

#include "base/buf.h"
#include "host/lease.h"

#define PST_LEASE_NAME 8 /* "65535", or the name of a file of ours, and a NUL */

/* The file name of the block that starts at `first`. */
void pst_lease_name(uint32_t first, char out[PST_LEASE_NAME]);

/* The block of a file name; false if it is not the name of a lease. */
PST_CHECKED bool pst_lease_block(const char *name, struct pst_idspan *out);

/* Lease to JSON text and back. parse: PST_E_STATE for anything that is not a
 * lease of `block` in every field. */
PST_CHECKED int pst_lease_print(const struct pst_lease *l, struct pst_buf *out,
				struct pst_err *err);
PST_CHECKED int pst_lease_parse(const char *text, size_t len, struct pst_idspan block,
				struct pst_lease *out, struct pst_err *err);

/* Append an owner written down by `proc` now. */
PST_CHECKED int pst_lease_add_owner(struct pst_lease *l, const char *key,
				    const struct pst_procid *proc, struct pst_err *err);

/* Index of `key` among the owners, nowners if it is none. */
PST_CHECKED size_t pst_lease_owner_at(const struct pst_lease *l, const char *key);
void pst_lease_drop_owner(struct pst_lease *l, size_t at);

/* Write the lease back, or with no owner left remove it; the hint follows. */
PST_CHECKED int pst_lease_store(struct pst_leases *l, const struct pst_lease *lease,
				struct pst_err *err);
PST_CHECKED int pst_lease_remove(struct pst_leases *l, struct pst_idspan block,
				 struct pst_err *err);

/* What is known without opening a lease. */
struct pst_leasehint {
	struct pst_idset used; /* slots with a file in ROOT/ids */
	struct pst_idset live; /* slots a process was mapped to at live_ms, or freed since */
	int64_t live_ms;       /* CLOCK_BOOTTIME of that look; 0 if there was none */
};

/* Read ROOT/ids/.hint; where there is none that fits this boot, list the names
 * instead (live_ms is then 0). */
PST_CHECKED int pst_leasehint_load(struct pst_leases *l, struct pst_leasehint *out,
				   struct pst_err *err);

/* List the names into h->used. */
PST_CHECKED int pst_leasehint_list(struct pst_leases *l, struct pst_leasehint *h,
				   struct pst_err *err);

/* Write it, or if that fails remove it: it is a cache, so no error. */
void pst_leasehint_save(struct pst_leases *l, const struct pst_leasehint *h);
void pst_leasehint_forget(struct pst_leases *l);

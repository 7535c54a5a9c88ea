/* host/netshape_priv.h - shared by netshape*.c only. */
#pragma once

#include "core/netstate.h"
#include "host/netlink.h"
#include "host/netshape.h"

/* One link by index. *ret_there false: there is none (any more). */
PST_CHECKED int pst_nettc_link(struct pst_netlink *n, uint32_t index, struct pst_link *ret,
			       bool *ret_there, struct pst_err *err);

/* What stands on the host end `link`. */
PST_CHECKED int pst_nettc_see(struct pst_netlink *n, uint32_t link, struct pst_netseen *ret,
			      struct pst_err *err);

/* Make direction d of the record's link as its shape and its holders say; a link that
 * is gone is fine only when nothing is wanted of it. */
PST_CHECKED int pst_nettc_apply(struct pst_netlink *n, struct pst_netstate *s,
				enum pst_net_dir d, struct pst_err *err);

/* The link whose root is the bucket that limits direction d; 0: none of ours, or one that is not ours
 * and tighter. */
PST_CHECKED int pst_nettc_bucket(struct pst_netlink *n, const struct pst_netstate *s, enum pst_net_dir d,
				 uint32_t *ret, struct pst_err *err);

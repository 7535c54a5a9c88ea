/*
 * core/netstate.h - what is kept of one limited link: STATE/net/INDEX. Pure.
 *
 * A network namespace may serve several containers (a pod), so a link is limited once:
 * at the least of what its holders want, until the last has gone.
 * Format: docs/formats.md "Limited links".
 */
#pragma once

#include "base/buf.h"
#include "core/ctrid.h"
#include "core/netlimit.h"

#define PST_NET_HOLDERS_MAX 1024

struct pst_netholder {
	char key[PST_KEY_LEN + 1]; /* of a container */
	struct pst_netrates want;
};

struct pst_netstate {
	uint32_t link; /* the host end */
	uint32_t mtu;
	char name[PST_RTNL_NAME];
	struct pst_netshape shape[PST_NET_DIRS];
	struct pst_netholder *holder;
	size_t nholder;
};

#define pst_auto_netstate PST_CLEANUP(pst_netstate_done) struct pst_netstate
void pst_netstate_done(struct pst_netstate *s);

/* Container `key` wants `want`; what it wanted before is forgotten. PST_E_EXHAUSTED
 * above PST_NET_HOLDERS_MAX. */
PST_CHECKED int pst_netstate_hold(struct pst_netstate *s, const char *key, struct pst_netrates want,
				  struct pst_err *err);
/* It wants nothing any more; no holder of that name is fine. */
void pst_netstate_drop(struct pst_netstate *s, const char *key);

/* What the holders want of one direction together: the least; 0 is no limit. */
PST_CHECKED uint64_t pst_netstate_bits(const struct pst_netstate *s, enum pst_net_dir d);

/* Text and back. parse: PST_E_STATE for anything that is not such a file of `link`. */
PST_CHECKED int pst_netstate_print(const struct pst_netstate *s, struct pst_buf *out,
				   struct pst_err *err);
PST_CHECKED int pst_netstate_parse(const char *text, size_t len, uint32_t link,
				   struct pst_netstate *ret, struct pst_err *err);

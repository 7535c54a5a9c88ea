/*
 * host/netshape.h - limit the links of a container's network namespace, and take the
 * limits off again.
 *
 * The links are found from the namespace and believed only when the kernel says the same
 * on both sides, so a container cannot make us shape a foreign link; what is made
 * stands in the host's namespace, out of its reach (core/netlimit.h). Each limited link has
 * a record STATE/net/INDEX (core/netstate.h), written before the kernel is told anything,
 * and one lock over the directory serialises all of it: a killed process leaves what
 * pst_netshape_drop takes away.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/netlimit.h"
#include "core/note.h"
#include "host/statedir.h"

#define PST_NETSHAPE_LINKS 24 /* of one namespace; more is refused */

/* Host ends of links that have to be limited. */
struct pst_netends {
	struct pst_link v[PST_NETSHAPE_LINKS];
	size_t n; /* 0: nothing leaves the namespace */
};

/*
 * The host ends of all links of the network namespace `netns`. PST_E_POLICY when one leads
 * out of it and cannot be limited, or the namespace is the one we are in.
 */
PST_CHECKED PST_NONNULL(2)
int pst_netshape_ends(int netns, struct pst_netends *ret, struct pst_err *err);

/*
 * Container `key` wants the link limited to `want`. Others may hold it too: the least
 * counts. PST_E_POLICY when somebody else's qdiscs or filters are in the way. After a
 * failure pst_netshape_drop takes back what was done.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_netshape_hold(struct pst_statedir *sd, const struct pst_link *end, const char *key,
		      struct pst_netrates want, struct pst_err *err);

/*
 * Container `key` is gone: the link gets what the others want, or is as it was found.
 * A link or a record that is gone is fine.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_netshape_drop(struct pst_statedir *sd, uint32_t link, const char *key, struct pst_err *err);

/* Where a bucket of a limit stands. */
struct pst_netbucket {
	enum pst_net_dir dir;
	uint32_t link;
};

/* The buckets container `key` waits at, `max` at most. Those of somebody else that are tighter than
 * what it wants are none. */
PST_CHECKED PST_NONNULL(1, 2, 3, 5)
int pst_netshape_buckets(struct pst_statedir *sd, const char *key, struct pst_netbucket *ret, size_t max,
			 size_t *ret_n, struct pst_err *err);

/* Drop all holders that have no directory in STATE/c; notes (may be NULL) says which. */
PST_CHECKED PST_NONNULL(1)
int pst_netshape_sweep(struct pst_statedir *sd, struct pst_notes *notes, struct pst_err *err);

/* Can this kernel limit both directions? Tried in a network namespace of its own.
 * PST_E_HOST names what it lacks. */
PST_CHECKED int pst_netshape_works(struct pst_err *err);

/*
 * host/sharedmount.h - bind mounts that are to propagate to the host, out of a mount namespace of ours.
 *
 * All mounts of that namespace (pst_stage_private) are slaves of the host's: what a container
 * mounts below a source of it ends there. A clone that is taken in the host's namespace belongs to
 * the group of the host's mount (mount_namespaces(7), "peer group"); put over the source's place
 * in ours, the runtime finds it by the same path, and what the container mounts reaches the host.
 * For containers of the host's own ids: for others the plan refuses such mounts.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/spec.h"
#include "host/volume.h"

#define PST_SHAREDMOUNT_MAX 16 /* of one container */

struct pst_sharedmounts {
	struct pst_volume source[PST_SHAREDMOUNT_MAX];
	int mnt[PST_SHAREDMOUNT_MAX];
	size_t n;
};

/* Closes and frees; accepts an empty value. */
void pst_sharedmounts_done(struct pst_sharedmounts *s);
#define pst_auto_sharedmounts PST_CLEANUP(pst_sharedmounts_done) struct pst_sharedmounts

/*
 * In the host's mount namespace: clones of the sources, with all that is mounted below. A source
 * that is missing is the runtime's to tell of; one that lies below another comes with it; one that
 * holds the bundle stays a slave, since the root file system that is mounted there would reach the host.
 *
 * ret  freed by the caller, whatever is returned
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_sharedmounts_take(const struct pst_spec *spec, const char *bundle,
			  struct pst_sharedmounts *ret, struct pst_err *err);

/* In our own: over their places. PST_E_STATE when something else stands in one meanwhile. */
PST_CHECKED PST_NONNULL(1)
int pst_sharedmounts_put(const struct pst_sharedmounts *s, struct pst_err *err);

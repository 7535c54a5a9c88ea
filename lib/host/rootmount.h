/*
 * host/rootmount.h - a root file system that comes as mounts to be made.
 *
 * containerd's shims mount it themselves (CreateTaskRequest.rootfs). Whatever is
 * mounted here hangs in a mount namespace of this process: the host's table never
 * has it, and it ends with the container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ovl.h"
#include "core/spec.h"

/* As in mount(8); options joined with commas, "" for none. Borrowed. */
struct pst_rootmount {
	const char *type;
	const char *source;
	const char *options;
};

/* Most mounts one root file system is made of. */
#define PST_ROOTMOUNT_MAX 16

/*
 * Cut "TYPE,SOURCE,OPTIONS" in place. PST_E_USAGE without two commas.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_rootmount_parse(char *text, struct pst_rootmount *ret, struct pst_err *err);

/*
 * Is it one overlay that host/overlay.h can build from its directories, so that it need
 * not be mounted first? Then *ret is its layout, to be freed with pst_ovl_done.
 * Anything unusual (options to carry over, relative or mapped layers) is not.
 */
PST_CHECKED PST_NONNULL(3)
bool pst_rootmount_direct(const struct pst_rootmount *m, size_t n, struct pst_ovl_layout *ret);

/*
 * Enter a mount namespace of our own and mount all of them, in order, at
 * BUNDLE/rootfs, which is made if it is missing. Bind mounts of the spec that are to
 * propagate to the host still do (host/sharedmount.h).
 *
 * An overlay with uidmap= and gidmap= gets its lower directories id-mapped, as containerd 2
 * means it; these maps on another type are refused.
 *
 * Returns PST_OK; PST_E_SPEC for options no mount of the kernel's has (containerd's own
 * words among them); PST_E_HOST. There is no way back into the old
 * namespace: on failure the process should end.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_rootmount_mount(const char *bundle, const struct pst_spec *spec, const struct pst_rootmount *m,
			size_t n, struct pst_err *err);

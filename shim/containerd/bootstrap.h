/*
 * containerd/bootstrap.h - what containerd writes to the stdin of `start`.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "containerd/args.h"

struct pst_bootstrap {
	char socket_dir[64];   /* where the socket goes; never empty afterwards */
	char shim_cgroup[256]; /* "" = stay where we are */
};

/*
 * Read `fd` to its end. Up to containerd 2.2 it holds the runtime's options as an Any, or
 * nothing; from 2.3 a BootstrapParams, known by carrying our own id and namespace (the
 * two encodings collide). Unknown options are PST_E_SPEC.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_bootstrap_read(int fd, const struct pst_shim_args *a, struct pst_bootstrap *ret,
		       struct pst_err *err);

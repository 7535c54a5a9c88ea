/*
 * host/factfind.h - collect the facts of core/facts.h. Reads only; probes make
 * detached mounts that nobody sees.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "core/spec.h"
#include "host/ctx.h"

struct pst_factfind {
	const char *bundle;  /* path of the caller's bundle, NULL: machine facts only */
	const char *stage;   /* STAGE of this container, absolute */
	const char *listener; /* where its denials would go, absolute; NULL: nowhere */
	uint32_t base;       /* block held or proposed, 0: none */
	uint32_t second;     /* one more, for ids above it (core/highids.h); 0: none */
	int userns;          /* id map of `base` for probes, -1: nothing is probed */
	const char *const *layers; /* launch: image layers, topmost first */
	size_t nlayers;
	const char *upper, *work;
	bool hidden_root; /* the root file system is mounted where only we see it */
	bool disks; /* find the block devices: a disk limit holds, or somebody wants to see them */
};

/*
 * spec  NULL exactly when f->bundle is NULL.
 * ret   new reference.
 */
PST_CHECKED int pst_factfind(struct pst_ctx *c, const struct pst_factfind *f,
			     const struct pst_spec *spec, json_t **ret, struct pst_err *err);

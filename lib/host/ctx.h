/*
 * host/ctx.h - what every life step starts from: policy, state, runtime. Opened
 * once a process; strings of the caller are borrowed.
 */
#pragma once

#include "base/attr.h"
#include "core/policy.h"
#include "core/runver.h"
#include "host/container.h"
#include "host/statedir.h"

struct pst_ctx {
	const struct pst_global *g;
	struct pst_policy policy;
	struct pst_statedir sd;
	char *root;              /* the caller's --root, canonical */
	struct pst_runtime rt;
	bool full_root;          /* this process maps every host id */
	bool transparent;        /* policy asks for nothing at all: pass all through */
};

#define PST_CTX_NONE {.sd = PST_STATEDIR_NONE}
#define pst_auto_ctx PST_CLEANUP(pst_ctx_done) struct pst_ctx

/* Load the policy, find the runtime, open the state directory. */
PST_CHECKED int pst_ctx_open(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err);

/* The same for verbs that change nothing: a missing state directory is fine
 * (ret->sd.fd is then -1). */
PST_CHECKED int pst_ctx_look(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err);

/* The same for what is done to a container that is there and decides nothing (kill, delete, state):
 * where the policy cannot be read, or its class is gone, the built-in one stands in, which says no
 * more than what the runtime is. A mistake in a file must not keep anybody from ending what runs. */
PST_CHECKED int pst_ctx_end(const struct pst_global *g, struct pst_ctx *ret, struct pst_err *err);

/* Accepts PST_CTX_NONE. */
void pst_ctx_done(struct pst_ctx *c);

/* The key of container `id` of this caller (core/ctrid.h). PST_E_USAGE for a bad id. */
PST_CHECKED int pst_ctx_key(const struct pst_ctx *c, const char *id, char out[33],
			    struct pst_err *err);

/* Absolute, clean, links resolved as far as the path exists. malloc'd, or NULL. */
PST_CHECKED char *pst_ctx_canonical(const char *path);

/* "STATE/c/KEY" and "STATE/stage". buf is returned. */
const char *pst_ctx_dir(const struct pst_ctx *c, const char *key, char *buf, size_t size);
const char *pst_ctx_stage(const struct pst_ctx *c, char *buf, size_t size);

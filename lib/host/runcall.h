/*
 * host/runcall.h - the runtime's command line, and what has to be true of the
 * process that becomes it: inside the container's network namespace where the
 * runtime cannot enter it itself, and behind the fixed pre-exec filter.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "host/ctx.h"
#include "host/runtime.h"

#define PST_RUNCALL_ARGS 512

struct pst_runcall {
	const char *argv[PST_RUNCALL_ARGS];
	size_t n;
	bool full;         /* an argument found no place */
	struct pst_spawn spawn;
	int netns;         /* entered before exec; -1 none. Closed by pst_runcall_done */
	bool safety_net;
};

/*
 * Begin a command line: program, the caller's global flags, and --root `root`
 * (NULL: the caller's own, if one was given). Strings are borrowed until done.
 */
void pst_runcall_begin(struct pst_runcall *c, const struct pst_ctx *ctx, const char *root);
void pst_runcall_add(struct pst_runcall *c, const char *arg);
void pst_runcall_add2(struct pst_runcall *c, const char *flag, const char *value);

/* Enter this network namespace first. */
PST_CHECKED int pst_runcall_netns(struct pst_runcall *c, const char *path, struct pst_err *err);

/* Complete c->spawn; borrowed from c. PST_E_USAGE with too many arguments. */
PST_CHECKED int pst_runcall_ready(struct pst_runcall *c, struct pst_err *err);

void pst_runcall_done(struct pst_runcall *c);
#define pst_auto_runcall PST_CLEANUP(pst_runcall_done) struct pst_runcall

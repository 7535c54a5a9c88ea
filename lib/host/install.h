/*
 * host/install.h - wire an engine to postern, and take the wires away again.
 *
 * Writes the engine's configuration and nothing else. What the engine does not accept is not
 * left in place; nothing is restarted unless asked for; what others wrote stays as it is, to
 * the byte.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "host/container.h"

struct pst_install {
	const char *engine; /* containerd, docker, podman, crio */
	bool remove;        /* uninstall */
	bool dry_run;
	bool restart;
	const char *config; /* the engine's file, NULL for the usual one */
	const char *bin;    /* folder of the programs as the engine shall find them; NULL: where
			       this one is */
};

struct pst_installed {
	struct pst_buf diff;  /* of every file; empty: all is as wanted already */
	struct pst_buf notes; /* lines for a person */
};
void pst_installed_done(struct pst_installed *r);
#define pst_auto_installed PST_CLEANUP(pst_installed_done) struct pst_installed

/*
 * Do it. g: its policy's classes become handlers; a --policy given is written down with them.
 *
 * PST_E_USAGE; PST_E_STATE: somebody else's lines stand in the way, or the engine does not
 * take what was written (all is as before then); PST_E_RUNTIME: the engine is not installed,
 * or refuses its configuration as it stands; PST_E_POLICY, PST_E_SPEC, PST_E_HOST of the files.
 * ret is filled as far as it came, for a failed --restart among others.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_install_run(const struct pst_global *g, const struct pst_install *in,
		    struct pst_installed *ret, struct pst_err *err);

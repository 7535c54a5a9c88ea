/*
 * host/engine.h - the container engines whose configuration names us, asked by their own
 * programs what they make of it.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/wirecontainerd.h"

enum pst_engine_id { PST_CONTAINERD, PST_DOCKER, PST_PODMAN, PST_CRIO };

struct pst_engine {
	enum pst_engine_id id;
	const char *name;    /* as on the command line */
	const char *program; /* looked up in PATH */
	const char *config;  /* the file that is changed */
	char *path;          /* of the program; NULL: it is not installed */
	struct pst_cd_version version; /* of containerd */
};

/* By name, with `config` in place of the usual file (containerd, docker), and its program found
 * if there is one. PST_E_USAGE for another name or a config that is not absolute. */
PST_CHECKED PST_NONNULL(1, 3)
int pst_engine_open(const char *name, const char *config, struct pst_engine *ret,
		    struct pst_err *err);
void pst_engine_done(struct pst_engine *e);
#define pst_auto_engine PST_CLEANUP(pst_engine_done) struct pst_engine

struct pst_engine_state {
	struct pst_cd_dump cd; /* containerd */
	bool handler;          /* podman, crio: it knows the runtime `postern` */
	bool dflt;             /* podman, crio: and uses it when none is named */
	bool unchecked;        /* docker before 23.0: it has no way to be asked */
};

/*
 * Ask the engine to read its configuration as it now is, and what it then knows. PST_E_RUNTIME
 * with its own words when it refuses. ours: podman is to try the runtime `postern`.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_engine_check(const struct pst_engine *e, bool ours, struct pst_engine_state *ret,
		     struct pst_err *err);

/* What systemctl has to be told for it to read its configuration again: "restart containerd".
 * NULL: it reads it at each command. */
const char *pst_engine_reload(const struct pst_engine *e);

/* Do so. PST_E_RUNTIME with systemctl's words. */
PST_CHECKED PST_NONNULL(1) int pst_engine_restart(const struct pst_engine *e, struct pst_err *err);

/*
 * core/launchspec.h - a config.json for `postern launch`. Pure.
 *
 * What an engine would write for `run` without options: its 14 capabilities,
 * its mounts, masked and read-only paths (config-linux.md; the values are those
 * Docker and Podman share). Hardening is not done here: the plan does it, as
 * for any other bundle.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ociimage.h"

/* What was asked for. Strings are borrowed; NULL means not given. */
struct pst_launch {
	const char *rootfs; /* absolute path for root.path */
	const json_t *seccomp; /* the caller's own syscall profile, or NULL; borrowed */
	const char *profile, *user, *workdir, *hostname, *net, *memory, *cpus, *pids, *disk;
	bool tty, read_only;
	const char *const *volumes; /* SRC:DST[:ro|rw] */
	size_t nvolumes;
	const char *const *env; /* K=V, or K: taken from the caller's environment */
	size_t nenv;
	const char *const *annotations; /* K=V */
	size_t nannotations;
	const char *const *cmd;
	size_t ncmd;
	const struct pst_oci_config *image; /* NULL for a plain rootfs */
	const char *passwd, *group; /* texts of the rootfs's files, "" if it has none */
	const char *(*getenv)(const char *name); /* for --env K */
};

/* On success a new reference. PST_E_USAGE in Docker's words for what was asked wrongly. */
PST_CHECKED int pst_launchspec_make(const struct pst_launch *l, json_t **ret, struct pst_err *err);

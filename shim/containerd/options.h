/*
 * containerd/options.h - the runtime options of a container.
 *
 * Two messages carry them: containerd.runc.v1.Options, and runtimeoptions.v1.Options, whose
 * body is TOML (CRI sends it to any runtime type but runc's). Both end in one struct.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Strings are owned, NULL where not given. */
struct pst_shim_options {
	char *binary_name; /* BinaryName: the OCI runtime */
	char *root;        /* Root */
	char *shim_cgroup; /* ShimCgroup */
	char *class_name;  /* Class: a class of the node's policy */
	char *policy;      /* Policy: another policy file */
	uint32_t io_uid, io_gid;
	bool systemd_cgroup, no_pivot_root, no_new_keyring;
};
void pst_options_done(struct pst_shim_options *o);

/* Decode the Any `type_url`, `value`; a type that is none of the two, a TOML that does
 * not parse and an unknown key are PST_E_SPEC. `ret` must be zero. */
PST_CHECKED PST_NONNULL(1, 4)
int pst_options_decode(const char *type_url, const uint8_t *value, size_t len,
		       struct pst_shim_options *ret, struct pst_err *err);

/* One key of the TOML, by the names containerd's configuration uses. The value is copied. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_options_set(struct pst_shim_options *o, const char *key, const char *value,
		    struct pst_err *err);

#define PST_OPTIONS_MAX 4096 /* bytes of BUNDLE/postern.options; longer ones are refused */

/*
 * BUNDLE/postern.options: what the `delete` action, a process that may come long after
 * the server died, must know: one word a line, the global flags of postern for this
 * container. It is removed after a Delete, so its absence says that nothing is left.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_options_store(const char *bundle, const struct pst_shim_options *o, const char *root,
		      struct pst_err *err);
void pst_options_forget(const char *bundle);

/* Has the `delete` action begun for this container (BUNDLE/postern.deleted), or is its
 * bundle gone? Then nobody comes for it any more. */
#define PST_DELETED_NAME "postern.deleted"
PST_CHECKED bool pst_options_deleted(const char *bundle);

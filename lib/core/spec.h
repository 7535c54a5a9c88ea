/*
 * core/spec.h - the OCI runtime spec, typed as far as a decision needs it. Pure.
 *
 * Source: opencontainers/runtime-spec config.md, config-linux.md. Every field
 * read here is checked for its type, and a wrong one is PST_E_SPEC with its JSON
 * pointer; fields not read here pass to the runtime untouched (I-6).
 * All strings and trees are borrowed from the document.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/caps.h"

enum pst_ns_kind {
	PST_NS_PID,
	PST_NS_NETWORK,
	PST_NS_MOUNT,
	PST_NS_IPC,
	PST_NS_UTS,
	PST_NS_USER,
	PST_NS_CGROUP,
	PST_NS_TIME,
	PST_NS_COUNT,
};

struct pst_ns {
	bool present;
	size_t index;     /* in /linux/namespaces */
	const char *path; /* NULL: a new namespace */
};

enum pst_capkind {
	PST_CAPS_BOUNDING,
	PST_CAPS_EFFECTIVE,
	PST_CAPS_INHERITABLE,
	PST_CAPS_PERMITTED,
	PST_CAPS_AMBIENT,
	PST_CAPS_KINDS,
};

enum pst_prop { PST_PROP_NONE, PST_PROP_PRIVATE, PST_PROP_SLAVE, PST_PROP_SHARED };

struct pst_mount {
	size_t index; /* in /mounts */
	const char *destination;
	const char *type;   /* "" if absent */
	const char *source; /* "" if absent */
	const json_t *options;
	bool bind;      /* options name bind or rbind, or type is bind */
	bool recursive; /* rbind */
	bool readonly;  /* ro or rro */
	enum pst_prop propagation;
	bool mapped;    /* carries its own uidMappings or an (r)idmap option */
};

#define PST_SPEC_MAPS 340 /* the kernel's limit of lines in a uid_map, user_namespaces(7) */

struct pst_idmap {
	uint32_t container, host, size;
};

struct pst_spec {
	json_t *tree;
	struct pst_ns ns[PST_NS_COUNT];
	struct pst_idmap uid_map[8], gid_map[8]; /* first lines; n may be larger */
	size_t nuid_map, ngid_map;
	bool has_process; /* a spec without process can be created, not started */
	bool terminal, no_new_privs;
	uint32_t uid, gid;
	bool has_caps;
	pst_capset caps[PST_CAPS_KINDS];
	const char *unknown_cap; /* first capability name nobody knows, or NULL */
	const char *root_path;   /* as written */
	bool root_readonly;
	struct pst_mount *mounts; /* owned */
	size_t nmounts;
	const char *hostname;
	const json_t *devices;     /* array or NULL */
	const json_t *seccomp;     /* object or NULL */
	const json_t *sysctl;      /* object or NULL */
	const json_t *annotations; /* object or NULL */
	bool hooks;
	const char *cgroups_path;
	const char *rootfs_propagation;
};

/* Reads `tree` (borrowed, must outlive *ret). Free with pst_spec_done. */
PST_CHECKED int pst_spec_parse(json_t *tree, struct pst_spec *ret, struct pst_err *err);

void pst_spec_done(struct pst_spec *s);

/* "network" for PST_NS_NETWORK, as the spec writes it. */
const char *pst_ns_word(enum pst_ns_kind k);

/* "bounding" for PST_CAPS_BOUNDING. */
const char *pst_capkind_word(enum pst_capkind k);

/* The mount at destination `dst`, the last one if several; NULL if none. */
const struct pst_mount *pst_spec_mount_at(const struct pst_spec *s, const char *dst);

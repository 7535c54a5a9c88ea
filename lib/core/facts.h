/*
 * core/facts.h - what a plan needs to know of the machine and of the bundle. Pure.
 *
 * Facts are a JSON document (`postern facts`), so that a decision can be made
 * again anywhere: host/factfind.c collects it, this module reads it. The same
 * path serves live runs and replays. Format: docs/formats.md "facts".
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/spec.h"

/* Can a mount be id-mapped? (mount_setattr(2), MOUNT_ATTR_IDMAP) */
enum pst_mappable { PST_MAP_NONE, PST_MAP_FLAT, PST_MAP_RECURSIVE };

enum pst_src_kind {
	PST_SRC_MISSING,
	PST_SRC_DIR,
	PST_SRC_FILE,
	PST_SRC_SOCKET,
	PST_SRC_CHR,
	PST_SRC_BLK,
	PST_SRC_FIFO,
};

/* One bind source. */
struct pst_src_fact {
	bool known;         /* the facts mention this mount */
	const char *path;   /* canonical; borrowed */
	enum pst_src_kind kind;
	enum pst_mappable map;
	const char *fs; /* name of its file system, for messages */
	/* The mount it lies on: flags a user namespace cannot take off (mount_namespaces(7)). */
	bool ro, nosuid, nodev, noexec;
};

enum pst_ns_owner { PST_OWNER_HOST, PST_OWNER_BLOCK, PST_OWNER_OTHER };

/* A namespace the spec joins by path. */
struct pst_ns_fact {
	bool known;
	bool is_hosts; /* the very namespace the host's init is in */
	enum pst_ns_owner owner;
	uint32_t base;      /* of PST_OWNER_BLOCK */
	const char *userns; /* path that joins its owner, of PST_OWNER_BLOCK */
	const char *key;    /* container whose lease it is, of PST_OWNER_BLOCK */
	const json_t *high; /* its further mappings (highids.h), of PST_OWNER_BLOCK; NULL: none */
};

enum pst_root_fact { PST_ROOT_MISSING, PST_ROOT_OVERLAY, PST_ROOT_DIR, PST_ROOT_LAYERS };

struct pst_facts {
	const json_t *tree; /* borrowed */
	bool full_root;     /* the caller maps every host id (user_namespaces(7)) */
	bool idmap;         /* the kernel can id-map mounts */
	const char *overlay_form; /* "fd", "attached" or "none": how layers are handed over */
	const char *rt_name;
	int rt_version[3];
	bool rt_joins_netns; /* runver.h */
	bool rt_notify;        /* hands a filter's listener over: listenerPath */
	const char *listener;  /* where, absolute; "": this machine records no denials */
	bool rt_seccomp_flags; /* takes a non-empty flags list: not runc 1.1 */
	uint32_t base; /* block held or proposed; 0: none */
	uint32_t second; /* one more for ids above the first (highids.h); 0: none */
	const char *bundle_path, *stage; /* absolute */
	const char *sandbox; /* id of the pod's sandbox: alive, and of the same runtime root; "" */
	enum pst_root_fact rootfs;
	const char *rootfs_path;
	const json_t *layout; /* overlay layers */
	enum pst_mappable rootfs_map;
	const char *rootfs_why; /* why it cannot be mapped; "" */
};

/* PST_E_SPEC with a pointer into the facts when a member is missing or of the
 * wrong type. `tree` is borrowed and must outlive *ret. */
PST_CHECKED int pst_facts_parse(const json_t *tree, struct pst_facts *ret, struct pst_err *err);

/* The fact of mount `index`; known = false if there is none. */
struct pst_src_fact pst_facts_mount(const struct pst_facts *f, size_t index);

/* The fact of a joined namespace; known = false if there is none. */
struct pst_ns_fact pst_facts_ns(const struct pst_facts *f, enum pst_ns_kind k);

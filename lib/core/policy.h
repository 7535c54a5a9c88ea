/*
 * core/policy.h - the node owner's file, typed. Pure.
 *
 * Built-in defaults, then the policy file, then policy.d files merged key by key
 * in name order (arrays replaced, later wins), then the class chosen. Unknown
 * keys are errors with the pointer and the nearest known key. Format: design,
 * docs/man/postern-policy.5, profiles/policy.schema.json.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/caps.h"
#include "core/rlimit.h"

enum pst_grant { PST_REFUSE, PST_CONFINE, PST_PASS };

enum pst_grant_kind {
	PST_G_PRIVILEGED,
	PST_G_HOST_NETWORK,
	PST_G_HOST_PID,
	PST_G_HOST_IPC,
	PST_G_HOST_DEVICES,
	PST_G_ENGINE_SOCKETS,
	PST_G_HOST_PATH_WRITE,
	PST_G_UNMAPPED_WRITE,
	PST_G_COMPAT_ABI,
	PST_G_USERNS,
	PST_G_COUNT,
};

/* /limits/disk: rates, each of every disk, and the size of the writable layer. */
enum pst_disk {
	PST_DISK_READ_BPS,
	PST_DISK_WRITE_BPS,
	PST_DISK_READ_IOPS,
	PST_DISK_WRITE_IOPS,
	PST_DISK_SIZE,
	PST_DISK_COUNT,
};

/* /limits/network: rates, each of every link of a container, as the container sees it. */
enum pst_net_dir { PST_NET_EGRESS, PST_NET_INGRESS, PST_NET_DIRS };

/* Where a value came from, for reasons: file and pointer; "" file = built in. */
struct pst_origin {
	char file[200];
	char pointer[96];
};

/* A list of strings. */
struct pst_strv {
	char **v;
	size_t n;
};

enum pst_profile_mode { PST_MODE_ENFORCE, PST_MODE_OFF, PST_MODE_COMPLAIN };
enum pst_ids_mode { PST_IDS_MAP, PST_IDS_OFF };          /* /ids/mode: "map", "off" */
enum pst_ids_fallback { PST_FB_REFUSE, PST_FB_CHOWN, PST_FB_OFF }; /* /ids/fallback: rootfs that cannot be mapped */

struct pst_limit {
	bool has_default, has_max;
	uint64_t dflt, max; /* bytes, counts, or thousandths of a core; rlimits: getrlimit(2) */
};

struct pst_policy {
	char *runtime_path;      /* "runc": looked up in PATH by the host layer */
	enum pst_ids_mode ids_mode;
	enum pst_ids_fallback ids_fallback;
	uint32_t pool_first, pool_blocks;
	bool pool_set;           /* false: subuid's postern line, else the default pool */
	char *profile_default;   /* "baseline" */
	struct pst_strv profile_allow; /* "*" or names an annotation may choose */
	enum pst_profile_mode profile_mode;
	bool denials_record;     /* /denials/record */
	uint32_t denials_rate;   /* /denials/ratePerSecond: full records of one call, a second */
	pst_capset cap_ceiling;
	bool nnp_force;
	enum pst_grant grants[PST_G_COUNT];
	struct pst_strv volume_roots;
	struct pst_strv exempt_namespaces;
	struct pst_strv pass_annotations; /* exact keys, or a prefix ending in '*' */
	bool above_refuse;       /* /limits/above: what is above a ceiling is refused, not lowered */
	struct pst_limit pids, memory, cpu;
	struct pst_limit swap;   /* beside the memory */
	struct pst_limit hugepages, shm;
	struct pst_limit disk[PST_DISK_COUNT]; /* bytes or operations a second, bytes; no default */
	bool quota_required; /* /limits/disk/quota: a size that is only watched is refused */
	struct pst_limit rlimits[PST_RL_COUNT];
	struct pst_limit network[PST_NET_DIRS]; /* bits a second; no default */
	struct pst_strv mask_paths;     /* added to linux.maskedPaths */
	struct pst_strv readonly_paths; /* added to linux.readonlyPaths */
	bool safety_net;         /* /runtime/safetyNet, default true */
	char *class_name;        /* the class chosen, or NULL */
	json_t *tree;            /* merged document, for printing and origins */
	struct pst_origin *origins; /* private to policy*.c */
	size_t norigins;
};

/*
 * docs[i] are the parsed files in merge order (borrowed), names[i] their paths
 * for errors and origins. class_name NULL or "" is no class; an unknown one is
 * PST_E_POLICY. On success *ret owns everything; free with pst_policy_done.
 */
PST_CHECKED int pst_policy_build(json_t *const docs[], const char *const names[], size_t n,
				 const char *class_name, struct pst_policy *ret,
				 struct pst_err *err);

void pst_policy_done(struct pst_policy *p);

/* "policy.json /limits/pids/max", or "built-in policy /limits/pids/max": the
 * source text of a reason, for the innermost file that set `pointer`. buf is returned. */
const char *pst_policy_source(const struct pst_policy *p, const char *pointer, char *buf,
			      size_t size);

/* Does the policy limit anything, by a default or a ceiling? */
bool pst_policy_limits(const struct pst_policy *p);

/* "/grants/hostNetwork" for PST_G_HOST_NETWORK; "refuse" for PST_REFUSE. */
const char *pst_grant_pointer(enum pst_grant_kind k);
const char *pst_grant_word(enum pst_grant g);

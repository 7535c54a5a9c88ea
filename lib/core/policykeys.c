/*
 * Every key of the policy, as data. What cannot be honoured yet is refused, so
 * that no file claims a protection that is not there:
 *
 *   key                      accepted because it asks for nothing    refused
 *   /ids/fallback            refuse, off (both work)                 chown
 *   /execGate                log (exec is let through), null         deny
 *   /images/onMissing        allow                                   refuse
 *   /images/maxSeverity      critical (tolerates every finding)      all below
 *   /images/fixableOnly      any: narrows a limit that never bites   -
 *   /images/maxAge           any: an old verdict is a missing one    -
 *
 * A class is held to the same, chosen or not.
 */
#include <string.h>

#include "base/str.h"
#include "core/netlimit.h"
#include "core/policy_priv.h"
#include "core/policytext.h"

#define FIELD(m) .field = offsetof(struct pst_policy, m)
#define NOFIELD .field = PST_PK_UNTYPED

#define PIDS_MAX UINT64_C(4194304)        /* PID_MAX_LIMIT, proc_sys_kernel(5) pid_max */
#define NOFILE_MAX UINT64_C(2147483584)   /* highest fs.nr_open, kernel fs/file.c */
#define MEMORY_MIN (UINT64_C(1) << 20)    /* less starts no program: a slip such as "500m" */
#define STACK_MIN (UINT64_C(1) << 17)     /* exec(2) wants 128 KiB for arguments */
#define BPS_MIN 1024                      /* less is a slip such as "1m" */
#define CPU_MIN 10                        /* millicores: 1 ms in 100 ms, the kernel's least quota */
#define CPU_MAX UINT64_C(1000000)         /* 1,000 CPUs */

static const char *const words_ids_mode[] = {"map", "off", NULL};
static const char *const words_fallback[] = {"refuse", "chown", "off", NULL};
static const char *const later_fallback[] = {"chown", NULL};
static const char *const words_mode[] = {"enforce", "off", "complain", NULL};
static const char *const words_nnp[] = {"caller", "force", NULL};
static const char *const words_grant[] = {"refuse", "confine", "pass", NULL};
static const char *const words_above[] = {"lower", "refuse", NULL};
static const char *const words_quota[] = {"advisory", "require", NULL};
static const char *const words_gate[] = {"log", "deny", NULL};
static const char *const later_gate[] = {"deny", NULL};
static const char *const words_missing[] = {"allow", "refuse", NULL};
static const char *const later_missing[] = {"refuse", NULL};
static const char *const words_severity[] = {"critical", "high", "medium", "low", "none", NULL};
static const char *const later_severity[] = {"high", "medium", "low", "none", NULL};

#define OBJECT(p) {.pointer = (p), .kind = PST_PK_OBJECT, NOFIELD}
#define GRANT(name, k)                                                                   \
	{.pointer = "/grants/" name, .kind = PST_PK_WORD, .words = words_grant, FIELD(grants[k])}
#define AMOUNT(p, u, lo, hi, f, has)                                                     \
	{.pointer = (p), .kind = PST_PK_QUANTITY, .flags = PST_PF_NULL, .unit = (u),     \
	 .min = (lo), .max = (hi), FIELD(f), .present = offsetof(struct pst_policy, has)}
#define LIMIT(name, f, u, lo, hi)                                                        \
	{.pointer = "/limits/" name, .kind = PST_PK_OBJECT, .flags = PST_PF_NULL, NOFIELD}, \
	AMOUNT("/limits/" name "/default", u, lo, hi, f.dflt, f.has_default),            \
	AMOUNT("/limits/" name "/max", u, lo, hi, f.max, f.has_max)
#define RLIMIT(name, k, lo, hi) LIMIT(name, rlimits[k], PST_QUANTITY_COUNT, lo, hi)
#define RATE(p, k, lo, hi)                                                                 \
	AMOUNT(p, PST_QUANTITY_COUNT, lo, hi, disk[k].max, disk[k].has_max)
#define BANDWIDTH(p, d)                                                                    \
	AMOUNT(p, PST_QUANTITY_BITS, PST_NET_RATE_MIN, PST_NET_RATE_MAX, network[d].max,   \
	       network[d].has_max)
#define PATHS(p, f)                                                                      \
	{.pointer = (p), .kind = PST_PK_LIST, .text_ok = pst_policytext_path,            \
	 .want = "a clean absolute path", FIELD(f)}

const struct policy_key pst_policy_keys[] = {
	{.pointer = "/version", .kind = PST_PK_NUMBER, .flags = PST_PF_TOP_ONLY, .min = 1, .max = 1,
	 NOFIELD},

	OBJECT("/runtime"),
	{.pointer = "/runtime/path", .kind = PST_PK_TEXT, .text_ok = pst_policytext_program,
	 .want = "a program's name, or its absolute path", FIELD(runtime_path)},
	{.pointer = "/runtime/safetyNet", .kind = PST_PK_BOOL, FIELD(safety_net)},

	OBJECT("/ids"),
	{.pointer = "/ids/mode", .kind = PST_PK_WORD, .words = words_ids_mode, FIELD(ids_mode)},
	{.pointer = "/ids/fallback", .kind = PST_PK_WORD, .words = words_fallback,
	 .later = later_fallback, FIELD(ids_fallback)},
	{.pointer = "/ids/pool", .kind = PST_PK_OBJECT, .flags = PST_PF_NULL, NOFIELD},
	{.pointer = "/ids/pool/first", .kind = PST_PK_NUMBER, .min = 65536,
	 .max = UINT64_C(4294836224), FIELD(pool_first), .present = offsetof(struct pst_policy, pool_set)},
	{.pointer = "/ids/pool/blocks", .kind = PST_PK_NUMBER, .min = 1, .max = 65534,
	 FIELD(pool_blocks)},
	{.pointer = "/ids/size", .kind = PST_PK_NUMBER, .min = 65536, .max = 65536, NOFIELD},

	OBJECT("/profile"),
	{.pointer = "/profile/default", .kind = PST_PK_TEXT, .text_ok = pst_policytext_profile,
	 .want = PST_POLICYTEXT_PROFILE, FIELD(profile_default)},
	{.pointer = "/profile/allow", .kind = PST_PK_LIST, .text_ok = pst_policytext_allow,
	 .want = PST_POLICYTEXT_PROFILE ", or \"*\"", FIELD(profile_allow)},
	{.pointer = "/profile/mode", .kind = PST_PK_WORD, .words = words_mode,
	 FIELD(profile_mode)},

	OBJECT("/capabilities"),
	{.pointer = "/capabilities/ceiling", .kind = PST_PK_CAPS, FIELD(cap_ceiling)},
	{.pointer = "/noNewPrivileges", .kind = PST_PK_SWITCH, .words = words_nnp, FIELD(nnp_force)},

	OBJECT("/grants"),
	GRANT("privileged", PST_G_PRIVILEGED),
	GRANT("hostNetwork", PST_G_HOST_NETWORK),
	GRANT("hostPID", PST_G_HOST_PID),
	GRANT("hostIPC", PST_G_HOST_IPC),
	GRANT("hostDevices", PST_G_HOST_DEVICES),
	GRANT("engineSockets", PST_G_ENGINE_SOCKETS),
	GRANT("hostPathWrite", PST_G_HOST_PATH_WRITE),
	GRANT("unmappedWrite", PST_G_UNMAPPED_WRITE),
	GRANT("compatABI", PST_G_COMPAT_ABI),
	GRANT("userns", PST_G_USERNS),

	PATHS("/volumeRoots", volume_roots),
	OBJECT("/exempt"),
	{.pointer = "/exempt/namespaces", .kind = PST_PK_LIST, .text_ok = pst_policytext_namespace,
	 .want = "a Kubernetes namespace", FIELD(exempt_namespaces)},
	{.pointer = "/passAnnotations", .kind = PST_PK_LIST, .text_ok = pst_policytext_annotation,
	 .want = "an annotation's key, or a prefix of keys and a final \"*\"",
	 FIELD(pass_annotations)},

	OBJECT("/limits"),
	{.pointer = "/limits/above", .kind = PST_PK_SWITCH, .words = words_above, FIELD(above_refuse)},
	LIMIT("pids", pids, PST_QUANTITY_COUNT, 1, PIDS_MAX),
	LIMIT("memory", memory, PST_QUANTITY_COUNT, MEMORY_MIN, INT64_MAX),
	LIMIT("cpu", cpu, PST_QUANTITY_MILLI, CPU_MIN, CPU_MAX),
	LIMIT("swap", swap, PST_QUANTITY_COUNT, 0, INT64_MAX),
	LIMIT("hugepages", hugepages, PST_QUANTITY_COUNT, 0, INT64_MAX),
	LIMIT("shm", shm, PST_QUANTITY_COUNT, 4096, INT64_MAX),
	RLIMIT("nofile", PST_RL_NOFILE, 16, NOFILE_MAX),
	RLIMIT("nproc", PST_RL_NPROC, 1, PIDS_MAX),
	RLIMIT("core", PST_RL_CORE, 0, INT64_MAX),
	RLIMIT("memlock", PST_RL_MEMLOCK, 0, INT64_MAX),
	RLIMIT("stack", PST_RL_STACK, STACK_MIN, INT64_MAX),
	RLIMIT("fsize", PST_RL_FSIZE, 1, INT64_MAX),
	RLIMIT("data", PST_RL_DATA, MEMORY_MIN, INT64_MAX),
	RLIMIT("as", PST_RL_AS, MEMORY_MIN, INT64_MAX),
	RLIMIT("rss", PST_RL_RSS, 0, INT64_MAX),
	RLIMIT("cpuTime", PST_RL_CPU, 1, INT64_MAX),
	RLIMIT("locks", PST_RL_LOCKS, 0, INT64_MAX),
	RLIMIT("sigpending", PST_RL_SIGPENDING, 0, INT64_MAX),
	RLIMIT("msgqueue", PST_RL_MSGQUEUE, 0, INT64_MAX),
	RLIMIT("nice", PST_RL_NICE, 0, 40),
	RLIMIT("rtprio", PST_RL_RTPRIO, 0, 99),
	RLIMIT("rttime", PST_RL_RTTIME, 1, INT64_MAX),
	{.pointer = "/limits/disk", .kind = PST_PK_OBJECT, .flags = PST_PF_NULL, NOFIELD},
	RATE("/limits/disk/readBps", PST_DISK_READ_BPS, BPS_MIN, INT64_MAX),
	RATE("/limits/disk/writeBps", PST_DISK_WRITE_BPS, BPS_MIN, INT64_MAX),
	/* Of operations the kernel keeps 32 bits (block/blk-throttle.c). */
	RATE("/limits/disk/readIops", PST_DISK_READ_IOPS, 1, UINT32_MAX),
	RATE("/limits/disk/writeIops", PST_DISK_WRITE_IOPS, 1, UINT32_MAX),
	RATE("/limits/disk/size", PST_DISK_SIZE, MEMORY_MIN, INT64_MAX),
	{.pointer = "/limits/disk/quota", .kind = PST_PK_SWITCH, .words = words_quota,
	 FIELD(quota_required)},
	{.pointer = "/limits/network", .kind = PST_PK_OBJECT, .flags = PST_PF_NULL, NOFIELD},
	BANDWIDTH("/limits/network/egress", PST_NET_EGRESS),
	BANDWIDTH("/limits/network/ingress", PST_NET_INGRESS),

	OBJECT("/denials"),
	{.pointer = "/denials/record", .kind = PST_PK_BOOL, FIELD(denials_record)},
	{.pointer = "/denials/ratePerSecond", .kind = PST_PK_NUMBER, .min = 1, .max = 1000000,
	 FIELD(denials_rate)},
	{.pointer = "/execGate", .kind = PST_PK_WORD, .flags = PST_PF_NULL, .words = words_gate,
	 .later = later_gate, NOFIELD},

	{.pointer = "/images", .kind = PST_PK_OBJECT, .flags = PST_PF_NULL, NOFIELD},
	{.pointer = "/images/onMissing", .kind = PST_PK_WORD, .words = words_missing,
	 .later = later_missing, NOFIELD},
	{.pointer = "/images/maxSeverity", .kind = PST_PK_WORD, .words = words_severity,
	 .later = later_severity, NOFIELD},
	{.pointer = "/images/fixableOnly", .kind = PST_PK_BOOL, NOFIELD},
	{.pointer = "/images/maxAge", .kind = PST_PK_TEXT, .flags = PST_PF_NULL,
	 .text_ok = pst_policytext_age, .want = "a number and m, h or d, as in 30d", NOFIELD},

	OBJECT("/paths"),
	PATHS("/paths/masked", mask_paths),
	PATHS("/paths/readOnly", readonly_paths),

	{.pointer = "/classes", .kind = PST_PK_CLASSES, .flags = PST_PF_TOP_ONLY, NOFIELD},
};

const size_t pst_policy_nkeys = PST_NELEM(pst_policy_keys);

const struct policy_key *pst_policy_key(const char *pointer)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++)
		if (pst_streq(pst_policy_keys[i].pointer, pointer))
			return &pst_policy_keys[i];
	return NULL;
}

const char *pst_grant_pointer(enum pst_grant_kind k)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++)
		if (pst_policy_keys[i].field == offsetof(struct pst_policy, grants[k]))
			return pst_policy_keys[i].pointer;
	return "/grants";
}

const char *pst_grant_word(enum pst_grant g)
{
	return (unsigned)g < PST_NELEM(words_grant) - 1 ? words_grant[g] : "refuse";
}

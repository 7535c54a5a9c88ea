#include "core/annotations.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "core/highids.h"
#include "core/json.h"
#include "core/nearest.h"
#include "core/policy_priv.h"
#include "core/policytext.h"

#define OURS "postern/"

/* The amounts: name, the policy key that bounds it, and where they are. */
static const struct amount {
	const char *name, *max;
	enum pst_quantity_unit unit;
	size_t limit, has, value; /* offsets: struct pst_policy, struct pst_tighten twice */
} amounts[] = {
#define AMOUNT(n, f, u)                                                                           \
	{#n, "/limits/" #n "/max", u, offsetof(struct pst_policy, f),                             \
	 offsetof(struct pst_tighten, has_##n), offsetof(struct pst_tighten, n)}
	AMOUNT(pids, pids, PST_QUANTITY_COUNT),
	AMOUNT(memory, memory, PST_QUANTITY_COUNT),
	AMOUNT(cpu, cpu, PST_QUANTITY_MILLI),
	AMOUNT(nofile, rlimits[PST_RL_NOFILE], PST_QUANTITY_COUNT),
#undef AMOUNT
#define DISK(n, key, k)                                                                           \
	{n, "/limits/disk/" key, PST_QUANTITY_COUNT, offsetof(struct pst_policy, disk[k]),        \
	 offsetof(struct pst_tighten, has_disk[k]), offsetof(struct pst_tighten, disk[k])}
	DISK("disk-read", "readBps", PST_DISK_READ_BPS),
	DISK("disk-write", "writeBps", PST_DISK_WRITE_BPS),
	DISK("disk-read-iops", "readIops", PST_DISK_READ_IOPS),
	DISK("disk-write-iops", "writeIops", PST_DISK_WRITE_IOPS),
	DISK("disk-size", "size", PST_DISK_SIZE),
#undef DISK
#define NETWORK(dir, d)                                                                           \
	{"net-" dir, "/limits/network/" dir, PST_QUANTITY_BITS,                                   \
	 offsetof(struct pst_policy, network[d]), offsetof(struct pst_tighten, has_network[d]),   \
	 offsetof(struct pst_tighten, network[d])}
	NETWORK("egress", PST_NET_EGRESS),
	NETWORK("ingress", PST_NET_INGRESS),
#undef NETWORK
};

/* Known, but nothing enforces them yet. */
static const char *const later[] = {
	"exec-gate", "ready", "phase-serve", "phase-exec",
};

struct reading {
	const struct pst_policy *policy;
	const char *key;
	struct pst_tighten t;
	const char *namespace; /* what the keys read so far agree on */
	bool disputed;         /* they do not */
	struct pst_err *err;
};

/* `policy_pointer` of the rule that refuses; "" is a rule of no file. */
PST_PRINTF(4, 5)
static int refuse(const struct reading *r, const char *policy_pointer, const char *cure,
		  const char *fmt, ...)
{
	char p[192] = "/annotations", msg[512], rule[320] = "annotations";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	pst_json_pointer_push(p, sizeof p, r->key);
	if (policy_pointer[0] != '\0')
		pst_policy_source(r->policy, policy_pointer, rule, sizeof rule);
	pst_fail(r->err, PST_E_POLICY, p, "annotation %.120s: %s", r->key, msg);
	pst_err_rule(r->err, rule);
	return pst_err_cure(r->err, "%s", cure);
}

static bool matches(const struct pst_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++) {
		const size_t n = strlen(l->v[i]);
		if (pst_streq(l->v[i], s) ||
		    (n > 0 && l->v[i][n - 1] == '*' && strncmp(l->v[i], s, n - 1) == 0))
			return true;
	}
	return false;
}

/*
 * Podman 5 writes on every container how systemd ends its scope: a signal, and how long it may
 * take. Neither opens anything; an hour bounds how long a host waits for it when it goes down.
 */
static bool ends_scope(const char *key, const char *value)
{
	static const struct {
		const char *key, *type;
		uint64_t max;
	} known[] = {
		{"org.systemd.property.KillSignal", "", 64},
		{"org.systemd.property.TimeoutStopUSec", "uint64 ", UINT64_C(3600000000)},
	};
	uint64_t v;
	for (size_t i = 0; i < PST_NELEM(known); i++)
		if (pst_streq(known[i].key, key))
			return pst_starts(value, known[i].type) &&
			       pst_num_parse(value + strlen(known[i].type), 10, known[i].max, &v);
	return false;
}

/*
 * crun(1) reads run.oci.* (one loads a raw filter) and a wasm key; runc names
 * "bundle", "org.systemd.property." and "org.criu.config" as unsafe in its
 * `features` (potentiallyUnsafeConfigAnnotations, features-linux.md).
 */
static int check_steering(const struct reading *r, const char *value)
{
	static const char *const steering[] = {"run.oci.",  "org.systemd.property.",
					       "org.criu.", "com.github.containers.crun.",
					       "module.wasm.image/"};
	bool steers = pst_streq(r->key, "bundle");
	for (size_t i = 0; i < PST_NELEM(steering); i++)
		steers = steers || pst_starts(r->key, steering[i]);
	if (!steers || ends_scope(r->key, value) || matches(&r->policy->pass_annotations, r->key))
		return PST_OK;
	return refuse(r, "/passAnnotations",
		      "leave it out, or list it in \"passAnnotations\" of the policy",
		      "it steers the runtime behind postern's back");
}

/* One amount: parsed, of a size that makes sense, and not above the policy's ceiling. */
static int read_amount(struct reading *r, const struct amount *a, const char *value)
{
	const struct pst_limit *l = (const void *)((const char *)r->policy + a->limit);
	const struct policy_key *k = pst_policy_key(a->max);
	struct pst_err why = {0};
	uint64_t v = 0;
	if (pst_quantity_parse(value, a->unit, &v, &why) != PST_OK)
		return refuse(r, "", "write an amount such as 512, 500m or 256Mi", "%s", why.msg);
	if (v == 0)
		return refuse(r, "", "give an amount above zero", "zero would mean no limit");
	if (l->has_max && v > l->max)
		return refuse(r, a->max, "ask for less, or leave the annotation out",
			      "%.64s is above the node's ceiling", value);
	if (v < k->min || v > k->max)
		return refuse(r, "", "mind the suffix: m is a thousandth, Mi is 1024 times 1024",
			      "%.64s is not between %llu and %llu%s", value, (unsigned long long)k->min,
			      (unsigned long long)k->max,
			      a->unit == PST_QUANTITY_MILLI ? " thousandths" : "");
	*(bool *)((char *)&r->t + a->has) = true;
	*(uint64_t *)((char *)&r->t + a->value) = v;
	return PST_OK;
}

static int read_profile(struct reading *r, const char *value)
{
	if (!pst_policytext_profile(value))
		return refuse(r, "/profile/allow", "name one that `postern profile list` shows",
			      "\"%.64s\" is not %s", value, PST_POLICYTEXT_PROFILE);
	if (!matches(&r->policy->profile_allow, value))
		return refuse(r, "/profile/allow", "choose one that the policy allows",
			      "profile \"%s\" is not one a workload may choose", value);
	r->t.profile = value;
	return PST_OK;
}

static int unknown(const struct reading *r, const char *name)
{
	const char *known[PST_NELEM(amounts) + 2] = {"profile", "ids"};
	char cure[96] = "see postern-policy(5) for the ones there are";
	for (size_t i = 0; i < PST_NELEM(amounts); i++)
		known[i + 2] = amounts[i].name;
	const char *near = pst_nearest(name, known, PST_NELEM(known));
	if (near != NULL)
		snprintf(cure, sizeof cure, "did you mean " OURS "%s?", near);
	return refuse(r, "", cure, "unknown");
}

static int read_ours(struct reading *r, const char *value)
{
	const char *name = r->key + strlen(OURS);
	if (!pst_starts(r->key, OURS)) /* "Postern/pids": whoever wrote it means us */
		return unknown(r, name);
	if (pst_streq(name, "profile"))
		return read_profile(r, value);
	if (pst_streq(name, "ids")) { /* what they mean is decided where ids are moved, if they are */
		struct pst_highids ids = {0};
		return pst_highids_name(value, &ids, r->err);
	}
	for (size_t i = 0; i < PST_NELEM(amounts); i++)
		if (pst_streq(amounts[i].name, name))
			return read_amount(r, &amounts[i], value);
	for (size_t i = 0; i < PST_NELEM(later); i++)
		if (pst_streq(later[i], name))
			return refuse(r, "", "leave it out",
				      "not supported by this version: what cannot be enforced is not taken");
	return unknown(r, name);
}

/*
 * The pod's namespace, as containerd, kubelet and CRI-O write it. An engine that
 * hands pod annotations through unchecked lets a pod write the keys that are
 * not the engine's own, so one alone never counts against another.
 */
static void read_namespace(struct reading *r, const char *value)
{
	static const char *const keys[] = {"io.kubernetes.cri.sandbox-namespace",
					   "io.kubernetes.pod.namespace",
					   "io.kubernetes.cri-o.Namespace"};
	for (size_t i = 0; i < PST_NELEM(keys); i++)
		if (pst_streq(r->key, keys[i])) {
			r->disputed = r->disputed ||
				      (r->namespace != NULL && !pst_streq(r->namespace, value));
			r->namespace = value;
		}
}

static int read_one(struct reading *r, const char *value)
{
	if (value == NULL) {
		char p[192] = "/annotations";
		pst_json_pointer_push(p, sizeof p, r->key);
		return pst_fail(r->err, PST_E_SPEC, p, "annotation %.120s must be a string", r->key);
	}
	if (strncasecmp(r->key, OURS, strlen(OURS)) == 0)
		return read_ours(r, value);
	read_namespace(r, value);
	return check_steering(r, value);
}

int pst_annotations_read(const json_t *annotations, const struct pst_policy *policy,
			 struct pst_tighten *ret, struct pst_err *err)
{
	struct reading r = {.policy = policy, .err = err};
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)annotations, r.key, v)
	{
		const int rc = read_one(&r, pst_json_str(v));
		if (rc != PST_OK)
			return rc;
	}
	r.t.exempt = r.namespace != NULL && !r.disputed &&
		     matches(&policy->exempt_namespaces, r.namespace);
	*ret = r.t;
	return PST_OK;
}

bool pst_annotations_disk(const json_t *annotations, const struct pst_policy *policy)
{
	const char *key;
	json_t *v;
	for (size_t i = 0; i < PST_DISK_COUNT; i++)
		if (policy->disk[i].has_max)
			return true;
	json_object_foreach((json_t *)(uintptr_t)annotations, key, v)
	{
		if (pst_starts(key, OURS "disk-"))
			return true;
	}
	return false;
}

bool pst_annotations_nofile(const json_t *annotations, uint64_t *ret)
{
	const char *text = pst_json_str(json_object_get(annotations, OURS "nofile"));
	return text != NULL && pst_quantity_parse(text, PST_QUANTITY_COUNT, ret, NULL) == PST_OK;
}

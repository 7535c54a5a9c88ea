#include "core/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

struct judge {
	const struct pst_policy *policy;
	struct pst_edits *edits;
	const json_t *root;
	const char *prefix; /* of the resources in root: "/linux/resources" or "" */
	bool partial;       /* an update: what is absent stays as it is */
};

/* What holds for one limit: the policy's, and the workload's own. */
struct bound {
	const struct pst_limit *policy;
	const char *pointer; /* "/limits/pids" */
	bool own;
	uint64_t own_max;
	const char *annotation; /* its source text */
	const char *what;       /* for reasons: "memory" */
};

/* What the document asks for. */
enum ask { ASK_NOTHING, ASK_UNLIMITED, ASK_SOME };

struct asked {
	enum ask how;
	uint64_t v;
};

struct verdict {
	bool change;
	uint64_t v;
	char source[320];
};

static bool has_ceiling(const struct bound *b)
{
	return b->own || b->policy->has_max;
}

static uint64_t ceiling(const struct bound *b)
{
	if (b->own && b->policy->has_max && b->policy->max < b->own_max)
		return b->policy->max;
	return b->own ? b->own_max : b->policy->max;
}

static void source_of(const struct judge *j, const struct bound *b, const char *leaf, char *buf,
		      size_t size)
{
	char pointer[64];
	snprintf(pointer, sizeof pointer, "%s/%s", b->pointer, leaf);
	if (b->own)
		snprintf(buf, size, "%s", b->annotation);
	else
		pst_policy_source(j->policy, pointer, buf, size);
}

static struct verdict decide(const struct judge *j, const struct bound *b, struct asked a)
{
	struct verdict v = {.change = false};
	if (a.how == ASK_NOTHING && j->partial)
		return v;
	if (a.how == ASK_NOTHING && !b->own && b->policy->has_default) {
		v = (struct verdict){.change = true, .v = b->policy->dflt};
		source_of(j, b, "default", v.source, sizeof v.source);
	} else if (has_ceiling(b) && (a.how != ASK_SOME || a.v > ceiling(b))) {
		v = (struct verdict){.change = true, .v = ceiling(b)};
		source_of(j, b, "max", v.source, sizeof v.source);
	}
	return v;
}

/* "/linux/resources" + "/pids/limit" */
static const char *at(const struct judge *j, const char *tail, char buf[96])
{
	snprintf(buf, 96, "%s%s", j->prefix, tail);
	return buf;
}

static int read_limit(struct judge *j, const char *tail, const struct bound *b, struct asked *ret,
		      struct pst_err *err)
{
	char p[96], source[320];
	const json_t *n = pst_json_at(j->root, at(j, tail, p));
	int64_t s = 0;
	*ret = (struct asked){.how = ASK_NOTHING};
	if (n == NULL || json_is_null(n))
		return PST_OK;
	if (pst_json_u64(n, &ret->v) && ret->v > 0) {
		ret->how = ASK_SOME;
	} else if (!pst_json_i64(n, &s)) {
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a whole number", p);
	} else if (s != 0 || !j->partial) {
		ret->how = ASK_UNLIMITED;
	} else if (has_ceiling(b)) {
		/* 0 in an update: "unchanged" to runc, no limit to others. Absent
		 * means the same to all of them. */
		source_of(j, b, "max", source, sizeof source);
		pst_edit_remove(j->edits, p, source, "0 would change nothing or lift the limit");
	}
	return PST_OK;
}

static void set(struct judge *j, const char *tail, const struct bound *b, struct asked a,
		const struct verdict *v)
{
	char p[96];
	pst_edit_set(j->edits, at(j, tail, p), pst_json_from_u64(v->v), v->source,
		     a.how != ASK_NOTHING ? "%s lowered to the ceiling" : "%s limited by default",
		     b->what);
}

/*
 * `unified` is written to the cgroup after all else (config-linux.md, "Unified"),
 * so a ceiling that ignored it would be none. *ret_there: the key is there, and
 * what the typed field says does not matter in the end.
 */
static int judge_unified(struct judge *j, const char *file, const struct bound *b, bool *ret_there,
			 struct pst_err *err)
{
	char tail[48], p[96];
	snprintf(tail, sizeof tail, "/unified/%s", file);
	const json_t *n = pst_json_at(j->root, at(j, tail, p));
	const char *text = pst_json_str(n);
	*ret_there = text != NULL;
	if (n == NULL || json_is_null(n))
		return PST_OK;
	if (text == NULL)
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a string", p);

	/* "max" and what does not parse count as no limit. */
	struct asked a = {.how = ASK_UNLIMITED};
	if (pst_num_parse(text, 10, UINT64_MAX, &a.v))
		a.how = ASK_SOME;
	const struct verdict v = decide(j, b, a);
	char value[24];
	snprintf(value, sizeof value, "%llu", (unsigned long long)v.v);
	if (v.change)
		pst_edit_set(j->edits, p, json_string(value), v.source, "%s lowered to the ceiling",
			     b->what);
	return PST_OK;
}

static int judge_pids(struct judge *j, const struct bound *b, struct pst_err *err)
{
	struct asked a;
	bool unified = false;
	int rc = judge_unified(j, "pids.max", b, &unified, err);
	if (rc == PST_OK)
		rc = read_limit(j, "/pids/limit", b, &a, err);
	if (rc != PST_OK || (unified && a.how == ASK_NOTHING))
		return rc;
	const struct verdict v = decide(j, b, a);
	if (v.change)
		set(j, "/pids/limit", b, a, &v);
	return PST_OK;
}

/*
 * memory.swap is memory and swap together (config-linux.md "memory"): when the
 * limit goes down, swap must follow, or memory taken away comes back as swap.
 */
static int judge_memory(struct judge *j, const struct bound *b, struct pst_err *err)
{
	struct asked a, swap;
	bool unified = false;
	int rc = judge_unified(j, "memory.max", b, &unified, err);
	if (rc == PST_OK)
		rc = read_limit(j, "/memory/limit", b, &a, err);
	if (rc == PST_OK)
		rc = read_limit(j, "/memory/swap", b, &swap, err);
	if (rc != PST_OK || (unified && a.how == ASK_NOTHING))
		return rc;
	struct verdict v = decide(j, b, a);
	if (!v.change)
		return PST_OK;
	if (swap.how == ASK_SOME && a.how != ASK_SOME && swap.v < v.v)
		v.v = swap.v; /* runc refuses a limit above limit and swap together */
	set(j, "/memory/limit", b, a, &v);
	char p[96];
	if (swap.how == ASK_SOME && a.how == ASK_SOME && swap.v >= a.v)
		pst_edit_set(j->edits, at(j, "/memory/swap", p), pst_json_from_u64(v.v + (swap.v - a.v)),
			     v.source, "memory and swap together follow the lowered memory");
	return PST_OK;
}

#define PERIOD UINT64_C(100000)      /* microseconds; default of cpu.max, cgroup-v2.rst */
#define PERIOD_MAX UINT64_C(1000000) /* longest the kernel takes, max_cfs_quota_period */
#define QUOTA_MIN UINT64_C(1000)     /* shortest it takes, min_cfs_quota_period */

/* Millicores and a period into a quota; a period too short for it is replaced. */
static uint64_t quota_of(uint64_t millicores, uint64_t *period)
{
	if (millicores * *period / 1000 < QUOTA_MIN)
		*period = PERIOD;
	return millicores * *period / 1000;
}

/* Is the share asked for within the bound? By the quota, which is what counts. */
static struct verdict decide_cpu(const struct judge *j, const struct bound *b, struct asked quota,
				 uint64_t period)
{
	if (quota.how == ASK_SOME && has_ceiling(b))
		quota.v = quota.v > ceiling(b) * period / 1000 ? UINT64_MAX : 0;
	return decide(j, b, quota);
}

static int unified_cpu(struct judge *j, const struct bound *b, bool *ret_there, struct pst_err *err)
{
	char p[96], head[24] = "", value[64];
	const json_t *n = pst_json_at(j->root, at(j, "/unified/cpu.max", p));
	const char *text = pst_json_str(n);
	*ret_there = text != NULL;
	if (n == NULL || json_is_null(n))
		return PST_OK;
	if (text == NULL)
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a string", p);

	/* "QUOTA", "QUOTA PERIOD", "max PERIOD" (cgroup-v2.rst "cpu.max"). */
	const size_t len = strcspn(text, " ");
	snprintf(head, sizeof head, "%.*s", (int)len, text);
	struct asked quota = {.how = ASK_UNLIMITED};
	uint64_t period = PERIOD;
	if ((text[len] == '\0' || pst_num_parse(text + len + 1, 10, PERIOD_MAX, &period)) &&
	    len < sizeof head && pst_num_parse(head, 10, UINT64_MAX, &quota.v))
		quota.how = ASK_SOME;
	const struct verdict v = decide_cpu(j, b, quota, period);
	if (!v.change)
		return PST_OK;
	const uint64_t q = quota_of(v.v, &period);
	snprintf(value, sizeof value, "%llu %llu", (unsigned long long)q, (unsigned long long)period);
	pst_edit_set(j->edits, p, json_string(value), v.source, "cpu time limited to %llu thousandths of a core",
		     (unsigned long long)v.v);
	return PST_OK;
}

/* One without the other means a share that depends on what is in force now. */
static int half_a_share(const struct judge *j, const struct bound *b, struct pst_err *err)
{
	char p[96], rule[320];
	pst_fail(err, PST_E_POLICY, at(j, "/cpu", p),
		 "a cpu quota or period alone is a share that cannot be compared with the ceiling");
	source_of(j, b, "max", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "give quota and period together");
}

static int judge_cpu(struct judge *j, const struct bound *b, struct pst_err *err)
{
	struct asked quota, given;
	bool unified = false;
	char p[96];
	int rc = unified_cpu(j, b, &unified, err);
	if (rc == PST_OK)
		rc = read_limit(j, "/cpu/quota", b, &quota, err);
	if (rc == PST_OK)
		rc = read_limit(j, "/cpu/period", b, &given, err);
	if (rc != PST_OK || (unified && quota.how == ASK_NOTHING))
		return rc;
	if (given.how == ASK_SOME && given.v > PERIOD_MAX)
		return has_ceiling(b) ? pst_fail(err, PST_E_SPEC, at(j, "/cpu/period", p),
						 "a cpu period is at most %llu microseconds",
						 (unsigned long long)PERIOD_MAX)
				      : PST_OK;
	if (j->partial && has_ceiling(b) && quota.how != ASK_UNLIMITED &&
	    (quota.how == ASK_SOME) != (given.how == ASK_SOME))
		return half_a_share(j, b, err);

	const uint64_t asked_period = given.how == ASK_SOME ? given.v : PERIOD;
	const struct verdict v = decide_cpu(j, b, quota, asked_period);
	if (!v.change)
		return PST_OK;
	uint64_t period = asked_period;
	const uint64_t q = quota_of(v.v, &period);
	pst_edit_set(j->edits, at(j, "/cpu/quota", p), pst_json_from_u64(q), v.source,
		     "cpu time limited to %llu thousandths of a core", (unsigned long long)v.v);
	if (given.how != ASK_SOME || period != given.v)
		pst_edit_set(j->edits, at(j, "/cpu/period", p), pst_json_from_u64(period), v.source,
			     "the period of that quota");
	return PST_OK;
}

static int resources(struct judge *j, const struct pst_tighten *t, struct pst_err *err)
{
	const struct bound pids = {&j->policy->pids, "/limits/pids", t->has_pids, t->pids,
				   "annotation postern/pids", "processes"};
	const struct bound memory = {&j->policy->memory, "/limits/memory", t->has_memory, t->memory,
				     "annotation postern/memory", "memory"};
	const struct bound cpu = {&j->policy->cpu, "/limits/cpu", t->has_cpu, t->cpu,
				  "annotation postern/cpu", "cpu time"};
	int rc = judge_pids(j, &pids, err);
	if (rc == PST_OK)
		rc = judge_memory(j, &memory, err);
	return rc == PST_OK ? judge_cpu(j, &cpu, err) : rc;
}

static int lower_entry(struct judge *j, size_t i, const struct bound *b, struct pst_err *err)
{
	static const char *const ends[] = {"hard", "soft"};
	for (size_t k = 0; k < PST_NELEM(ends); k++) {
		char p[96];
		struct asked a = {.how = ASK_SOME};
		snprintf(p, sizeof p, "/process/rlimits/%zu/%s", i, ends[k]);
		if (!pst_json_u64(pst_json_at(j->root, p), &a.v))
			return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a whole number", p);
		const struct verdict v = decide(j, b, a);
		if (v.change)
			pst_edit_set(j->edits, p, pst_json_from_u64(v.v), v.source,
				     "open files lowered to the ceiling");
	}
	return PST_OK;
}

/* RLIM_INFINITY is the highest number, so "unlimited" needs no case of its own. */
static int judge_nofile(struct judge *j, const struct bound *b, struct pst_err *err)
{
	const json_t *list = pst_json_at(j->root, "/process/rlimits");
	bool found = false;
	if (!json_is_object(pst_json_at(j->root, "/process")))
		return PST_OK;
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return pst_fail(err, PST_E_SPEC, "/process/rlimits",
				"wrong type: /process/rlimits must be an array");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *type = json_object_get(json_array_get(list, i), "type");
		if (!pst_streq(pst_json_str(type), "RLIMIT_NOFILE"))
			continue;
		found = true;
		const int rc = lower_entry(j, i, b, err);
		if (rc != PST_OK)
			return rc;
	}
	if (found)
		return PST_OK;
	const struct verdict v = decide(j, b, (struct asked){.how = ASK_NOTHING});
	if (!v.change)
		return PST_OK;
	if (!json_is_array(list))
		pst_edit_set(j->edits, "/process/rlimits", json_array(), "spec /process", "there are none");
	pst_edit_set(j->edits, "/process/rlimits/-",
		     json_pack("{s:s, s:I, s:I}", "type", "RLIMIT_NOFILE", "hard", (json_int_t)v.v, "soft",
			       (json_int_t)v.v),
		     v.source, "open files limited");
	return PST_OK;
}

int pst_limits_spec(const json_t *spec, const struct pst_policy *policy, const struct pst_tighten *t,
		    struct pst_edits *edits, struct pst_err *err)
{
	struct judge j = {
		.policy = policy, .edits = edits, .root = spec, .prefix = "/linux/resources"};
	const struct bound nofile = {&policy->nofile, "/limits/nofile", t->has_nofile, t->nofile,
				     "annotation postern/nofile", "open files"};
	const int rc = resources(&j, t, err);
	return rc == PST_OK ? judge_nofile(&j, &nofile, err) : rc;
}

int pst_limits_update(const json_t *res, const struct pst_policy *policy, struct pst_edits *edits,
		      struct pst_err *err)
{
	const struct pst_tighten none = {0};
	struct judge j = {
		.policy = policy, .edits = edits, .root = res, .prefix = "", .partial = true};
	return resources(&j, &none, err);
}

#include "core/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"

bool pst_judge_bounded(const struct pst_bound *b)
{
	return b->own || b->policy->has_max;
}

uint64_t pst_judge_ceiling(const struct pst_bound *b)
{
	if (b->own && b->policy->has_max && b->policy->max < b->own_max)
		return b->policy->max;
	return b->own ? b->own_max : b->policy->max;
}

static void source_at(const struct pst_judge *j, const struct pst_bound *b, const char *leaf,
		      char *buf, size_t size)
{
	char pointer[64];
	snprintf(pointer, sizeof pointer, "%s%s%s", b->pointer, b->plain ? "" : "/", b->plain ? "" : leaf);
	pst_policy_source(j->policy, pointer, buf, size);
}

void pst_judge_source(const struct pst_judge *j, const struct pst_bound *b, const char *leaf,
		      char *buf, size_t size)
{
	if (b->own && strcmp(leaf, "default") != 0)
		snprintf(buf, size, "%s", b->annotation);
	else
		source_at(j, b, leaf, buf, size);
}

/* The policy's ceiling, and whoever asked for more is told so. */
static int refuse(const struct pst_judge *j, const struct pst_bound *b, struct pst_asked a,
		  const char *pointer, struct pst_err *err)
{
	char rule[320], much[32] = "no limit";
	if (a.how == PST_ASK_SOME)
		snprintf(much, sizeof much, "%llu", (unsigned long long)a.v);
	pst_fail(err, PST_E_POLICY, pointer, "%s: %s is above the node's ceiling of %llu", b->what,
		 much, (unsigned long long)b->policy->max);
	source_at(j, b, "max", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "ask for at most %llu, or set /limits/above of the policy to \"lower\"",
			    (unsigned long long)b->policy->max);
}

int pst_judge_decide(const struct pst_judge *j, const struct pst_bound *b, struct pst_asked a,
		     const char *pointer, struct pst_verdict *ret, struct pst_err *err)
{
	*ret = (struct pst_verdict){.change = false};
	if (a.how == PST_ASK_NOTHING && j->partial)
		return PST_OK;
	const bool above = b->policy->has_max && a.how != PST_ASK_NOTHING && !a.zero &&
			   (a.how == PST_ASK_UNLIMITED || a.v > b->policy->max);
	if (above && j->policy->above_refuse && !j->lower)
		return refuse(j, b, a, pointer, err);
	if (a.how == PST_ASK_NOTHING && !b->own && b->policy->has_default) {
		ret->change = true;
		ret->v = b->policy->dflt;
		pst_judge_source(j, b, "default", ret->source, sizeof ret->source);
	} else if (pst_judge_bounded(b) && (a.how != PST_ASK_SOME || a.v > pst_judge_ceiling(b))) {
		ret->change = true;
		ret->v = pst_judge_ceiling(b);
		pst_judge_source(j, b, "max", ret->source, sizeof ret->source);
	}
	if (ret->change && b->pod != 0 && b->pod < ret->v) {
		ret->v = b->pod;
		snprintf(ret->source, sizeof ret->source, "%s", b->pod_source);
	}
	return PST_OK;
}

int pst_judge_able(const struct pst_judge *j, const struct pst_bound *b, const char *fact,
		   const char *pointer, struct pst_err *err)
{
	char rule[320];
	if (!json_is_false(pst_json_at(j->facts, fact)))
		return PST_OK;
	pst_fail(err, PST_E_POLICY, pointer, "%s cannot be limited on this node: its kernel, or the way "
		 "its cgroups are mounted, has no file for it", b->what);
	pst_judge_source(j, b, b->policy->has_max ? "max" : "default", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "take %s out of the policy, or see `postern doctor`", b->pointer);
}

int pst_judge_entry(const struct pst_judge *j, const char *pointer, const struct pst_bound *b,
		    struct pst_err *err)
{
	struct pst_asked a = {.how = PST_ASK_SOME};
	struct pst_verdict v;
	if (!pst_json_u64(pst_json_at(j->root, pointer), &a.v))
		return pst_fail(err, PST_E_SPEC, pointer, "wrong type: %s must be a whole number", pointer);
	const int rc = pst_judge_decide(j, b, a, pointer, &v, err);
	if (rc == PST_OK && v.change)
		pst_edit_set(j->edits, pointer, pst_json_from_u64(v.v), v.source, "%s lowered to the ceiling",
			     b->what);
	return rc;
}

const char *pst_judge_at(const struct pst_judge *j, const char *tail, char buf[96])
{
	snprintf(buf, 96, "%s%s", j->prefix, tail);
	return buf;
}

int pst_judge_read(struct pst_judge *j, const char *tail, const struct pst_bound *b,
		   struct pst_asked *ret, struct pst_err *err)
{
	char p[96], source[320];
	const json_t *n = pst_json_at(j->root, pst_judge_at(j, tail, p));
	int64_t s = 0;
	*ret = (struct pst_asked){.how = PST_ASK_NOTHING};
	if (n == NULL || json_is_null(n))
		return PST_OK;
	if (pst_json_u64(n, &ret->v) && ret->v > 0) {
		ret->how = PST_ASK_SOME;
	} else if (!pst_json_i64(n, &s)) {
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a whole number", p);
	} else if (s != 0 || !j->partial) {
		ret->how = PST_ASK_UNLIMITED;
		ret->zero = s == 0;
	} else if (pst_judge_bounded(b)) {
		/* 0 in an update: "unchanged" to runc, no limit to others. Absent
		 * means the same to all of them. */
		pst_judge_source(j, b, "max", source, sizeof source);
		pst_edit_remove(j->edits, p, source, "0 would change nothing or lift the limit");
	}
	return PST_OK;
}

static void set(struct pst_judge *j, const char *tail, const struct pst_bound *b,
		struct pst_asked a, const struct pst_verdict *v)
{
	char p[96];
	pst_edit_set(j->edits, pst_judge_at(j, tail, p), pst_json_from_u64(v->v), v->source,
		     a.how != PST_ASK_NOTHING ? "%s lowered to the ceiling" : "%s limited by default",
		     b->what);
}

static int judge_pids(struct pst_judge *j, const struct pst_bound *b, struct pst_err *err)
{
	struct pst_asked a;
	struct pst_verdict v;
	bool unified = false;
	char p[96];
	int rc = pst_limits_unified(j, "pids.max", b, &unified, err);
	if (rc == PST_OK)
		rc = pst_judge_read(j, "/pids/limit", b, &a, err);
	if (rc != PST_OK || (unified && a.how == PST_ASK_NOTHING))
		return rc;
	rc = pst_judge_decide(j, b, a, pst_judge_at(j, "/pids/limit", p), &v, err);
	if (rc == PST_OK && v.change)
		set(j, "/pids/limit", b, a, &v);
	return rc;
}

/* Memory and what may be swapped beside it, as asked and as decided. */
struct memory {
	struct pst_asked limit, both; /* as the document has them */
	uint64_t now;                 /* the limit that will hold */
	const char *source;           /* of a change of it */
};

/* How much swap the document asks for, beside the memory. */
static struct pst_asked swap_asked(const struct memory *m)
{
	struct pst_asked extra = m->both;
	if (extra.zero) /* unset, to every runtime */
		extra = (struct pst_asked){.how = PST_ASK_NOTHING};
	if (extra.how != PST_ASK_SOME)
		return extra;
	const uint64_t beside = m->limit.how == PST_ASK_SOME ? m->limit.v : m->now;
	extra.v = m->both.v > beside ? m->both.v - beside : 0;
	return extra;
}

/* Under a ceiling for swap, one of the two alone says nothing about swap. */
static int half_of_memory(const struct pst_judge *j, const struct pst_bound *swap, struct pst_err *err)
{
	char p[96], rule[320];
	pst_fail(err, PST_E_POLICY, pst_judge_at(j, "/memory", p),
		 "memory or memory and swap alone is an amount of swap that cannot be compared with the "
		 "ceiling");
	pst_judge_source(j, swap, "max", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "give memory and memory-swap together, of unified memory.max and memory.swap.max");
}

/*
 * memory.swap is memory and swap together (config-linux.md "memory"): when the
 * limit goes down, swap must follow, or memory taken away comes back as swap.
 */
static int judge_swap(struct pst_judge *j, const struct pst_bound *b, const struct memory *m,
		      struct pst_err *err)
{
	char p[96];
	struct pst_verdict v;
	struct pst_asked extra = swap_asked(m);
	pst_judge_at(j, "/memory/swap", p);
	if (j->partial && b->policy->has_max && extra.how == PST_ASK_NOTHING) {
		if (b->policy->max != 0)
			return half_of_memory(j, b, err);
		extra.how = PST_ASK_UNLIMITED; /* none is what the ceiling says, whatever was in force */
		extra.zero = true;
	}
	int rc = pst_judge_decide(j, b, extra, p, &v, err);
	if (rc == PST_OK && v.change)
		rc = pst_judge_able(j, b, "/cgroup/swap", p, err);
	if (rc != PST_OK)
		return rc;
	const uint64_t beside = v.change ? v.v : extra.v;
	if (!v.change && extra.how != PST_ASK_SOME)
		return PST_OK;
	const uint64_t both = beside > INT64_MAX - m->now ? INT64_MAX : m->now + beside;
	if (v.change)
		pst_edit_set(j->edits, p, pst_json_from_u64(both), v.source,
			     "memory, and %llu bytes of swap beside it", (unsigned long long)beside);
	else if (both < m->both.v)
		pst_edit_set(j->edits, p, pst_json_from_u64(both), m->source,
			     "memory and swap together follow the lowered memory");
	return PST_OK;
}

/*
 * The limit is that of `unified`. A typed amount of swap would be beside a typed limit
 * (runc refuses it without one), so the ceiling goes where the limit is.
 */
static int judge_unified_swap(struct pst_judge *j, const struct pst_bound *swap, const struct memory *m,
			      struct pst_err *err)
{
	char p[96], value[24];
	struct pst_verdict v;
	struct pst_asked a = {
		.how = m->both.how == PST_ASK_UNLIMITED && !m->both.zero ? PST_ASK_UNLIMITED : PST_ASK_NOTHING};
	pst_judge_at(j, "/unified/memory.swap.max", p);
	if (j->partial && swap->policy->has_max && a.how == PST_ASK_NOTHING) {
		if (swap->policy->max != 0)
			return half_of_memory(j, swap, err);
		a.how = PST_ASK_UNLIMITED; /* none is what the ceiling says, whatever was in force */
	}
	int rc = pst_judge_decide(j, swap, a, p, &v, err);
	if (rc == PST_OK && v.change)
		rc = pst_judge_able(j, swap, "/cgroup/swap", p, err);
	snprintf(value, sizeof value, "%llu", (unsigned long long)v.v);
	if (rc == PST_OK && v.change)
		pst_edit_set(j->edits, p, json_string(value), v.source, "%s beside the memory of unified limited",
			     swap->what);
	return rc;
}

static int judge_memory(struct pst_judge *j, const struct pst_bound *b, const struct pst_bound *swap,
			struct pst_err *err)
{
	struct memory m = {0};
	struct pst_verdict v;
	bool unified = false, swap_unified = false;
	char p[96];
	int rc = pst_limits_unified(j, "memory.max", b, &unified, err);
	if (rc == PST_OK)
		rc = pst_limits_unified(j, "memory.swap.max", swap, &swap_unified, err);
	if (rc == PST_OK)
		rc = pst_judge_read(j, "/memory/limit", b, &m.limit, err);
	if (rc == PST_OK)
		rc = pst_judge_read(j, "/memory/swap", swap, &m.both, err);
	if (rc == PST_OK && unified && m.limit.how == PST_ASK_NOTHING)
		return swap_unified ? PST_OK : judge_unified_swap(j, swap, &m, err);
	if (rc != PST_OK)
		return rc;
	rc = pst_judge_decide(j, b, m.limit, pst_judge_at(j, "/memory/limit", p), &v, err);
	if (rc != PST_OK)
		return rc;
	if (v.change && m.both.how == PST_ASK_SOME && m.limit.how != PST_ASK_SOME && m.both.v < v.v)
		v.v = m.both.v; /* runc refuses a limit above limit and swap together */
	if (v.change)
		set(j, "/memory/limit", b, m.limit, &v);
	if (!v.change && m.limit.how != PST_ASK_SOME) /* no limit: swap has nothing to be beside of */
		return j->partial && swap->policy->has_max && m.both.how != PST_ASK_NOTHING
			       ? half_of_memory(j, swap, err)
			       : PST_OK;
	m.now = v.change ? v.v : m.limit.v;
	m.source = v.source;
	return judge_swap(j, swap, &m, err);
}

/* What CRI says of the whole pod, on its sandbox: the sums that were given to it. What
 * does not parse says nothing; it could only have made a limit of ours lower. */
static uint64_t pod_memory(const json_t *annotations)
{
	uint64_t v = 0;
	const char *s = pst_json_str(json_object_get(annotations, "io.kubernetes.cri.sandbox-memory"));
	return s != NULL && pst_num_parse(s, 10, INT64_MAX, &v) ? v : 0;
}

static uint64_t pod_cpu(const json_t *annotations)
{
	uint64_t quota = 0, period = 0;
	const char *q = pst_json_str(json_object_get(annotations, "io.kubernetes.cri.sandbox-cpu-quota"));
	const char *p = pst_json_str(json_object_get(annotations, "io.kubernetes.cri.sandbox-cpu-period"));
	if (q == NULL || p == NULL || !pst_num_parse(q, 10, INT64_MAX / 1000, &quota) ||
	    !pst_num_parse(p, 10, PST_CPU_PERIOD_MAX, &period) || period == 0)
		return 0;
	return (quota * 1000 + period - 1) / period;
}

static int resources(struct pst_judge *j, const struct pst_tighten *t, const json_t *annotations,
		     struct pst_err *err)
{
	const struct pst_policy *p = j->policy;
	const struct pst_bound pids = {.policy = &p->pids, .pointer = "/limits/pids", .what = "processes",
				       .own = t->has_pids, .own_max = t->pids,
				       .annotation = "annotation postern/pids"};
	const struct pst_bound memory = {
		.policy = &p->memory, .pointer = "/limits/memory", .what = "memory",
		.own = t->has_memory, .own_max = t->memory, .annotation = "annotation postern/memory",
		.pod = pod_memory(annotations),
		.pod_source = "annotation io.kubernetes.cri.sandbox-memory"};
	const struct pst_bound cpu = {
		.policy = &p->cpu, .pointer = "/limits/cpu", .what = "cpu time", .own = t->has_cpu,
		.own_max = t->cpu, .annotation = "annotation postern/cpu", .pod = pod_cpu(annotations),
		.pod_source = "annotation io.kubernetes.cri.sandbox-cpu-quota"};
	const struct pst_bound swap = {.policy = &p->swap, .pointer = "/limits/swap", .what = "swap"};
	int rc = pst_limits_unified_core(j, err);
	if (rc == PST_OK)
		rc = judge_pids(j, &pids, err);
	if (rc == PST_OK)
		rc = judge_memory(j, &memory, &swap, err);
	return rc == PST_OK ? pst_limits_cpu(j, &cpu, err) : rc;
}

int pst_limits_spec(const json_t *spec, const struct pst_policy *policy, const struct pst_tighten *t,
		    const json_t *facts, struct pst_edits *edits, struct pst_err *err)
{
	struct pst_judge j = {
		.policy = policy, .edits = edits, .root = spec, .prefix = "/linux/resources", .facts = facts,
		.process = "/process"};
	int rc = resources(&j, t, pst_json_at(spec, "/annotations"), err);
	if (rc == PST_OK)
		rc = pst_limits_hugepages(&j, err);
	if (rc == PST_OK)
		rc = pst_limits_rlimits(&j, t, err);
	return rc == PST_OK ? pst_limits_shm(&j, err) : rc;
}

int pst_limits_update(const json_t *res, const struct pst_policy *policy, const struct pst_tighten *t,
		      struct pst_edits *edits, struct pst_err *err)
{
	struct pst_judge j = {
		.policy = policy, .edits = edits, .root = res, .prefix = "", .partial = true};
	int rc = resources(&j, t, NULL, err);
	if (rc == PST_OK)
		rc = pst_limits_disk_update(&j, t, err);
	return rc == PST_OK ? pst_limits_hugepages(&j, err) : rc;
}

#include "core/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

struct judge {
	const struct pst_policy *policy;
	struct pst_edits *edits;
	bool partial; /* an update: what is absent stays as it is */
	char src[320];
};

/* What holds for one limit: policy and annotation together. */
struct bound {
	bool has_default, has_max;
	uint64_t dflt, max;
	const char *source;
};

static struct bound bound_of(struct judge *j, const struct pst_limit *l, bool has, uint64_t own,
			     const char *pointer, const char *annotation)
{
	struct bound b = {.has_default = l->has_default, .has_max = l->has_max, .dflt = l->dflt,
			  .max = l->max};
	b.source = pst_policy_source(j->policy, pointer, j->src, sizeof j->src);
	if (has) { /* never above the policy's: annotations.c refused that */
		b = (struct bound){.has_max = true, .max = own, .source = annotation};
	}
	return b;
}

/* The value a limit must get; 0 leaves it as it is. */
static uint64_t decide(const struct judge *j, const struct bound *b, bool present, bool unlimited,
		       uint64_t have)
{
	if (!present && j->partial)
		return 0;
	if (!present && b->has_default)
		return b->dflt;
	if (b->has_max && (!present || unlimited || have > b->max))
		return b->max;
	return 0;
}

static int number(const json_t *root, const char *pointer, bool *present, bool *unlimited,
		  uint64_t *v, struct pst_err *err)
{
	const json_t *n = pst_json_at(root, pointer);
	int64_t s = 0;
	*present = n != NULL && !json_is_null(n);
	*unlimited = false;
	*v = 0;
	if (!*present)
		return PST_OK;
	if (pst_json_i64(n, &s) && s <= 0) {
		*unlimited = true;
		return PST_OK;
	}
	if (!pst_json_u64(n, v))
		return pst_fail(err, PST_E_SPEC, pointer, "wrong type: %s must be a whole number", pointer);
	return PST_OK;
}

static int simple(struct judge *j, const json_t *root, const char *pointer, const struct bound *b,
		  const char *what, struct pst_err *err)
{
	bool present, unlimited;
	uint64_t have;
	const int rc = number(root, pointer, &present, &unlimited, &have, err);
	if (rc != PST_OK)
		return rc;
	const uint64_t v = decide(j, b, present, unlimited, have);
	if (v != 0)
		pst_edit_set(j->edits, pointer, pst_json_from_u64(v), b->source,
			     present ? "%s lowered to the ceiling" : "%s limited by default", what);
	return PST_OK;
}

#define PERIOD UINT64_C(100000) /* microseconds; the kernel's default cpu.cfs_period_us */

static int cpu(struct judge *j, const json_t *root, const char *prefix, const struct bound *b,
	       struct pst_err *err)
{
	char q[64], p[64];
	bool has_q, no_q, has_p, no_p;
	uint64_t quota, period;
	snprintf(q, sizeof q, "%s/cpu/quota", prefix);
	snprintf(p, sizeof p, "%s/cpu/period", prefix);
	int rc = number(root, q, &has_q, &no_q, &quota, err);
	if (rc == PST_OK)
		rc = number(root, p, &has_p, &no_p, &period, err);
	if (rc != PST_OK)
		return rc;
	if (!has_p || period == 0)
		period = PERIOD;
	if (j->partial && !has_q && has_p)
		return pst_fail(err, PST_E_SPEC, p, "a cpu period alone changes the share: give the quota too");
	if (quota > UINT64_MAX / 1000 || period > UINT64_MAX / 1000)
		return pst_fail(err, PST_E_SPEC, q, "cpu quota or period out of range");
	const uint64_t v = decide(j, b, has_q, no_q, quota * 1000 / period);
	if (v == 0)
		return PST_OK;
	pst_edit_set(j->edits, q, pst_json_from_u64(v * period / 1000), b->source,
		     "cpu time limited to %llu thousandths of a core", (unsigned long long)v);
	if (!has_p)
		pst_edit_set(j->edits, p, pst_json_from_u64(period), b->source, "the period of that quota");
	return PST_OK;
}

/* Is text a plain number of at most `max`? The kernel takes "max" and suffixes too. */
static bool plain_within(const char *text, size_t n, uint64_t max)
{
	char one[24];
	uint64_t v;
	if (n >= sizeof one)
		return false;
	memcpy(one, text, n);
	one[n] = '\0';
	return pst_num_parse(one, 10, max, &v);
}

/*
 * A file of cgroup v2 named in resources.unified: the runtime writes it last, over
 * what it made of the other members. What is no plain number below the ceiling
 * becomes the ceiling.
 */
static void unified(struct judge *j, const json_t *root, const char *prefix, const char *file,
		    const struct bound *b)
{
	char p[64];
	snprintf(p, sizeof p, "%s/unified/%s", prefix, file);
	const char *text = pst_json_str(pst_json_at(root, p));
	if (text == NULL || !b->has_max || plain_within(text, strcspn(text, "\n"), b->max))
		return;
	char max[24];
	snprintf(max, sizeof max, "%llu", (unsigned long long)b->max);
	pst_edit_set(j->edits, p, json_string(max), b->source, "%s lowered to the ceiling", file);
}

/* cpu.max: "QUOTA [PERIOD]", microseconds; max in thousandths of a core. */
static void unified_cpu(struct judge *j, const json_t *root, const char *prefix,
			const struct bound *b)
{
	char p[64], max[64];
	snprintf(p, sizeof p, "%s/unified/cpu.max", prefix);
	const char *text = pst_json_str(pst_json_at(root, p));
	if (text == NULL || !b->has_max)
		return;
	const size_t n = strcspn(text, " ");
	uint64_t period = PERIOD;
	const bool ok = text[n] == '\0' || pst_num_parse(text + n + 1, 10, 1000000, &period);
	if (ok && b->max <= UINT64_MAX / 1000000 && plain_within(text, n, b->max * period / 1000))
		return;
	snprintf(max, sizeof max, "%llu %llu",
		 (unsigned long long)(b->max / 1000 * PERIOD + b->max % 1000 * PERIOD / 1000),
		 (unsigned long long)PERIOD);
	pst_edit_set(j->edits, p, json_string(max), b->source, "cpu.max lowered to the ceiling");
}

static int resources(struct judge *j, const json_t *root, const char *prefix,
		     const struct pst_tighten *t, struct pst_err *err)
{
	char p[64];
	const struct pst_policy *pol = j->policy;
	struct bound b = bound_of(j, &pol->pids, t->has_pids, t->pids, "/limits/pids",
				  "annotation postern/pids");
	snprintf(p, sizeof p, "%s/pids/limit", prefix);
	int rc = simple(j, root, p, &b, "processes", err);
	if (rc != PST_OK)
		return rc;
	unified(j, root, prefix, "pids.max", &b);
	b = bound_of(j, &pol->memory, t->has_memory, t->memory, "/limits/memory",
		     "annotation postern/memory");
	snprintf(p, sizeof p, "%s/memory/limit", prefix);
	rc = simple(j, root, p, &b, "memory", err);
	if (rc != PST_OK)
		return rc;
	unified(j, root, prefix, "memory.max", &b);
	b = bound_of(j, &pol->cpu, t->has_cpu, t->cpu, "/limits/cpu", "annotation postern/cpu");
	unified_cpu(j, root, prefix, &b);
	return cpu(j, root, prefix, &b, err);
}

static int nofile(struct judge *j, const json_t *spec, const struct bound *b, struct pst_err *err)
{
	const json_t *a = pst_json_at(spec, "/process/rlimits");
	bool found = false;
	if (!b->has_max || pst_json_at(spec, "/process") == NULL)
		return PST_OK;
	for (size_t i = 0; i < json_array_size(a); i++) {
		static const char *const ends[] = {"hard", "soft"};
		char p[64];
		if (!pst_streq(pst_json_str(json_object_get(json_array_get(a, i), "type")), "RLIMIT_NOFILE"))
			continue;
		for (size_t k = 0; k < 2; k++) {
			uint64_t v;
			snprintf(p, sizeof p, "/process/rlimits/%zu/%s", i, ends[k]);
			if (!pst_json_u64(pst_json_at(spec, p), &v))
				return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a whole number", p);
			if (v > b->max)
				pst_edit_set(j->edits, p, pst_json_from_u64(b->max), b->source,
					     "open files lowered to the ceiling");
		}
		found = true; /* given twice, the last one would count: each is judged */
	}
	if (found)
		return PST_OK;
	if (a == NULL)
		pst_edit_set(j->edits, "/process/rlimits", json_array(), "spec /process", "there are none");
	pst_edit_set(j->edits, "/process/rlimits/-",
		     json_pack("{s:s, s:I, s:I}", "type", "RLIMIT_NOFILE", "hard", (json_int_t)b->max,
			       "soft", (json_int_t)b->max),
		     b->source, "open files limited");
	return PST_OK;
}

int pst_limits_spec(const json_t *spec, const struct pst_policy *policy, const struct pst_tighten *t,
		    struct pst_edits *edits, struct pst_err *err)
{
	struct judge j = {.policy = policy, .edits = edits};
	int rc = resources(&j, spec, "/linux/resources", t, err);
	if (rc != PST_OK)
		return rc;
	const struct bound b = bound_of(&j, &policy->nofile, t->has_nofile, t->nofile, "/limits/nofile",
					"annotation postern/nofile");
	return nofile(&j, spec, &b, err);
}

int pst_limits_update(const json_t *res, const struct pst_policy *policy, struct pst_edits *edits,
		      struct pst_err *err)
{
	const struct pst_tighten none = {0};
	struct judge j = {.policy = policy, .edits = edits, .partial = true};
	return resources(&j, res, "", &none, err);
}

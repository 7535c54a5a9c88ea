/* Processor time: a quota in each period. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"

#define QUOTA_MIN UINT64_C(1000) /* shortest the kernel takes, min_cfs_quota_period */

/* Millicores and a period into a quota; a period too short for it is replaced. */
static uint64_t quota_of(uint64_t millicores, uint64_t *period)
{
	if (millicores * *period / 1000 < QUOTA_MIN)
		*period = PST_CPU_PERIOD;
	return millicores * *period / 1000;
}

/* Is the share asked for within the bound? By the quota, which is what counts; in
 * thousandths, rounded up, so that what is compared is never less than what was asked. */
static int decide_cpu(const struct pst_judge *j, const struct pst_bound *b, struct pst_asked quota,
		      uint64_t period, const char *pointer, struct pst_verdict *ret,
		      struct pst_err *err)
{
	if (quota.how == PST_ASK_SOME) {
		const uint64_t whole = quota.v / period, rest = quota.v % period;
		quota.v = whole > UINT64_MAX / 2000 ? UINT64_MAX
						    : whole * 1000 + (rest * 1000 + period - 1) / period;
	}
	return pst_judge_decide(j, b, quota, pointer, ret, err);
}

/* One without the other means a share that depends on what is in force now. */
static int half_a_share(const struct pst_judge *j, const struct pst_bound *b, struct pst_err *err)
{
	char p[96], rule[320];
	pst_fail(err, PST_E_POLICY, pst_judge_at(j, "/cpu", p),
		 "a cpu quota or period alone is a share that cannot be compared with the ceiling");
	pst_judge_source(j, b, "max", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "give quota and period together");
}

bool pst_limits_cpu_max(const char *text, struct pst_asked *ret, uint64_t *ret_period)
{
	char word[3][24] = {"", "", ""};
	*ret = (struct pst_asked){.how = PST_ASK_UNLIMITED};
	*ret_period = 0;
	const int n = sscanf(text, "%23s %23s %23s", word[0], word[1], word[2]);
	if (n < 1 || n > 2 ||
	    (n == 2 && (!pst_num_parse(word[1], 10, PST_CPU_PERIOD_MAX, ret_period) || *ret_period == 0)))
		return false;
	if (pst_streq(word[0], "max"))
		return true;
	ret->how = PST_ASK_SOME;
	return pst_num_parse(word[0], 10, UINT64_MAX, &ret->v);
}

/*
 * Without a period the kernel takes the one in force: the typed one, which the runtime has
 * written before. So under a bound it is always said.
 */
static int unified_cpu(struct pst_judge *j, const struct pst_bound *b, struct pst_asked given,
		       bool *ret_there, struct pst_err *err)
{
	char p[96], value[64];
	struct pst_asked quota;
	struct pst_verdict v;
	uint64_t said;
	const char *text;
	int rc = pst_limits_unified_text(j, "cpu.max", &text, ret_there, err);
	if (rc != PST_OK || text == NULL || !pst_judge_bounded(b))
		return rc;
	pst_judge_at(j, "/unified/cpu.max", p);
	if (!pst_limits_cpu_max(text, &quota, &said))
		return pst_fail(err, PST_E_SPEC, p, "%s: \"%.60s\" is no quota and period in microseconds", p, text);
	uint64_t period = said != 0 ? said : given.how == PST_ASK_SOME ? given.v : PST_CPU_PERIOD;
	if (j->partial && said == 0 && given.how != PST_ASK_SOME)
		return half_a_share(j, b, err);
	rc = decide_cpu(j, b, quota, period, p, &v, err);
	if (rc != PST_OK || (!v.change && said != 0))
		return rc;
	const uint64_t q = v.change ? quota_of(v.v, &period) : quota.v;
	snprintf(value, sizeof value, "%llu %llu", (unsigned long long)q, (unsigned long long)period);
	if (v.change)
		pst_edit_set(j->edits, p, json_string(value), v.source,
			     "cpu time limited to %llu thousandths of a core", (unsigned long long)v.v);
	else
		pst_edit_set(j->edits, p, json_string(value), "spec /linux/resources/cpu/period",
			     "the period of that quota");
	return PST_OK;
}

/* The kernel refuses a burst above the quota (tg_set_cfs_bandwidth). */
static void burst_follows(const struct pst_judge *j, uint64_t quota, const char *source)
{
	char p[96];
	uint64_t burst;
	if (pst_json_u64(pst_json_at(j->root, pst_judge_at(j, "/cpu/burst", p)), &burst) && burst > quota)
		pst_edit_set(j->edits, p, pst_json_from_u64(quota), source, "a burst is no more than the quota");
}

static int typed_cpu(const struct pst_judge *j, const struct pst_bound *b, struct pst_asked quota,
		     struct pst_asked given, struct pst_err *err)
{
	char p[96];
	struct pst_verdict v;
	uint64_t period = given.how == PST_ASK_SOME ? given.v : PST_CPU_PERIOD;
	const int rc = decide_cpu(j, b, quota, period, pst_judge_at(j, "/cpu/quota", p), &v, err);
	if (rc != PST_OK || !v.change)
		return rc;
	const uint64_t q = quota_of(v.v, &period);
	pst_edit_set(j->edits, p, pst_json_from_u64(q), v.source,
		     "cpu time limited to %llu thousandths of a core", (unsigned long long)v.v);
	if (given.how != PST_ASK_SOME || period != given.v)
		pst_edit_set(j->edits, pst_judge_at(j, "/cpu/period", p), pst_json_from_u64(period), v.source,
			     "the period of that quota");
	burst_follows(j, q, v.source);
	return PST_OK;
}

int pst_limits_cpu(struct pst_judge *j, const struct pst_bound *b, struct pst_err *err)
{
	struct pst_asked quota, given;
	bool unified = false;
	char p[96];
	int rc = pst_judge_read(j, "/cpu/quota", b, &quota, err);
	if (rc == PST_OK)
		rc = pst_judge_read(j, "/cpu/period", b, &given, err);
	if (rc == PST_OK && given.how == PST_ASK_SOME && given.v > PST_CPU_PERIOD_MAX)
		return pst_judge_bounded(b) ? pst_fail(err, PST_E_SPEC, pst_judge_at(j, "/cpu/period", p),
						       "a cpu period is at most %llu microseconds",
						       (unsigned long long)PST_CPU_PERIOD_MAX)
					    : PST_OK;
	if (rc == PST_OK)
		rc = unified_cpu(j, b, given, &unified, err);
	if (rc != PST_OK || (unified && quota.how == PST_ASK_NOTHING))
		return rc;
	if (j->partial && pst_judge_bounded(b) && quota.how != PST_ASK_UNLIMITED &&
	    (quota.how == PST_ASK_SOME) != (given.how == PST_ASK_SOME))
		return half_a_share(j, b, err);

	return typed_cpu(j, b, quota, given, err);
}

/* Huge pages: one limit for each page size of the machine. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"

/* Is a limit for this page size in the list? */
static bool listed(const json_t *list, const char *size)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (pst_streq(pst_json_str(json_object_get(json_array_get(list, i), "pageSize")), size))
			return true;
	return false;
}

static int lower_entries(struct pst_judge *j, const json_t *list, const struct pst_bound *b,
			 struct pst_err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		char tail[64], p[96];
		snprintf(tail, sizeof tail, "/hugepageLimits/%zu/limit", i);
		const int rc = pst_judge_entry(j, pst_judge_at(j, tail, p), b, err); /* 0 is none at all */
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

/* hugetlb.2MB.max and its like */
static int lower_unified(struct pst_judge *j, const struct pst_bound *b, struct pst_err *err)
{
	char p[96];
	const json_t *unified = pst_json_at(j->root, pst_judge_at(j, "/unified", p));
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)unified, key, v)
	{
		bool there;
		if (!pst_starts(key, "hugetlb.") || !pst_ends(key, ".max"))
			continue;
		if (strlen(key) > 40 || strpbrk(key, "/~") != NULL)
			return pst_fail(err, PST_E_SPEC, p, "%s: \"%.40s\" is no file of a cgroup", p, key);
		const int rc = pst_limits_unified(j, key, b, &there, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int add_missing(struct pst_judge *j, const json_t *list, const json_t *sizes,
		       const struct pst_bound *b, struct pst_err *err)
{
	char p[96], entry[96];
	bool made = json_is_array(list);
	pst_judge_at(j, "/hugepageLimits", p);
	pst_judge_at(j, "/hugepageLimits/-", entry);
	for (size_t i = 0; i < json_array_size(sizes); i++) {
		const char *size = pst_json_str(json_array_get(sizes, i));
		struct pst_verdict v;
		if (size == NULL || listed(list, size))
			continue;
		const int rc = pst_judge_decide(j, b, (struct pst_asked){.how = PST_ASK_NOTHING}, p, &v,
						err);
		if (rc != PST_OK || !v.change)
			return rc;
		if (!made)
			pst_edit_set(j->edits, p, json_array(), "spec /linux/resources", "there are none");
		made = true;
		pst_edit_set(j->edits, entry,
			     json_pack("{s:s, s:o}", "pageSize", size, "limit", pst_json_from_u64(v.v)),
			     v.source, "%s of %s limited", b->what, size);
	}
	return PST_OK;
}

int pst_limits_hugepages(struct pst_judge *j, struct pst_err *err)
{
	char p[96];
	const struct pst_bound b = {
		.policy = &j->policy->hugepages, .pointer = "/limits/hugepages", .what = "huge pages"};
	const json_t *sizes = pst_json_at(j->facts, "/cgroup/hugepages");
	if (!b.policy->has_max && !b.policy->has_default)
		return PST_OK;
	const json_t *list = pst_json_at(j->root, pst_judge_at(j, "/hugepageLimits", p));
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be an array", p);
	int rc = json_array_size(sizes) == 0 ? PST_OK : pst_judge_able(j, &b, "/cgroup/hugetlb", p, err);
	if (rc == PST_OK)
		rc = lower_entries(j, list, &b, err);
	if (rc == PST_OK)
		rc = lower_unified(j, &b, err);
	return rc == PST_OK && !j->partial ? add_missing(j, list, sizes, &b, err) : rc;
}

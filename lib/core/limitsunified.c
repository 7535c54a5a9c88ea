/*
 * `unified`: files of cgroup version 2, written behind all else (config-linux.md, "Unified"). A
 * ceiling that ignored them would be none.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"
#include "core/quantity.h"

int pst_limits_unified_text(const struct pst_judge *j, const char *file, const char **ret, bool *ret_holds,
			    struct pst_err *err)
{
	char tail[64], p[96];
	uint64_t version = 0;
	snprintf(tail, sizeof tail, "/unified/%s", file);
	const json_t *n = pst_json_at(j->root, pst_judge_at(j, tail, p));
	*ret = pst_json_str(n);
	/* On version 1 one runtime refuses them, another passes them over. */
	*ret_holds = *ret != NULL &&
		     !(pst_json_u64(pst_json_at(j->facts, "/cgroup/version"), &version) && version == 1);
	if (n == NULL || json_is_null(n) || *ret != NULL)
		return PST_OK;
	return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a string", p);
}

int pst_limits_unified(struct pst_judge *j, const char *file, const struct pst_bound *b, bool *ret_holds,
		       struct pst_err *err)
{
	char tail[64], p[96], value[24];
	const char *text;
	struct pst_asked a = {0};
	struct pst_verdict v;
	int rc = pst_limits_unified_text(j, file, &text, ret_holds, err);
	if (rc != PST_OK || text == NULL || !pst_judge_bounded(b))
		return rc;
	snprintf(tail, sizeof tail, "/unified/%s", file);
	pst_judge_at(j, tail, p);
	bool none = false;
	if (!pst_quantity_kernel(text, &a.v, &none)) {
		pst_fail(err, PST_E_SPEC, p, "%s: \"%.60s\" is no plain number", p, text);
		return pst_err_cure(err, "write \"max\", or digits and at most one of K, M, G, T behind them");
	}
	a.how = none ? PST_ASK_UNLIMITED : PST_ASK_SOME;
	rc = pst_judge_decide(j, b, a, p, &v, err);
	snprintf(value, sizeof value, "%llu", (unsigned long long)v.v);
	if (rc == PST_OK && v.change)
		pst_edit_set(j->edits, p, json_string(value), v.source, "%s lowered to the ceiling",
			     b->what);
	return rc;
}

/*
 * cgroup.procs would move processes of the host under the container's limits, and to its end;
 * cgroup.type and its like decide which limits there are.
 */
int pst_limits_unified_core(const struct pst_judge *j, struct pst_err *err)
{
	static const char *const harmless[] = {"cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"};
	char p[192];
	const char *key;
	json_t *v;
	pst_judge_at(j, "/unified", p);
	json_object_foreach((json_t *)pst_json_at(j->root, p), key, v)
	{
		bool fine = !pst_starts(key, "cgroup.");
		for (size_t i = 0; i < PST_NELEM(harmless); i++)
			fine = fine || pst_streq(key, harmless[i]);
		if (fine)
			continue;
		pst_json_pointer_push(p, sizeof p, key);
		pst_fail(err, PST_E_POLICY, p, "%.60s is no limit: it moves processes, or changes which limits hold", key);
		return pst_err_cure(err, "leave it out");
	}
	return PST_OK;
}

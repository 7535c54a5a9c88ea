#include <stdlib.h>
#include <string.h>

#include "core/formatver.h"
#include "core/json.h"
#include "core/plan.h"

static bool flag(const json_t *j, const char *pointer)
{
	return json_is_true(pst_json_at(j, pointer));
}

int pst_plan_recall(const json_t *j, const json_t *spec, struct pst_plan *ret,
		    struct pst_err *err)
{
	static const char *const how_words[] = {"map", "join", "caller", "none"};
	struct pst_plan p = {0};
	uint64_t base = 0;
	int rc = pst_formatver_check(j, PST_PLAN_VERSION, "plan.json", err);
	if (rc != PST_OK)
		return rc;
	const char *how = pst_json_str(pst_json_at(j, "/ids/how"));
	const char *cap = pst_json_str(pst_json_at(j, "/expect/capBnd"));
	if (how == NULL || cap == NULL || !pst_json_u64(pst_json_at(j, "/ids/base"), &base) ||
	    base > UINT32_MAX || !pst_highids_parse(pst_json_at(j, "/ids/high"), &p.expect.high))
		return pst_fail(err, PST_E_STATE, "", "plan.json is not a plan");
	for (size_t i = 0; i < PST_NELEM(how_words); i++)
		if (strcmp(how, how_words[i]) == 0)
			p.ids = (enum pst_ids_how)i;
	p.base = (uint32_t)base;
	p.expect.base = p.base;
	p.expect.maps = flag(j, "/expect/maps");
	p.expect.no_new_privs = flag(j, "/expect/noNewPrivs");
	p.expect.seccomp = flag(j, "/expect/seccomp");
	p.expect.not_host_root = flag(j, "/expect/notHostRoot");
	p.expect.bounding = strtoull(cap, NULL, 16);
	p.enter_netns = flag(j, "/runtime/enterNetns");
	p.safety_net = flag(j, "/runtime/safetyNet");
	p.keeper = flag(j, "/denials/recorded");
	p.complain = flag(j, "/denials/complain");
	p.netns_path = pst_json_str(pst_json_at(j, "/runtime/netns"));
	if (p.expect.seccomp && spec != NULL) {
		rc = pst_scprof_parse(pst_json_at(spec, "/linux/seccomp"), "/linux/seccomp",
						NULL, &p.filter, err);
		if (rc != PST_OK)
			return rc;
	}
	*ret = p;
	return PST_OK;
}

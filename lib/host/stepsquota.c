/* The size of the container's own layer, where its file system can enforce one. */
#include "core/json.h"
#include "host/apply_priv.h"
#include "host/quota.h"

int pst_step_quota(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	uint64_t bytes, set;
	(void)a;
	if (!pst_json_u64(json_object_get(arg, "bytes"), &bytes))
		return pst_fail(err, PST_E_BUG, "", "the plan does not say how large the layer may be");
	const int rc = pst_quota_set(pst_step_text(arg, "dir"), bytes,
				     json_is_true(json_object_get(arg, "grown")), &set, err);
	if (rc != PST_OK)
		return rc;
	*note = json_pack("{s:o}", "set", pst_json_from_u64(set));
	return *note == NULL ? pst_fail_nomem(err) : PST_OK;
}

int pst_step_quota_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err)
{
	uint64_t set = 0, was = PST_QUOTA_NONE;
	(void)u;
	(void)!pst_json_u64(json_object_get(arg, "was"), &was);
	/* Without a note we were killed before or after it was set: what was there fits both. */
	if (note != NULL && !pst_json_u64(json_object_get(note, "set"), &set))
		return pst_fail(err, PST_E_STATE, "", "the journal does not say which limit was set");
	return pst_quota_restore(pst_step_text(arg, "dir"), set, was, err);
}

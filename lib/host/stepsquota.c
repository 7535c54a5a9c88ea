/* The size of the container's own layer, where its file system can enforce one. */
#include "core/json.h"
#include "host/apply_priv.h"
#include "host/quota.h"
#include "host/quotahold.h"

int pst_step_quota(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	uint64_t bytes;
	(void)note;
	if (!pst_json_u64(json_object_get(arg, "bytes"), &bytes))
		return pst_fail(err, PST_E_BUG, "", "the plan does not say how large the layer may be");
	return pst_quotahold_set(&a->ctx->sd, a->state->key, pst_step_text(arg, "dir"), bytes,
				 json_is_true(json_object_get(arg, "grown")), err);
}

int pst_step_quota_undo(struct pst_undo *u, const json_t *arg, const json_t *note, struct pst_err *err)
{
	(void)note;
	return pst_quotahold_drop(&u->ctx->sd, u->state->key, pst_step_text(arg, "dir"), err);
}

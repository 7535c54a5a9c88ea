#include "core/json.h"
#include "host/apply_priv.h"
#include "host/netguard.h"
#include "host/netshape.h"

int pst_step_netshape(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	struct pst_netrates want;
	(void)note;
	for (int d = 0; d < PST_NET_DIRS; d++)
		if (!pst_json_u64(json_object_get(arg, pst_net_dir_word((enum pst_net_dir)d)), &want.bits[d]))
			return pst_fail(err, PST_E_BUG, "", "the plan does not say how fast the network may be");
	return pst_netguard_create(&a->ctx->sd, a->state, &a->journal, a->init, want, err);
}

int pst_step_netlink_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			  struct pst_err *err)
{
	uint64_t link;
	(void)note;
	if (!pst_json_u64(json_object_get(arg, "link"), &link) || link > UINT32_MAX)
		return PST_OK;
	return pst_netshape_drop(&u->ctx->sd, (uint32_t)link, u->state->key, err);
}

/* The keeper is told which limits there are, once the runtime has made the cgroup. */
#include <string.h>

#include "core/limitwatch.h"
#include "core/oneline.h"
#include "host/apply_priv.h"
#include "host/cgroupof.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/netshape.h"

/* The keeper counts what is dropped where the network is limited. */
static int add_links(struct pst_apply *a, struct pst_buf *text, struct pst_err *err)
{
	struct pst_netbucket b[2 * PST_NETSHAPE_LINKS];
	size_t n = 0;
	const uint64_t *bits = a->plan->net.bits;
	if (bits[PST_NET_EGRESS] == 0 && bits[PST_NET_INGRESS] == 0)
		return PST_OK;
	const int rc = pst_netshape_buckets(&a->ctx->sd, a->state->key, b, PST_NELEM(b), &n, err);
	for (size_t i = 0; rc == PST_OK && i < n; i++)
		pst_buf_fmt(text, "link\tnet-%s\t%u\n", pst_net_dir_word(b[i].dir), b[i].link);
	return rc;
}

int pst_step_limits(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	static const enum pst_cgroup_kind kinds[] = {PST_CGROUP_CPU, PST_CGROUP_MEMORY, PST_CGROUP_PIDS};
	pst_auto_cgroup cg = {0};
	pst_auto_buf text = {0};
	(void)arg;
	(void)note;
	int rc = pst_cgroup_of(a->init, &cg, err);
	pst_buf_str(&text, a->plan->watch);
	for (size_t i = 0; rc == PST_OK && i < PST_NELEM(kinds); i++) {
		const char *dir = pst_cgroup_dir(&cg, kinds[i]);
		/* A path that is not one line of its own is nobody's the keeper could open. */
		if (dir != NULL && strpbrk(dir, "\t\n") == NULL)
			pst_buf_fmt(&text, "cgroup\t%s\t%d\t%s\n", pst_cgroup_names[kinds[i]], cg.version, dir);
	}
	if (rc == PST_OK)
		rc = add_links(a, &text, err);
	if (rc == PST_OK && (!pst_buf_ok(&text) || text.len >= PST_LIMITWATCH_MAX))
		rc = pst_fail(err, PST_E_SPEC, "/linux/cgroupsPath", "the cgroup's path is too long");
	if (rc == PST_OK)
		rc = pst_io_replace(a->state->fd, PST_LIMITWATCH_FILE, text.data, text.len, 0600, err);
	return rc == PST_OK ? pst_keeper_ask(a->state, PST_KEEPER_WATCH, err) : rc;
}

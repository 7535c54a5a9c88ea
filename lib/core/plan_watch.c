/* Limits whose being met is to be told. */
#include "core/limitwatch.h"
#include "core/plan_priv.h"

/*
 * A container with a limit has a keeper even where denials are not recorded: without one
 * nobody is there when the kernel kills, and whom it killed cannot be found out later.
 * One without any has none for this. Nor has one whose caller is not root: there is no place
 * for it then.
 */
int pst_plan_watch(struct pst_work *w, struct pst_err *err)
{
	struct pst_plan *p = w->plan;
	pst_auto_buf watch = {0};
	pst_auto_buf headers = {0};
	if (w->facts->listener[0] == '\0')
		return PST_OK;
	const int rc = pst_limitwatch_make(p->spec, &p->edits, &watch, err);
	if (rc != PST_OK)
		return rc;
	pst_plan_size_watch(w, &watch);
	pst_plan_net_watch(w, &watch);
	if (watch.len == 0)
		return PST_OK;
	pst_plan_headers(w, &headers);
	p->watch = pst_buf_take(&watch);
	p->headers = p->denials != NULL ? NULL : pst_buf_take(&headers);
	return p->watch == NULL || (p->denials == NULL && p->headers == NULL) ? pst_fail_nomem(err)
									      : PST_OK;
}

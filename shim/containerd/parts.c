/* What lives beside a container: today its OOM watch. */
#include <stdlib.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/oom.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"

#define OOM_WAITING 64 /* they all say the same: enough to show that it goes on */

/* A container can go on hitting its limit for as long as containerd is away. */
static void oom_hit(void *ctx)
{
	struct pst_task *t = ctx;
	Pst__TaskOOM e = PST__TASK_OOM__INIT;
	e.container_id = t->id;
	const bool few = pst_events_send_few("/tasks/oom", "containerd.events.TaskOOM", &e.base, t, OOM_WAITING);
	if (!few && !t->oom_bounded)
		pst_log("warning", "%d OOM events of %s wait for containerd: those that follow are not told to it",
			OOM_WAITING, t->id);
	t->oom_bounded = !few;
}

static int oom_begin(struct pst_task *t, void **ret_state, struct pst_err *err)
{
	struct pst_oom *o = NULL;
	const int rc = pst_oom_watch(&t->cgroup, oom_hit, t, &o, err);
	if (rc == PST_OK)
		*ret_state = o;
	return rc;
}

static void oom_end(void *state)
{
	pst_oom_free(state);
}

static const struct pst_part parts[] = {
	{"OOM watch", oom_begin, oom_end},
};
_Static_assert(PST_NELEM(parts) <= PST_PARTS_MAX, "more parts than places");

void pst_parts_begin(struct pst_task *t)
{
	for (size_t i = 0; i < PST_NELEM(parts); i++) {
		struct pst_err err = {0};
		if (parts[i].begin(t, &t->part[i], &err) != PST_OK)
			pst_log("warning", "%s of %s: %s", parts[i].name, t->id, err.msg);
	}
}

void pst_parts_end(struct pst_task *t)
{
	for (size_t i = 0; i < PST_NELEM(parts); i++)
		if (t->part[i] != NULL)
			parts[i].end(PST_TAKE(t->part[i]));
}

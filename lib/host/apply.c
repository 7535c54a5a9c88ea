#include "host/apply.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/apply_priv.h"
#include "host/hostops.h"

static const struct pst_step_kind kinds[] = {
	{"lease", NULL, pst_step_lease_undo},
	{"keeper", pst_step_keeper, pst_step_keeper_undo},
	{"stage", pst_step_stage, pst_step_stage_undo},
	{"rootfs", pst_step_rootfs, pst_step_rootfs_undo},
	{"volume", pst_step_volume, NULL},
	{"quota", pst_step_quota, pst_step_quota_undo},
	{"sysfs", pst_step_sysfs, NULL},
	{"devices", pst_step_devices, NULL},
	{"netsysctl", pst_step_netsysctl, pst_step_netsysctl_undo},
	{"stdio", pst_step_stdio, NULL},
	{"bundle", pst_step_bundle, NULL},
	{"runtime", pst_step_runtime, pst_step_runtime_undo},
	{"verify", pst_step_verify, NULL},
	{"limits", pst_step_limits, NULL},
	{"netshape", pst_step_netshape, NULL},
	{"netlink", NULL, pst_step_netlink_undo},
};

static const struct pst_step_kind *find(const char *name)
{
	for (size_t i = 0; name != NULL && i < PST_NELEM(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const char *pst_step_text(const json_t *arg, const char *key)
{
	const char *s = pst_json_str(json_object_get(arg, key));
	return s == NULL ? "" : s;
}

void pst_apply_source(const char *key, char out[64])
{
	snprintf(out, 64, "postern-%.32s", key);
}

static int run_step(struct pst_apply *a, const json_t *step, struct pst_err *err)
{
	const char *name = pst_step_text(step, "step");
	const json_t *arg = json_object_get(step, "arg");
	const struct pst_step_kind *k = find(name);
	uint64_t seq = 0;
	if (k == NULL || k->run == NULL)
		return pst_fail(err, PST_E_BUG, "", "the plan has a step \"%s\" that nobody knows", name);

	/* Only what has an undo needs a record: the rest dies with us or lies in
	 * the container's directory. */
	int rc = k->undo == NULL ? PST_OK
				 : pst_journal_put(&a->journal, PST_J_BEGIN, 0, name, arg, &seq, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_json *note = NULL;
	rc = k->run(a, arg, &note, err);
	if (rc == PST_OK && note != NULL)
		rc = pst_journal_put(&a->journal, PST_J_DONE, seq, name, note, NULL, err);
	return rc;
}

int pst_apply_run(struct pst_apply *a, struct pst_err *err)
{
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < json_array_size(a->plan->steps); i++)
		rc = run_step(a, json_array_get(a->plan->steps, i), err);
	return rc;
}

static int undo_step(struct pst_undo *u, const struct pst_jstep *s, struct pst_err *err)
{
	const struct pst_step_kind *k = find(s->step);
	if (k == NULL)
		return pst_fail(err, PST_E_STATE, "", "the journal has a step \"%s\" of another version",
				s->step);
	int rc = k->undo == NULL ? PST_OK : k->undo(u, s->arg, s->note, err);
	if (rc != PST_OK) {
		(void)pst_err_prefix(err, "undo of %s", s->step);
		return rc;
	}
	/* Not written (full disk): the next walk does it again, which is harmless. */
	(void)!pst_journal_put(u->journal, PST_J_UNDONE, s->seq, s->step, NULL, NULL, NULL);
	return PST_OK;
}

int pst_apply_undo(struct pst_undo *u, struct pst_err *err)
{
	pst_auto_jview v = {0};
	int first = pst_journal_read(u->state->fd, &v, err);
	for (size_t i = 0; i < v.nopen; i++) {
		struct pst_err e = {0};
		const int rc = undo_step(u, &v.open[i], &e);
		if (rc != PST_OK && first == PST_OK) {
			first = rc;
			if (err != NULL)
				*err = e;
		}
	}
	return first;
}

int pst_apply_mark(struct pst_apply *a, struct pst_err *err)
{
	if (a->hostns >= 0)
		return PST_OK;
	a->hostns = pst_host->openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC, 0);
	return a->hostns >= 0 ? PST_OK : pst_fail_sys(err, "cannot open /proc/self/ns/mnt");
}

int pst_apply_leave(struct pst_apply *a, struct pst_err *err)
{
	if (a->hostns < 0)
		return PST_OK;
	if (pst_host->setns(a->hostns, CLONE_NEWNS) != 0)
		return pst_fail_sys(err, "cannot return to the host's mount namespace");
	pst_fd_close(PST_TAKE_FD(a->hostns));
	return PST_OK;
}

void pst_apply_restore(struct pst_apply *a)
{
	pst_step_stdio_restore(a);
}

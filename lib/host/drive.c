#include "host/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/runtime.h"
#include "host/verify.h"

bool pst_drive_knows(const struct pst_record *r)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", r->runtime_root != NULL ? r->runtime_root : r->root, r->id);
	return pst_host->fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int pst_drive_settle(struct pst_making *m, struct pst_err *err)
{
	pst_auto_jview v = {0};
	if (pst_drive_knows(&m->record))
		return PST_OK;
	int rc = pst_journal_read(m->state.fd, &v, err);
	for (size_t i = 0; rc == PST_OK && i < v.nopen; i++)
		if (strcmp(v.open[i].step, "runtime") == 0)
			rc = pst_journal_put(&m->apply.journal, PST_J_UNDONE, v.open[i].seq, "runtime", NULL,
					     NULL, err);
	return rc;
}

int pst_drive_deleted(struct pst_making *m, enum pst_phase was, int status, struct pst_err *err)
{
	if (pst_drive_knows(&m->record)) {
		m->record.phase = was; /* it refused, in its own words: a running container stays */
		return pst_state_write(&m->ctx.sd, &m->state, &m->record, err);
	}
	int rc = status == 0 ? pst_drive_settle(m, err) : PST_OK;
	return rc == PST_OK ? pst_making_unmake(m, false, err) : rc;
}

int pst_drive_verify_started(pid_t pid, const struct pst_plan *p, struct pst_err *err)
{
	char proc[64];
	struct stat there;
	snprintf(proc, sizeof proc, "/proc/%ld/ns/user", (long)pid);
	if (pst_host->fstatat(AT_FDCWD, proc, &there, 0) != 0)
		return PST_OK;
	const int rc = pst_verify(pid, p, err);
	if (rc != PST_OK && pst_host->fstatat(AT_FDCWD, proc, &there, 0) == 0)
		(void)pst_host->kill(pid, SIGKILL);
	return rc;
}

int pst_drive_start(const struct pst_seen *seen, struct pst_runcall *c, int *ret_status,
		    struct pst_err *err)
{
	char text[32];
	uint64_t pid = 0;
	struct pst_plan p = {0};
	pst_auto_json *tree = NULL;
	int rc = pst_look_plan(seen, true, &tree, &p, err);
	if (rc == PST_OK && pst_io_read_small(seen->state.fd, "pid", text, sizeof text) <= 0)
		rc = pst_fail_sys(err, "cannot read the process id of container %s", seen->record.id);
	if (rc == PST_OK)
		rc = pst_runtime_run(&c->spawn, ret_status, err);
	if (rc == PST_OK && *ret_status == 0) {
		text[strcspn(text, "\n")] = '\0';
		rc = !pst_num_parse(text, 10, INT_MAX, &pid)
			     ? pst_fail(err, PST_E_STATE, "", "no process id on record")
			     : pst_drive_verify_started((pid_t)pid, &p, err);
	}
	pst_plan_done(&p);
	return rc;
}

/* `run` for a runtime without the gate: create, a look, start, a look, wait, delete. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "host/drive.h"
#include "host/hostops.h"
#include "host/runloop.h"
#include "host/runtime.h"
#include "host/verify.h"

static int call(struct pst_making *m, const char *verb, const char *flag, int *status,
		struct pst_err *err)
{
	pst_auto_runcall c;
	pst_runcall_begin(&c, &m->ctx, m->record.runtime_root);
	pst_runcall_add(&c, verb);
	if (flag != NULL)
		pst_runcall_add(&c, flag);
	pst_runcall_add(&c, m->record.id);
	const int rc = pst_runcall_ready(&c, err);
	c.spawn.mask = m->apply.loop.sig >= 0 ? &m->apply.loop.mask : NULL;
	return rc != PST_OK ? rc : pst_runtime_run(&c.spawn, status, err);
}

/* Has init, adopted by us, ended? */
static bool ended(pid_t init, int *ret_status)
{
	int st;
	if (pst_host->waitpid(init, &st, WNOHANG) != init)
		return false;
	*ret_status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return true;
}

/* Forward signals to init until it ends. */
static int wait_for(struct pst_making *m, int *ret_status, struct pst_err *err)
{
	const pid_t init = m->apply.init;
	struct pollfd p = {.fd = m->apply.loop.sig, .events = POLLIN};
	while (!ended(init, ret_status)) {
		struct signalfd_siginfo si;
		if (pst_host->poll(&p, 1, -1) < 0 && errno != EINTR)
			return pst_fail_sys(err, "cannot wait for the container");
		if (pst_host->read(m->apply.loop.sig, &si, sizeof si) != (ssize_t)sizeof si ||
		    si.ssi_signo == SIGCHLD)
			continue;
		(void)pst_host->kill(init, (int)si.ssi_signo);
	}
	return PST_OK;
}

static int start(struct pst_making *m, struct pst_err *err)
{
	int status = 0;
	int rc = call(m, "start", NULL, &status, err);
	m->apply.status = status;
	if (rc == PST_OK && status != 0)
		return pst_apply_runtime_failed(err);
	if (rc == PST_OK)
		rc = pst_drive_verify_started(m->apply.init, &m->plan, err);
	return rc;
}

static int finish(struct pst_making *m, int rc, struct pst_err *err)
{
	int status = 0;
	struct pst_err why = {0};
	(void)!call(m, "delete", "--force", &status, NULL);
	int undone = rc == PST_OK ? pst_drive_settle(m, &why) : PST_OK;
	if (undone == PST_OK)
		undone = pst_making_unmake(m, rc != PST_OK, &why);
	if (rc == PST_OK && undone != PST_OK && err != NULL)
		*err = why;
	return rc != PST_OK ? rc : undone;
}

static int check_terminal(const struct pst_making *m, const struct pst_create *c,
			  struct pst_err *err)
{
	if (!m->bundle.spec.terminal || c->console_socket != NULL)
		return PST_OK;
	pst_fail(err, PST_E_SPEC, "/process/terminal", "run with a terminal is not supported with %s",
		 m->ctx.rt.name);
	return pst_err_cure(err, "use create with --console-socket and start, or runc");
}

int pst_drive_run(struct pst_making *m, const struct pst_create *c, int *ret_status,
		  struct pst_err *err)
{
	/* The runtime's create ends while init lives on: it becomes our child. */
	if (pst_host->prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return pst_fail_sys(err, "cannot adopt the container's init");
	int rc = pst_making_make(m, c, false, err);
	*ret_status = m->apply.status;
	if (rc != PST_OK)
		return rc;
	rc = check_terminal(m, c, err);
	if (rc == PST_OK && c->made != NULL)
		rc = c->made(c->made_ctx, m->apply.init, err);
	if (rc == PST_OK)
		rc = pst_runloop_signals(&m->apply, err);
	if (rc == PST_OK)
		rc = start(m, err);
	*ret_status = m->apply.status;
	if (rc == PST_OK && c->detach) {
		m->record.phase = PST_PHASE_VERIFIED;
		return pst_state_write(&m->ctx.sd, &m->state, &m->record, err);
	}
	if (rc == PST_OK)
		rc = wait_for(m, ret_status, err);
	return c->keep && rc == PST_OK ? PST_OK : finish(m, rc, err);
}

#include "host/runloop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "host/gate.h"
#include "host/hostops.h"

/* Signals that are about this process and not for the container: faults of our
 * own, and job control, which stops the whole foreground group at once. */
static void all_but_ours(sigset_t *set)
{
	static const int ours[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT, SIGTRAP,
				   SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,  SIGPIPE};
	sigfillset(set);
	for (size_t i = 0; i < PST_NELEM(ours); i++)
		sigdelset(set, ours[i]);
}

int pst_runloop_signals(struct pst_apply *a, struct pst_err *err)
{
	sigset_t set;
	struct pst_runloop *l = &a->loop;
	all_but_ours(&set);
	if (pst_host->sigprocmask(SIG_BLOCK, &set, &l->mask) != 0)
		return pst_fail_sys(err, "cannot block signals");
	l->sig = pst_host->signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->sig < 0)
		return pst_fail_sys(err, "cannot make a signalfd");
	return PST_OK;
}

static int open_loop(struct pst_apply *a, struct pst_err *err)
{
	char dir[300], path[320];
	const int rc = pst_runloop_signals(a, err);
	if (rc != PST_OK)
		return rc;
	snprintf(path, sizeof path, "%s/gate", pst_ctx_dir(a->ctx, a->state->key, dir, sizeof dir));
	return pst_gate_listen(path, &a->loop.listen, err);
}

static bool reap(struct pst_apply *a)
{
	int st;
	if (a->loop.pid == 0 || pst_host->waitpid(a->loop.pid, &st, WNOHANG) != a->loop.pid)
		return false;
	a->loop.pid = 0;
	a->status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return true;
}

/* Take one signal. True when the runtime has ended. */
static bool take_signal(struct pst_apply *a)
{
	struct signalfd_siginfo si;
	if (pst_host->read(a->loop.sig, &si, sizeof si) != (ssize_t)sizeof si)
		return reap(a);
	if (si.ssi_signo == SIGCHLD)
		return reap(a);
	/* The terminal signals its whole foreground group, the runtime included:
	 * passing that on would deliver it twice. */
	if (si.ssi_code != SI_KERNEL && a->loop.pid > 0)
		(void)pst_host->kill(a->loop.pid, (int)si.ssi_signo);
	return false;
}

/* Wait for a signal, or for a knock at the gate. Negative: an error of poll. */
static int wait_event(struct pst_apply *a, bool gate, bool *knocked)
{
	struct pollfd p[2] = {
		{.fd = a->loop.sig, .events = POLLIN},
		{.fd = gate ? a->loop.listen : -1, .events = POLLIN},
	};
	*knocked = false;
	if (pst_host->poll(p, 2, -1) < 0)
		return errno == EINTR ? 0 : -1;
	if (p[0].revents != 0 && take_signal(a))
		return 1;
	*knocked = p[1].revents != 0;
	return 0;
}

int pst_runloop_start(struct pst_apply *a, struct pst_runcall *c, struct pst_err *err)
{
	struct pst_child child = {.out = -1};
	int rc = open_loop(a, err);
	if (rc != PST_OK)
		return rc;
	c->spawn.mask = &a->loop.mask;
	rc = pst_runtime_spawn(&c->spawn, &child, err);
	if (rc != PST_OK)
		return rc;
	a->loop.pid = child.pid;
	for (;;) {
		bool knocked;
		const int ended = wait_event(a, true, &knocked);
		if (ended < 0)
			return pst_fail_sys(err, "cannot wait for the runtime");
		if (ended > 0)
			return pst_apply_runtime_failed(err);
		if (knocked)
			return pst_gate_accept(a->loop.listen, &a->loop.conn, &a->init, err);
	}
}

int pst_runloop_wait(struct pst_apply *a, struct pst_err *err)
{
	int rc = pst_gate_answer(PST_TAKE_FD(a->loop.conn), true, err);
	pst_fd_close(PST_TAKE_FD(a->loop.listen));
	while (rc == PST_OK && a->loop.pid != 0) {
		bool knocked;
		if (wait_event(a, false, &knocked) < 0)
			rc = pst_fail_sys(err, "cannot wait for the runtime");
	}
	return rc;
}

void pst_runloop_abort(struct pst_apply *a)
{
	struct pst_runloop *l = &a->loop;
	if (l->conn >= 0)
		(void)!pst_gate_answer(PST_TAKE_FD(l->conn), false, NULL);
	pst_fd_close(PST_TAKE_FD(l->listen));
	if (l->pid > 0) {
		/* Told no, runc kills the container and ends by itself. */
		for (int i = 0; i < 200 && !reap(a); i++)
			(void)pst_host->poll(NULL, 0, 10);
		if (l->pid > 0) {
			int st;
			(void)pst_host->kill(l->pid, SIGKILL);
			(void)pst_host->waitpid(l->pid, &st, 0);
			l->pid = 0;
		}
	}
	if (l->sig >= 0)
		(void)pst_host->sigprocmask(SIG_SETMASK, &l->mask, NULL);
	pst_fd_close(PST_TAKE_FD(l->sig));
}

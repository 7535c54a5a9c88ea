#include "host/scload.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "core/sccheck.h"
#include "host/hostops.h"

#define SPINS 100      /* looks without sleeping: the stop takes some 50 us */
#define STOP_MS 2000   /* then one a millisecond */

void pst_scchain_done(struct pst_scchain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct sock_filter *insn;
		memcpy(&insn, &c->prog[i].insn, sizeof insn); /* ours, const only to readers */
		free(insn);
	}
	*c = (struct pst_scchain){0};
}

/* Wait for the stop that INTERRUPT asked for. *sig: a signal that came in its
 * place and has to be handed on. */
static int await_stop(pid_t pid, int *sig, struct pst_err *err)
{
	for (int i = 0; i < SPINS + STOP_MS; i++) {
		int status;
		const pid_t got = pst_host->waitpid(pid, &status, __WALL | WNOHANG);
		if (got < 0 && errno != EINTR)
			return pst_fail_sys(err, "wait for process %d to stop", pid);
		if (got == pid && !WIFSTOPPED(status))
			return pst_fail(err, PST_E_STATE, "", "process %d ended while its filter was "
							      "being read",
					pid);
		if (got == pid) {
			*sig = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
			return PST_OK;
		}
		(void)pst_host->poll(NULL, 0, i < SPINS ? 0 : 1);
	}
	return pst_fail(err, PST_E_STATE, "", "process %d does not stop: its filter cannot be read",
			pid);
}

static long get_filter(pid_t pid, size_t i, struct sock_filter *out)
{
	return pst_host->ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)(uintptr_t)i, out);
}

/* The process is stopped: copy filter after filter until there is no more. */
static int copy_chain(pid_t pid, struct pst_scchain *c, struct pst_err *err)
{
	for (;;) {
		const long n = get_filter(pid, c->n, NULL);
		/* EINVAL: no filter mode at all; ENOENT: past the last */
		if (n < 0 && (errno == ENOENT || (errno == EINVAL && c->n == 0)))
			return PST_OK;
		if (n < 0) {
			const int code = pst_fail_sys(err, "read filter %zu of process %d", c->n, pid);
			pst_err_cure(err, "%s", err == NULL || err->sys != EIO
						? "run as root, outside of any seccomp filter"
						: "use a kernel built with CONFIG_CHECKPOINT_RESTORE");
			return code;
		}
		if (n == 0 || n > BPF_MAXINSNS || c->n == PST_SCCHAIN_MAX)
			return pst_fail(err, PST_E_STATE, "",
					"process %d has a filter chain out of bounds (%zu, %ld)", pid,
					c->n, n);
		struct sock_filter *insn = calloc((size_t)n, sizeof *insn);
		if (insn == NULL)
			return pst_fail_nomem(err);
		c->prog[c->n++] = (struct pst_bpf){.insn = insn, .n = (size_t)n};
		if (get_filter(pid, c->n - 1, insn) != n)
			return pst_fail_sys(err, "copy filter %zu of process %d", c->n - 1, pid);
	}
}

int pst_scload_read(pid_t pid, struct pst_scchain *ret, struct pst_err *err)
{
	if (pst_host->ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return pst_fail_sys(err, "stop process %d to read its filter", pid);

	pst_auto_scchain c = {0};
	int sig = 0;
	int r = PST_OK;
	if (pst_host->ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		r = pst_fail_sys(err, "interrupt process %d", pid);
	if (r == PST_OK)
		r = await_stop(pid, &sig, err);
	if (r == PST_OK)
		r = copy_chain(pid, &c, err);
	/* fails if it never stopped or is gone; the kernel detaches at our exit then */
	if (pst_host->ptrace(PTRACE_DETACH, pid, NULL, (void *)(uintptr_t)sig) != 0 && r == PST_OK)
		r = pst_fail_sys(err, "let process %d go on", pid);
	if (r != PST_OK)
		return r;
	*ret = c;
	c = (struct pst_scchain){0};
	return PST_OK;
}

int pst_scload_verify(pid_t pid, const struct pst_scprof *want, struct pst_err *err)
{
	pst_auto_scchain c = {0};
	const int r = pst_scload_read(pid, &c, err);
	return r != PST_OK ? r : pst_sccheck(c.prog, c.n, want, NULL, err);
}

bool pst_scload_unreadable(const struct pst_err *err)
{
	return err->code == PST_E_HOST && err->sys == EIO;
}

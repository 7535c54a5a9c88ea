#include "host/scbuild.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "host/hostops.h"

void pst_scbuilt_done(struct pst_scbuilt *b)
{
	free(b->insn);
	*b = (struct pst_scbuilt){0};
}

/* One rule; libseccomp's action words are the kernel's. 0 or negative errno. */
static int add_rule(scmp_filter_ctx ctx, int nr, const struct pst_scrule *r)
{
	struct scmp_arg_cmp args[PST_NARGS];
	unsigned n = 0;
	for (unsigned i = 0; i < PST_NARGS; i++) {
		const struct pst_cube c = r->box.arg[i];
		if (c.mask == UINT64_MAX)
			args[n++] = SCMP_CMP64(i, SCMP_CMP_EQ, c.value, 0);
		else if (c.mask != 0)
			args[n++] = SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, c.mask, c.value);
	}
	return seccomp_rule_add_array(ctx, r->ret, nr, n, args);
}

static int fill(scmp_filter_ctx ctx, const struct pst_scprof *p)
{
	int r = 0;
	if ((p->archs & PST_SCARCH_X86) != 0)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	if (r == 0 && (p->archs & PST_SCARCH_X32) != 0)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X32);
	for (unsigned i = 0; i < PST_SC_SLOTS && r == 0; i++) {
		const struct pst_sc *sc = pst_sctable_slot(i);
		const bool shown = i < PST_SC_NATIVE || (p->archs & PST_SCARCH_X86) != 0;
		if (p->slot[i].n == 0 || sc == NULL || !shown)
			continue;
		const int nr = seccomp_syscall_resolve_name(sc->name);
		for (uint32_t k = 0; k < p->slot[i].n && r == 0 && nr != __NR_SCMP_ERROR; k++)
			r = add_rule(ctx, nr, &p->slot[i].v[k]);
	}
	return r;
}

/* In the child: export into the pipe, answer by exit status. */
PST_NORETURN static void compile_and_exit(const struct pst_scprof *p, int fd)
{
	scmp_filter_ctx ctx = seccomp_init(p->def);
	const int r = ctx == NULL ? -ENOMEM : fill(ctx, p);
	_exit(r == 0 && seccomp_export_bpf(ctx, fd) == 0 ? 0 : 1);
}

/* Everything the child writes, up to its end; false when it is late. */
static bool drain(int fd, int ms, struct pst_buf *out)
{
	for (;;) {
		char chunk[16384];
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		const int ready = pst_host->poll(&pfd, 1, ms);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		const ssize_t n = pst_host->read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		pst_buf_add(out, chunk, (size_t)n);
	}
}

static int take(struct pst_buf *out, struct pst_scbuilt *ret, struct pst_err *err)
{
	if (!pst_buf_ok(out))
		return pst_fail_nomem(err);
	const size_t len = out->len;
	const size_t n = len / sizeof(struct sock_filter);
	if (len % sizeof(struct sock_filter) != 0)
		return pst_fail(err, PST_E_RUNTIME, "", "libseccomp exported %zu bytes, not whole "
							"instructions",
				len);
	struct sock_filter *insn = malloc(len + 1);
	if (insn == NULL)
		return pst_fail_nomem(err);
	memcpy(insn, pst_buf_cstr(out), len);
	const int r = pst_bpf_check((struct pst_bpf){insn, n}, err);
	if (r != PST_OK) {
		free(insn);
		return r;
	}
	*ret = (struct pst_scbuilt){.insn = insn, .n = n};
	return PST_OK;
}

int pst_scbuild(const struct pst_scprof *p, int ms, struct pst_scbuilt *ret, struct pst_err *err)
{
	int fds[2];
	if (pst_host->pipe2(fds, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "pipe for the filter compiler");
	pst_auto_fd rd = fds[0];
	pst_auto_fd wr = fds[1];
	const pid_t pid = pst_host->fork();
	if (pid < 0)
		return pst_fail_sys(err, "fork of the filter compiler");
	if (pid == 0)
		compile_and_exit(p, wr);
	pst_fd_close(PST_TAKE_FD(wr));

	pst_auto_buf out = {0};
	const bool in_time = drain(rd, ms, &out);
	int status = 0;
	if (!in_time)
		(void)pst_host->kill(pid, SIGKILL);
	while (pst_host->waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!in_time)
		return pst_fail(err, PST_E_RUNTIME, "",
				"libseccomp did not compile the profile within %d ms", ms);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return pst_fail(err, PST_E_RUNTIME, "", "libseccomp does not take the profile");
	return take(&out, ret, err);
}

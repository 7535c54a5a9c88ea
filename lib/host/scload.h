/*
 * host/scload.h - filters as the kernel holds them: read back, and put on.
 *
 * Reading uses ptrace(2): SEIZE and INTERRUPT stop the process where it is (a
 * system call it sleeps in restarts by itself, no signal is seen), GET_FILTER
 * copies each program, DETACH lets it go on. The kernel asks CAP_SYS_ADMIN of the
 * reader, and that the reader has no filter itself (kernel/seccomp.c
 * seccomp_get_filter): so the safety net belongs on the child that becomes the
 * runtime, never on postern.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/bpfsim.h"
#include "core/scprof.h"

#define PST_SCCHAIN_MAX 32 /* filters one process may have before we refuse to read on */

/* The filters of a process, newest first. */
struct pst_scchain {
	struct pst_bpf prog[PST_SCCHAIN_MAX]; /* insn malloc'd */
	size_t n;
};

/* Frees; accepts an empty one. */
void pst_scchain_done(struct pst_scchain *c);
#define pst_auto_scchain PST_CLEANUP(pst_scchain_done) struct pst_scchain

/*
 * Read the filters of thread `pid`. n is 0 if it has none. On failure the process
 * has been let go too, and *ret is untouched.
 *
 * PST_E_HOST with err->sys:
 *   EIO     the kernel has no PTRACE_SECCOMP_GET_FILTER (CONFIG_CHECKPOINT_RESTORE):
 *           callers may fall back to the Seccomp lines of /proc/PID/status
 *   EACCES  the reader lacks CAP_SYS_ADMIN or runs under a filter
 *   EPERM   the process may not be traced, or somebody traces it already
 *   ESRCH   no such process
 * PST_E_STATE: it ended, or did not stop within two seconds.
 */
PST_CHECKED PST_NONNULL(2)
int pst_scload_read(pid_t pid, struct pst_scchain *ret, struct pst_err *err);

/*
 * Is the filter chain of thread `pid` at least as strict as `want` (I-4)?
 * PST_OK; PST_E_STATE naming the first weaker point; else as pst_scload_read.
 */
PST_CHECKED PST_NONNULL(2)
int pst_scload_verify(pid_t pid, const struct pst_scprof *want, struct pst_err *err);

/* May this failure of pst_scload_verify be answered by reading /proc instead? */
PST_CHECKED bool pst_scload_unreadable(const struct pst_err *err);

/*
 * Put the safety net on the calling thread: a fixed filter that denies what no
 * mode may allow and no runtime needs (kernel code, swap, reboot, ports), for
 * x86_64, x32 and i386 numbers; everything else passes. It stays over execve and
 * cannot be taken off. Async-signal-safe: for the child between fork and exec.
 * Needs CAP_SYS_ADMIN (no_new_privs is not touched). PST_E_HOST.
 */
PST_CHECKED int pst_scload_net(struct pst_err *err);

/* The program of the safety net, for tests and for `postern profile`. */
struct pst_bpf pst_scload_net_program(void);

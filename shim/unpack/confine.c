#include "confine.h"

#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a process needs to compute, allocate and end. */
#define BASIC                                                                               \
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek), \
		SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mremap), SCMP_SYS(munmap),          \
		SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit),     \
		SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),    \
		SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(fcntl),              \
		SCMP_SYS(newfstatat)

static const int filter_calls[] = {BASIC};
static const int extract_calls[] = {
	BASIC,
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(pwrite64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(mkdirat),
	SCMP_SYS(mknodat),
	SCMP_SYS(symlinkat),
	SCMP_SYS(linkat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(fchown),
	SCMP_SYS(fchownat),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(fsetxattr),
	SCMP_SYS(utimensat),
};

static const cap_value_t extract_caps[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,
					   CAP_SETFCAP};
static const cap_value_t parent_caps[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,
					  CAP_FSETID, CAP_SETFCAP,      CAP_SYS_ADMIN};

static int load_filter(const int calls[], size_t n, struct pst_err *err)
{
#ifdef PST_SANITIZED /* the sanitizers' own calls are not ours to list */
	(void)calls;
	(void)n;
	(void)err;
	return PST_OK;
#else
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return pst_fail_nomem(err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		return pst_fail(err, PST_E_HOST, "", "cannot load the filter of postern-unpack");
	return PST_OK;
#endif
}

static void cap_done(cap_t *c)
{
	cap_free(*c);
}

/* Exactly `keep` stays, in the bounding set too. */
static int keep_caps(const cap_value_t keep[], int n, struct pst_err *err)
{
	for (cap_value_t c = 0; CAP_IS_SUPPORTED(c); c++) {
		bool kept = false;
		for (int i = 0; i < n; i++)
			kept = kept || keep[i] == c;
		if (!kept && cap_get_bound(c) == 1)
			(void)cap_drop_bound(c); /* fails only without SETPCAP; see below */
	}
	PST_CLEANUP(cap_done) cap_t caps = cap_init();
	if (caps == NULL)
		return pst_fail_nomem(err);
	if (n > 0 && (cap_set_flag(caps, CAP_PERMITTED, n, keep, CAP_SET) != 0 ||
		      cap_set_flag(caps, CAP_EFFECTIVE, n, keep, CAP_SET) != 0))
		return pst_fail_sys(err, "cannot name the capabilities of postern-unpack");
	if (cap_set_proc(caps) != 0) {
		pst_fail_sys(err, "cannot set the capabilities of postern-unpack");
		pst_err_cure(err, "run postern launch as root");
		return PST_E_HOST;
	}
	return PST_OK;
}

int confine_start(struct pst_err *err)
{
	static const struct rlimit none = {0, 0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return pst_fail_sys(err, "cannot confine postern-unpack");
	return PST_OK;
}

int confine_filter(struct pst_err *err)
{
	const int rc = keep_caps(NULL, 0, err);
	return rc != PST_OK ? rc : load_filter(filter_calls, PST_NELEM(filter_calls), err);
}

/* pivot_root(2), "pivot_root(".", ".")": no directory for the old root is needed. */
static int enter(const char *dir)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(dir, dir, NULL, MS_BIND, NULL) != 0 ||
	    mount(NULL, dir, NULL, MS_BIND | MS_REMOUNT | flags, NULL) != 0 || chdir(dir) != 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0)
		return -1;
	return chdir("/");
}

int confine_extract(const char *dir, struct pst_err *err)
{
	if (enter(dir) != 0)
		return pst_fail_sys(err, "cannot make %s the root of postern-unpack", dir);
	const int rc = keep_caps(extract_caps, PST_NELEM(extract_caps), err);
	return rc != PST_OK ? rc : load_filter(extract_calls, PST_NELEM(extract_calls), err);
}

int confine_parent(struct pst_err *err)
{
	return keep_caps(parent_caps, PST_NELEM(parent_caps), err);
}

#include "failing.h"

#include <errno.h>
#include <stdio.h>

#include "host/hostops.h"

struct failing *failing;

static bool hit(const char *name)
{
	if (++failing->count != failing->at)
		return false;
	snprintf(failing->name, sizeof failing->name, "%s", name);
	errno = failing->err;
	return true;
}

#define FAIL(ret, name, params, args) \
	static ret f_##name params    \
	{                             \
		if (hit(#name))       \
			return (ret)-1; \
		return pst_hostops_real.name args; \
	}

FAIL(int, openat, (int d, const char *p, int f, mode_t m), (d, p, f, m))
FAIL(int, openat2, (int d, const char *p, const struct open_how *h, size_t s), (d, p, h, s))
FAIL(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m))
FAIL(int, mknodat, (int d, const char *p, mode_t m, dev_t v), (d, p, m, v))
FAIL(int, symlinkat, (const char *t, int d, const char *p), (t, d, p))
FAIL(int, linkat, (int a, const char *o, int b, const char *n, int f), (a, o, b, n, f))
FAIL(int, unlinkat, (int d, const char *p, int f), (d, p, f))
FAIL(int, renameat, (int a, const char *o, int b, const char *n), (a, o, b, n))
FAIL(int, fchownat, (int d, const char *p, uid_t u, gid_t g, int f), (d, p, u, g, f))
FAIL(int, fchmodat, (int d, const char *p, mode_t m), (d, p, m))
FAIL(int, fchown, (int d, uid_t u, gid_t g), (d, u, g))
FAIL(int, fchmod, (int d, mode_t m), (d, m))
FAIL(int, fstat, (int d, struct stat *s), (d, s))
FAIL(int, fstatat, (int d, const char *p, struct stat *s, int f), (d, p, s, f))
FAIL(int, fstatfs, (int d, struct statfs *s), (d, s))
FAIL(ssize_t, readlinkat, (int d, const char *p, char *b, size_t s), (d, p, b, s))
FAIL(ssize_t, getdents64, (int d, void *b, size_t s), (d, b, s))
FAIL(ssize_t, read, (int d, void *b, size_t s), (d, b, s))
FAIL(ssize_t, write, (int d, const void *b, size_t s), (d, b, s))
FAIL(ssize_t, pread, (int d, void *b, size_t s, off_t o), (d, b, s, o))
FAIL(int, ftruncate, (int d, off_t l), (d, l))
FAIL(int, fsync, (int d), (d))
FAIL(int, flock, (int d, int o), (d, o))
FAIL(int, memfd_create, (const char *n, unsigned f), (n, f))
FAIL(int, pipe2, (int v[2], int f), (v, f))
FAIL(int, poll, (struct pollfd *p, nfds_t n, int m), (p, n, m))
FAIL(int, ioctl, (int d, unsigned long r, void *a), (d, r, a))
FAIL(int, mount, (const char *s, const char *d, const char *t, unsigned long f, const void *v),
     (s, d, t, f, v))
FAIL(int, umount2, (const char *d, int f), (d, f))
FAIL(int, open_tree, (int d, const char *p, unsigned f), (d, p, f))
FAIL(int, mount_setattr, (int d, const char *p, unsigned f, struct mount_attr *a, size_t s),
     (d, p, f, a, s))
FAIL(int, move_mount, (int a, const char *o, int b, const char *n, unsigned f), (a, o, b, n, f))
FAIL(int, fsopen, (const char *t, unsigned f), (t, f))
FAIL(int, fsconfig, (int d, unsigned c, const char *k, const void *v, int a), (d, c, k, v, a))
FAIL(int, fsmount, (int d, unsigned f, unsigned a), (d, f, a))
FAIL(int, unshare, (int f), (f))
FAIL(int, setns, (int d, int f), (d, f))
FAIL(int, prctl, (int o, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
     (o, a, b, c, d))
FAIL(pid_t, fork, (void), ())
FAIL(int, execve, (const char *p, char *const a[], char *const e[]), (p, a, e))
FAIL(int, kill, (pid_t p, int s), (p, s))
FAIL(int, pidfd_open, (pid_t p, unsigned f), (p, f))
FAIL(long, ptrace, (int r, pid_t p, void *a, void *d), (r, p, a, d))
FAIL(int, seccomp, (unsigned o, unsigned f, void *a), (o, f, a))
FAIL(int, bpf, (int c, union bpf_attr *a, unsigned s), (c, a, s))
FAIL(int, socket, (int d, int t, int p), (d, t, p))
FAIL(ssize_t, sendmsg, (int d, const struct msghdr *m, int f), (d, m, f))
FAIL(ssize_t, recvmsg, (int d, struct msghdr *m, int f), (d, m, f))
FAIL(ssize_t, getrandom, (void *b, size_t s, unsigned f), (b, s, f))

static struct pst_hostops table;

void failing_use(bool on)
{
	if (!on) {
		pst_host = &pst_hostops_real;
		return;
	}
	/* Calls that cannot fail, or only by a bug of ours, stay real: waitpid of a
	 * child we have, setfsuid, dup of an open descriptor. */
	table = pst_hostops_real;
#define PUT(name) table.name = f_##name
	PUT(openat), PUT(openat2), PUT(mkdirat), PUT(mknodat), PUT(symlinkat), PUT(linkat);
	PUT(unlinkat), PUT(renameat), PUT(fchownat), PUT(fchmodat), PUT(fchown), PUT(fchmod);
	PUT(fstat), PUT(fstatat), PUT(fstatfs), PUT(readlinkat), PUT(getdents64), PUT(read);
	PUT(write), PUT(pread), PUT(ftruncate), PUT(fsync), PUT(flock), PUT(memfd_create);
	PUT(pipe2), PUT(poll), PUT(ioctl), PUT(mount), PUT(umount2), PUT(open_tree);
	PUT(mount_setattr), PUT(move_mount), PUT(fsopen), PUT(fsconfig), PUT(fsmount);
	PUT(unshare), PUT(setns), PUT(prctl), PUT(fork), PUT(execve), PUT(kill);
	PUT(pidfd_open), PUT(ptrace), PUT(seccomp), PUT(getrandom);
	PUT(bpf), PUT(socket), PUT(sendmsg), PUT(recvmsg);
#undef PUT
	pst_host = &table;
}

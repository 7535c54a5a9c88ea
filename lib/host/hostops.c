#include "host/hostops.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc 2.36 declares mount(2)'s new family in sys/mount.h, whose enums collide
 * with linux/mount.h; the plain calls are declared here instead. */
extern int mount(const char *src, const char *dst, const char *type, unsigned long flags,
		 const void *data);
extern int umount2(const char *dst, int flags);
extern int unshare(int flags);
extern int setns(int fd, int flags);

static int op_openat(int dfd, const char *path, int flags, mode_t mode)
{
	return openat(dfd, path, flags, mode);
}

static int op_openat2(int dfd, const char *path, const struct open_how *how, size_t size)
{
	return (int)syscall(SYS_openat2, dfd, path, how, size);
}

static int op_fchmodat(int dfd, const char *path, mode_t mode)
{
	return fchmodat(dfd, path, mode, 0);
}

static ssize_t op_getdents64(int fd, void *buf, size_t size)
{
	return syscall(SYS_getdents64, fd, buf, size);
}

static int op_ioctl(int fd, unsigned long req, void *arg)
{
	return ioctl(fd, req, arg);
}

static int op_fcntl(int fd, int cmd, long arg)
{
	return fcntl(fd, cmd, arg);
}

static int op_open_tree(int dfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dfd, path, flags);
}

static int op_mount_setattr(int dfd, const char *path, unsigned flags, struct mount_attr *attr,
			    size_t size)
{
	return (int)syscall(SYS_mount_setattr, dfd, path, flags, attr, size);
}

static int op_move_mount(int fdfd, const char *from, int tdfd, const char *to, unsigned flags)
{
	return (int)syscall(SYS_move_mount, fdfd, from, tdfd, to, flags);
}

static int op_fsopen(const char *type, unsigned flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static int op_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static int op_fsmount(int fd, unsigned flags, unsigned attrs)
{
	return (int)syscall(SYS_fsmount, fd, flags, attrs);
}

static int op_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return prctl(op, a, b, c, d);
}

static int op_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int op_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static long op_ptrace(int req, pid_t pid, void *addr, void *data)
{
	return ptrace((enum __ptrace_request)req, pid, addr, data);
}

static int op_bpf(int cmd, union bpf_attr *attr, unsigned size)
{
	return (int)syscall(SYS_bpf, cmd, attr, size);
}

static int op_seccomp(unsigned op, unsigned flags, void *args)
{
	return (int)syscall(SYS_seccomp, op, flags, args);
}

const struct pst_hostops pst_hostops_real = {
	.openat = op_openat,
	.openat2 = op_openat2,
	.mkdirat = mkdirat,
	.mknodat = mknodat,
	.symlinkat = symlinkat,
	.linkat = linkat,
	.unlinkat = unlinkat,
	.renameat = renameat,
	.fchownat = fchownat,
	.fchmodat = op_fchmodat,
	.fchown = fchown,
	.fchmod = fchmod,
	.fstat = fstat,
	.fstatat = fstatat,
	.fstatfs = fstatfs,
	.readlinkat = readlinkat,
	.getdents64 = op_getdents64,
	.read = read,
	.write = write,
	.pread = pread,
	.lseek = lseek,
	.ftruncate = ftruncate,
	.fsync = fsync,
	.flock = flock,
	.memfd_create = memfd_create,
	.pipe2 = pipe2,
	.poll = poll,
	.ioctl = op_ioctl,
	.fcntl = op_fcntl,
	.dup3 = dup3,
	.mount = mount,
	.umount2 = umount2,
	.open_tree = op_open_tree,
	.mount_setattr = op_mount_setattr,
	.move_mount = op_move_mount,
	.fsopen = op_fsopen,
	.fsconfig = op_fsconfig,
	.fsmount = op_fsmount,
	.unshare = unshare,
	.setns = setns,
	.setfsuid = setfsuid,
	.setfsgid = setfsgid,
	.prctl = op_prctl,
	.uname = uname,
	.fork = fork,
	.execve = execve,
	.waitpid = waitpid,
	.kill = kill,
	.pidfd_open = op_pidfd_open,
	.pidfd_send_signal = op_pidfd_send_signal,
	.sigprocmask = sigprocmask,
	.signalfd = signalfd,
	.ptrace = op_ptrace,
	.seccomp = op_seccomp,
	.bpf = op_bpf,
	.socket = socket,
	.bind = bind,
	.listen = listen,
	.accept4 = accept4,
	.connect = connect,
	.setsockopt = setsockopt,
	.getsockopt = getsockopt,
	.sendmsg = sendmsg,
	.recvmsg = recvmsg,
	.getrandom = getrandom,
};

const struct pst_hostops *pst_host = &pst_hostops_real;

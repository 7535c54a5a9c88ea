/*
 * host/hostops.h - the table of host operations: every effect passes here.
 *
 * lib/host calls the machine only through `pst_host->NAME(...)`; a lint reads
 * the objects' undefined symbols and names each direct call. Entries have the
 * prototype, return value and errno of the system call of the same name (man 2),
 * so a reader needs no second manual. Tests put another table in place that
 * fails the k-th operation or records it.
 *
 * Descriptors are opened with O_CLOEXEC by the callers. close(2) is not here:
 * it cannot fail in a way that matters (base/fd.h).
 *
 * The table pointer is process-wide and set before the first use; it survives
 * fork, so the children's operations are counted too.
 */
#pragma once

#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>

#include "base/attr.h"

struct open_how;
struct utsname;
struct mount_attr;
union bpf_attr;

struct pst_hostops {
	/* files */
	int (*openat)(int dfd, const char *path, int flags, mode_t mode);
	int (*openat2)(int dfd, const char *path, const struct open_how *how, size_t size);
	int (*mkdirat)(int dfd, const char *path, mode_t mode);
	int (*mknodat)(int dfd, const char *path, mode_t mode, dev_t dev);
	int (*symlinkat)(const char *target, int dfd, const char *path);
	int (*linkat)(int odfd, const char *old, int ndfd, const char *new_, int flags);
	int (*unlinkat)(int dfd, const char *path, int flags);
	int (*renameat)(int odfd, const char *old, int ndfd, const char *new_);
	int (*fchownat)(int dfd, const char *path, uid_t uid, gid_t gid, int flags);
	int (*fchmodat)(int dfd, const char *path, mode_t mode);
	int (*fchown)(int fd, uid_t uid, gid_t gid);
	int (*fchmod)(int fd, mode_t mode);
	int (*fstat)(int fd, struct stat *st);
	int (*fstatat)(int dfd, const char *path, struct stat *st, int flags);
	int (*fstatfs)(int fd, struct statfs *st);
	ssize_t (*readlinkat)(int dfd, const char *path, char *buf, size_t size);
	ssize_t (*getdents64)(int fd, void *buf, size_t size);
	ssize_t (*read)(int fd, void *buf, size_t size);
	ssize_t (*write)(int fd, const void *buf, size_t size);
	ssize_t (*pread)(int fd, void *buf, size_t size, off_t off);
	off_t (*lseek)(int fd, off_t off, int whence);
	int (*ftruncate)(int fd, off_t len);
	int (*fsync)(int fd);
	int (*flock)(int fd, int op);
	int (*memfd_create)(const char *name, unsigned flags);
	int (*pipe2)(int fds[2], int flags);
	int (*poll)(struct pollfd *fds, nfds_t n, int ms);
	int (*ioctl)(int fd, unsigned long req, void *arg);
	int (*fcntl)(int fd, int cmd, long arg);
	int (*dup3)(int old, int new_, int flags);
	/* mounts */
	int (*mount)(const char *src, const char *dst, const char *type, unsigned long flags,
		     const void *data);
	int (*umount2)(const char *dst, int flags);
	int (*open_tree)(int dfd, const char *path, unsigned flags);
	int (*mount_setattr)(int dfd, const char *path, unsigned flags, struct mount_attr *attr,
			     size_t size);
	int (*move_mount)(int fdfd, const char *from, int tdfd, const char *to, unsigned flags);
	int (*fsopen)(const char *type, unsigned flags);
	int (*fsconfig)(int fd, unsigned cmd, const char *key, const void *value, int aux);
	int (*fsmount)(int fd, unsigned flags, unsigned attrs);
	/* namespaces, credentials */
	int (*unshare)(int flags);
	int (*setns)(int fd, int flags);
	int (*setfsuid)(uid_t uid); /* setfsuid(2): returns the previous id, never an error */
	int (*setfsgid)(gid_t gid);
	int (*prctl)(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
	int (*uname)(struct utsname *u);
	/* processes */
	pid_t (*fork)(void);
	int (*execve)(const char *path, char *const argv[], char *const envp[]);
	pid_t (*waitpid)(pid_t pid, int *status, int options);
	int (*kill)(pid_t pid, int sig);
	int (*pidfd_open)(pid_t pid, unsigned flags);
	int (*pidfd_send_signal)(int pidfd, int sig);
	int (*sigprocmask)(int how, const sigset_t *set, sigset_t *old);
	int (*signalfd)(int fd, const sigset_t *mask, int flags);
	long (*ptrace)(int req, pid_t pid, void *addr, void *data);
	int (*seccomp)(unsigned op, unsigned flags, void *args);
	int (*bpf)(int cmd, union bpf_attr *attr, unsigned size);
	/* sockets (console socket, gate) */
	int (*socket)(int domain, int type, int proto);
	int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(int fd, int backlog);
	int (*accept4)(int fd, struct sockaddr *addr, socklen_t *len, int flags);
	int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
	int (*setsockopt)(int fd, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(int fd, int level, int name, void *val, socklen_t *len);
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
	ssize_t (*getrandom)(void *buf, size_t size, unsigned flags);
};

/* The real calls. */
extern const struct pst_hostops pst_hostops_real;

/* The table in use; pst_hostops_real unless a test put another in place. */
extern const struct pst_hostops *pst_host;

/*
 * roundtrip COUNT: what one seccomp notification costs on this machine, with a listener
 * that does nothing but answer EPERM. Prints the median and lowest nanoseconds of a call.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int install(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog p = {.len = 4, .filter = f};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p);
}

static void send_fd(int to, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	(void)!sendmsg(to, &m, 0);
}

static int take_fd(int from)
{
	int fd;
	char byte, control[CMSG_SPACE(sizeof fd)];
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	if (recvmsg(from, &m, 0) != 1)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* Linux 6.6; not in the headers of older distributions. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

static void serve(int fd)
{
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	while (poll(&p, 1, -1) == 1 && (p.revents & POLLIN) != 0) {
		struct seccomp_notif in = {0};
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &in) != 0)
			continue;
		struct seccomp_notif_resp out = {.id = in.id, .error = -EPERM};
		(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &out);
	}
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static int caller(int to, long count)
{
	uint32_t *took = calloc((size_t)count, sizeof *took);
	const int fd = install();
	if (fd < 0 || took == NULL)
		return 1;
	send_fd(to, fd);
	close(fd);
	for (long i = 0; i < count; i++) {
		const uint64_t from = now();
		(void)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
		took[i] = (uint32_t)(now() - from);
	}
	qsort(took, (size_t)count, sizeof *took, compare);
	printf("median %u\nlowest %u\n", took[count / 2], took[0]);
	return 0;
}

int main(int argc, char **argv)
{
	int pair[2];
	const long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	if (count < 1 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 2;
	const pid_t pid = fork();
	if (pid == 0) {
		const int rc = caller(pair[0], count);
		(void)fflush(stdout);
		_exit(rc);
	}
	close(pair[0]);
	serve(take_fd(pair[1]));
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

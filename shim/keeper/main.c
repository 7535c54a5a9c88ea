/*
 * postern-keeper KEY: hold the seccomp listeners of one container, count its limits.
 *
 * Started by postern (host/keeper.h) with the container's directory, two listening
 * sockets and the directory of records as descriptors 3 to 6. Ends when the last
 * process under the filters and the container's first one have ended, or when it is told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/limitwatch.h"
#include "keeper.h"

enum { DIR_FD = 3, LISTEN_FD, ASK_FD, DENIALS_FD, FIRST_FREE }; /* host/keeper.h */

/* Linux 6.6; not in the headers we build with. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

enum { AT_LISTEN, AT_ASK, AT_END, AT_BELL, AT_SIZE, AT_FILTERS }; /* places in the poll set */

#define ALONE_MS 10000  /* no filter left: an exec that is on its way finds us still */
#define NEVER_MS 120000 /* no filter ever came: the create that started us is dead */

static struct {
	struct rules rules;
	struct pollfd fds[AT_FILTERS + KEEPER_FDS];
	nfds_t n;
	bool had;           /* a filter was here, or the container's first process */
	uint64_t alone;     /* ms: since when there is neither */
	struct seccomp_notif *in;
	struct seccomp_notif_resp *out;
	size_t in_size, out_size;
	bool quit;
} k;

uint64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool still_waits(int fd, uint64_t id)
{
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static bool sizes(void)
{
	struct seccomp_notif_sizes s;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &s) != 0)
		return false;
	/* The kernel's may be larger than the header's we were built with. */
	k.in_size = s.seccomp_notif > sizeof *k.in ? s.seccomp_notif : sizeof *k.in;
	k.out_size = s.seccomp_notif_resp > sizeof *k.out ? s.seccomp_notif_resp : sizeof *k.out;
	k.in = calloc(1, k.in_size);
	k.out = calloc(1, k.out_size);
	return k.in != NULL && k.out != NULL;
}

static bool from_root(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == 0;
}

/* A filter's listener and nothing else: an id that nobody has is ENOENT there. */
static bool is_listener(int fd)
{
	uint64_t id = 0;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0 && errno == ENOENT;
}

/* The container process state with its descriptors (runtime-spec, config-linux.md
 * "The Container Process State"): only the descriptors matter to us. */
static void take_listeners(int conn)
{
	char text[16384];
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {.iov_base = text, .iov_len = sizeof text};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	struct pollfd p = {.fd = conn, .events = POLLIN};
	/* crun connects before it has one, and may never send it: what it holds up is bounded. */
	if (poll(&p, 1, 5000) != 1 || recvmsg(conn, &m, MSG_CMSG_CLOEXEC) <= 0)
		return;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		int fds[8];
		const size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(h), n * sizeof(int));
		for (size_t i = 0; i < n; i++) {
			/* One too many is closed: the kernel then answers ENOSYS. */
			if (k.n == PST_NELEM(k.fds) || !is_listener(fds[i])) {
				pst_fd_close(fds[i]);
				continue;
			}
			/* We and the caller take turns: on one core a round trip is 6 us in place of
			 * 70, for no other has to be woken. An older kernel goes on without. */
			(void)ioctl(fds[i], SECCOMP_IOCTL_NOTIF_SET_FLAGS,
				    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
			k.fds[k.n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
			k.had = true;
		}
	}
}

/* All that is counted is on disk. */
static void settle(void)
{
	ring_flush();
	limits_look();
	limits_counts();
}

static void take_ask(int conn)
{
	char what;
	struct pollfd p = {.fd = conn, .events = POLLIN};
	if (poll(&p, 1, 1000) != 1 || read(conn, &what, 1) != 1)
		return;
	if (what == 'f' || what == 'q')
		settle();
	const bool able = what != 'w' || limits_begin(&k.rules, DIR_FD);
	const char answer = able ? what : PST_LIMITWATCH_CANNOT;
	k.quit = what == 'q';
	(void)!write(conn, &answer, 1);
	if (what == 'p') /* an exec is on its way (host/keeper.h) */
		move_ahead();
}

static void take(int from, void (*use)(int conn))
{
	pst_auto_fd conn = accept4(from, NULL, NULL, SOCK_CLOEXEC);
	if (conn >= 0 && from_root(conn))
		use(conn);
}

/* One call: look, answer, count. */
static void answer(int fd)
{
	struct denial d = {.n = k.in, .fd = fd};
	memset(k.in, 0, k.in_size);
	memset(k.out, 0, k.out_size);
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, k.in) != 0)
		return; /* a signal took it away */
	d.rule = rules_find(&k.rules, &k.in->data, &d.pass);
	d.error = d.rule != NULL ? d.rule->error : k.rules.def;
	if (d.rule != NULL)
		ring_look(&d);
	k.out->id = k.in->id;
	if (d.rule != NULL && d.pass)
		k.out->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		k.out->error = -(int)d.error;
	/* One that a signal took away makes the call again, or not: it was not answered. */
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, k.out) == 0 && d.rule != NULL)
		ring_count(&d);
	pst_buf_done(&d.args);
	budget_spent();
}

static void serve(struct pollfd *p)
{
	if ((p->revents & POLLIN) != 0) {
		answer(p->fd);
	} else if ((p->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
		/* Filters go before the parent hears of the end: the cgroup stands yet. */
		limits_look();
		pst_fd_close(p->fd);
		p->fd = -1;
	}
}

/* True when the last that we are here for has gone. */
static bool drop_closed(void)
{
	nfds_t n = AT_FILTERS;
	const bool was = k.alone == 0;
	for (nfds_t i = AT_FILTERS; i < k.n; i++)
		if (k.fds[i].fd >= 0)
			k.fds[n++] = k.fds[i];
	k.n = n;
	if (n > AT_FILTERS || limits_alive()) {
		k.had = true;
		k.alone = 0;
	} else if (was) {
		k.alone = now_ms();
	}
	return was && k.alone != 0;
}

static int shorter(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* How long to sleep; -1: until something happens. */
static int patience(int nap)
{
	int ms = shorter(shorter(shorter(ring_due(), limits_due()), size_due()), nap > 0 ? nap : -1);
	if (k.alone != 0) {
		const uint64_t over = k.alone + (k.had ? ALONE_MS : NEVER_MS);
		const uint64_t now = now_ms();
		ms = shorter(ms, over > now ? (int)(over - now) : 0);
	}
	return ms;
}

static bool over(void)
{
	return k.quit ||
	       (k.alone != 0 && now_ms() - k.alone >= (uint64_t)(k.had ? ALONE_MS : NEVER_MS));
}

/* What the kernel and our own clock say of the limits. */
static void serve_limits(void)
{
	if (k.fds[AT_END].revents != 0)
		limits_ended();
	if (k.fds[AT_BELL].revents != 0)
		limits_bell();
	if (limits_due() == 0)
		limits_look();
	if (k.fds[AT_SIZE].revents != 0) {
		uint64_t bytes = 0;
		const enum size_found found = size_walked(&bytes);
		limits_size(found, bytes);
	}
	if (size_due() == 0)
		limits_size(size_look(), 0);
}

static void begin(void)
{
	k.fds[AT_LISTEN] = (struct pollfd){.fd = LISTEN_FD, .events = POLLIN};
	k.fds[AT_ASK] = (struct pollfd){.fd = ASK_FD, .events = POLLIN};
	k.n = AT_FILTERS;
	k.alone = now_ms();
	/* In place of one that died: the limits are there already. */
	if (!limits_begin(&k.rules, DIR_FD))
		limits_size(SIZE_UNKNOWN, 0);
}

static void loop(void)
{
	begin();
	while (!over()) {
		const int nap = budget_wait();
		/* A container that is left waiting is not even looked at. */
		const nfds_t n = nap > 0 ? AT_FILTERS : k.n;
		k.fds[AT_END] = (struct pollfd){.fd = limits_end_fd(), .events = POLLIN};
		k.fds[AT_BELL] = (struct pollfd){.fd = limits_bell_fd(), .events = POLLIN};
		k.fds[AT_SIZE] = (struct pollfd){.fd = size_fd(), .events = POLLIN};
		if (poll(k.fds, n, patience(nap)) < 0 && errno != EINTR)
			return;
		serve_limits();
		for (nfds_t i = AT_FILTERS; i < n; i++)
			if (k.fds[i].revents != 0)
				serve(&k.fds[i]);
		if ((k.fds[AT_LISTEN].revents & POLLIN) != 0)
			take(LISTEN_FD, take_listeners);
		if ((k.fds[AT_ASK].revents & POLLIN) != 0)
			take(ASK_FD, take_ask);
		if (ring_due() == 0)
			ring_flush();
		if (drop_closed()) { /* the last process has ended: who reads us next wants all */
			settle();
			tell_last(&k.rules);
		}
	}
	settle();
}

/* Nobody's descriptors, terminal, directory or signals are ours. */
static bool alone(void)
{
	sigset_t none;
	sigemptyset(&none);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return false;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return false;
	if (syscall(SYS_close_range, FIRST_FREE, ~0U, 0) != 0)
		return false;
	for (int fd = DIR_FD; fd < FIRST_FREE; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			return false;
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setsid();
	(void)umask(077);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return chdir("/") == 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 || !alone() || !sizes() || !rules_read(&k.rules, DIR_FD))
		return 1;
	record_open(DENIALS_FD, argv[1]);
	ring_open(&k.rules);
	move_ahead();
	loop();
	return 0;
}

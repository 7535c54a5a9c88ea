#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define ROUND 32 /* events taken at once */

/* An exit nobody has asked for yet. */
struct stray {
	pid_t pid;
	int status;
	struct timespec when;
};

static struct {
	int ep;
	bool stop;
	struct pst_watch sig;
	sigset_t mask; /* as it was before us */
	struct pst_timer *timers; /* earliest first */
	struct pst_child *children;
	struct stray *strays;
	size_t nstrays, space;
	unsigned holds;
	bool found; /* an awaited child is among the strays: look in the next round */
	struct timespec when;
	struct epoll_event got[ROUND];
	int ngot;
} loop = {.ep = -1, .sig = {.fd = -1}};

int pst_watch_begin(struct pst_watch *w, uint32_t events, struct pst_err *err)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	if (epoll_ctl(loop.ep, EPOLL_CTL_ADD, w->fd, &e) != 0)
		return pst_fail_sys(err, "cannot watch a descriptor");
	return PST_OK;
}

void pst_watch_change(struct pst_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	if (w->fd >= 0)
		(void)epoll_ctl(loop.ep, EPOLL_CTL_MOD, w->fd, &e);
}

void pst_watch_end(struct pst_watch *w)
{
	if (w->fd < 0)
		return;
	(void)epoll_ctl(loop.ep, EPOLL_CTL_DEL, w->fd, NULL);
	for (int i = 0; i < loop.ngot; i++)
		if (loop.got[i].data.ptr == w)
			loop.got[i].data.ptr = NULL;
	w->fd = -1;
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void pst_timer_stop(struct pst_timer *t)
{
	for (struct pst_timer **p = &loop.timers; *p != NULL; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			break;
		}
	t->at = 0;
}

void pst_timer_set(struct pst_timer *t, unsigned ms)
{
	pst_timer_stop(t);
	t->at = now_ms() + ms;
	struct pst_timer **p = &loop.timers;
	while (*p != NULL && (*p)->at <= t->at)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
}

/* How long to sleep: -1 with no timer. One millisecond more than is left, since the
 * clock is cut to whole ones. */
static int patience(void)
{
	if (loop.found)
		return 0;
	if (loop.timers == NULL)
		return -1;
	const uint64_t now = now_ms();
	if (loop.timers->at <= now)
		return 0;
	const uint64_t left = loop.timers->at - now;
	return left > 3600000 ? 3600000 : (int)left;
}

static void fire_timers(void)
{
	if (loop.timers == NULL)
		return;
	const uint64_t now = now_ms();
	while (loop.timers != NULL && loop.timers->at <= now) {
		struct pst_timer *t = loop.timers;
		pst_timer_stop(t);
		t->fire(t->ctx);
	}
}

/* Take c off the list and call it. */
static void tell(struct pst_child *c, int status, struct timespec when)
{
	pst_child_forget(c);
	loop.when = when;
	c->ended(c->ctx, status);
}

static struct pst_child *awaited(pid_t pid)
{
	struct pst_child *c = loop.children;
	while (c != NULL && c->pid != pid)
		c = c->next;
	return c;
}

static void keep(pid_t pid, int status, struct timespec when)
{
	if (loop.nstrays == loop.space) {
		const size_t space = loop.space == 0 ? 16 : loop.space * 2;
		struct stray *v = reallocarray(loop.strays, space, sizeof *v);
		if (v == NULL)
			return;
		loop.strays = v;
		loop.space = space;
	}
	loop.strays[loop.nstrays++] = (struct stray){pid, status, when};
}

/* Exits that came before anybody asked. */
static void tell_found(void)
{
	if (!loop.found)
		return;
	loop.found = false;
	for (size_t i = 0; i < loop.nstrays;) {
		const struct stray s = loop.strays[i];
		struct pst_child *c = awaited(s.pid);
		if (c == NULL) {
			i++;
			continue;
		}
		loop.strays[i] = loop.strays[--loop.nstrays];
		tell(c, s.status, s.when);
		i = 0; /* the call may have changed the list */
	}
}

void pst_child_await(struct pst_child *c)
{
	c->next = loop.children;
	loop.children = c;
	for (size_t i = 0; i < loop.nstrays; i++)
		if (loop.strays[i].pid == c->pid)
			loop.found = true;
}

void pst_child_forget(struct pst_child *c)
{
	for (struct pst_child **p = &loop.children; *p != NULL; p = &(*p)->next)
		if (*p == c) {
			*p = c->next;
			return;
		}
}

void pst_child_hold(void)
{
	loop.holds++;
}

void pst_child_release(void)
{
	if (--loop.holds > 0 || loop.found)
		return;
	free(loop.strays);
	loop.strays = NULL;
	loop.nstrays = loop.space = 0;
}

struct timespec pst_child_time(void)
{
	return loop.when;
}

static void reap(void)
{
	int st;
	pid_t pid;
	struct timespec when;
	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		const int status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
		struct pst_child *c = awaited(pid);
		clock_gettime(CLOCK_REALTIME, &when);
		if (c != NULL)
			tell(c, status, when);
		else if (loop.holds > 0)
			keep(pid, status, when);
	}
}

static void on_signal(void *ctx, uint32_t events)
{
	struct signalfd_siginfo si;
	(void)ctx;
	(void)events;
	while (read(loop.sig.fd, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo != SIGCHLD)
			loop.stop = true;
	reap();
}

int pst_loop_open(struct pst_err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, &loop.mask) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return pst_fail_sys(err, "cannot set signals");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return pst_fail_sys(err, "cannot become the reaper of containers");
	loop.ep = epoll_create1(EPOLL_CLOEXEC);
	loop.sig = (struct pst_watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
				      .ready = on_signal};
	if (loop.ep < 0 || loop.sig.fd < 0)
		return pst_fail_sys(err, "cannot make the loop's descriptors");
	return pst_watch_begin(&loop.sig, EPOLLIN, err);
}

void pst_loop_run(void)
{
	while (!loop.stop) {
		loop.ngot = epoll_wait(loop.ep, loop.got, ROUND, patience());
		for (int i = 0; i < loop.ngot; i++) {
			struct pst_watch *w = loop.got[i].data.ptr;
			if (w != NULL)
				w->ready(w->ctx, loop.got[i].events);
		}
		loop.ngot = 0;
		tell_found();
		if (loop.holds == 0 && loop.nstrays > 0) {
			free(loop.strays);
			loop.strays = NULL;
			loop.nstrays = loop.space = 0;
		}
		fire_timers();
	}
}

void pst_loop_stop(void)
{
	loop.stop = true;
}

const void *pst_loop_mask(void)
{
	return &loop.mask;
}

/*
 * containerd/loop.h - the one loop of the shim: descriptors, timers, children.
 *
 * epoll, one signalfd, and a timeout computed from the earliest timer: with
 * nothing to do the process sleeps without a limit and is never woken. The objects
 * are embedded in what they serve; the loop owns none of them. One thread, so
 * there is one loop and it has no handle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* A descriptor watched. Zero-initialise with PST_WATCH_NONE. */
struct pst_watch {
	int fd; /* -1: not watched. Never closed by the loop */
	void (*ready)(void *ctx, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, ... */
	void *ctx;
};
#define PST_WATCH_NONE ((struct pst_watch){.fd = -1})

/* Watch w->fd for `events` (epoll(7) bits, level-triggered unless EPOLLET is among
 * them). w must stay in place until pst_watch_end. */
PST_CHECKED int pst_watch_begin(struct pst_watch *w, uint32_t events, struct pst_err *err);

/* Other events for a watched descriptor; 0 leaves EPOLLHUP and EPOLLERR, which cannot
 * be switched off: end the watch where those would spin. */
void pst_watch_change(struct pst_watch *w, uint32_t events);

/* No more calls for w, even for events already fetched in this round; w may be
 * freed at once. Sets w->fd to -1. Nothing happens if it is not watched. */
void pst_watch_end(struct pst_watch *w);

/* A one-shot timer. Zero-initialised is unset. */
struct pst_timer {
	void (*fire)(void *ctx);
	void *ctx;
	uint64_t at; /* CLOCK_MONOTONIC, ms; 0 = unset */
	struct pst_timer *next;
};

/* Call t->fire(t->ctx) once, `ms` milliseconds from now; setting again moves it. */
void pst_timer_set(struct pst_timer *t, unsigned ms);
void pst_timer_stop(struct pst_timer *t);

/* A child process whose end is awaited. */
struct pst_child {
	pid_t pid; /* 0: none */
	void (*ended)(void *ctx, int status); /* exit code, or 128 + signal */
	void *ctx;
	struct pst_child *next;
};

/*
 * Tell me when c->pid ends. Its end may already have been seen: exits of unknown
 * children are kept (with their time) while any pst_child_hold is in force, and
 * c->ended then runs from the loop's next round, never from within this call.
 */
void pst_child_await(struct pst_child *c);
void pst_child_forget(struct pst_child *c);

/* Between a runtime call's begin and the moment its container's pid is known, exits of
 * processes nobody awaits are kept. Calls nest. */
void pst_child_hold(void);
void pst_child_release(void);

/* When the child whose `ended` runs now was reaped (CLOCK_REALTIME). */
struct timespec pst_child_time(void);

/* Set up epoll, the signalfd (SIGCHLD, SIGTERM, SIGINT), subreaper. */
PST_CHECKED int pst_loop_open(struct pst_err *err);

/* Run until pst_loop_stop, which takes effect after the current round. */
void pst_loop_run(void);
void pst_loop_stop(void);

/* The signal mask the shim was started with: children get it back. */
const void *pst_loop_mask(void); /* sigset_t * */

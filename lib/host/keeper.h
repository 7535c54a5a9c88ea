/*
 * host/keeper.h - the process that holds a container's seccomp listener and counts its limits.
 *
 * One `postern-keeper` a container (shim/keeper), started before the runtime and
 * gone when the last process under the filter has ended, or told so. It lives in the
 * container's directory, c/KEY:
 *
 *   denials.rules   what it answers by (core/scnotify.h), written by create
 *   limits.watch    limits it counts (core/limitwatch.h), written when the cgroup is there
 *   init            the container's first process (host/procid.h)
 *   counts          what it has counted (core/hits.h): its own, written when asked to flush
 *   listener.sock   the runtime hands filters' descriptors over here
 *   keeper.sock     asks of ours: one byte, answered by one byte
 *   keeper          who it is (host/procid.h)
 *
 * and writes STATE/denials/KEY.ndjson and KEY.limits.ndjson (docs/formats.md). Both sockets are made by us
 * and inherited, so a runtime that connects at once finds them. If it dies the kernel
 * answers ENOSYS for what it would have been asked; the next exec starts another.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "host/state.h"

/* Descriptors the keeper is started with. */
enum { PST_KEEPER_DIR = 3, PST_KEEPER_LISTEN, PST_KEEPER_ASK, PST_KEEPER_DENIALS };

enum pst_keeper_ask {
	PST_KEEPER_PING = 'p',  /* are you there? */
	PST_KEEPER_WATCH = 'w', /* limits.watch is there: look after them */
	PST_KEEPER_FLUSH = 'f', /* counts that are not written yet: write them */
	PST_KEEPER_QUIT = 'q',  /* the container is gone: write them and end */
};

/*
 * Write denials.rules and start the keeper of a container in the making.
 * rules   text of core/scnotify.h, behind headers.
 * hostns  mount namespace it is to live in, -1: ours.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_keeper_start(struct pst_statedir *sd, const struct pst_state *st, const char *rules,
		     int hostns, struct pst_err *err);

/*
 * Before an exec: is it alive? One that is dead or does not answer within a second is
 * replaced. One caller at a time does so.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_keeper_ensure(struct pst_statedir *sd, const struct pst_state *st, struct pst_err *err);

/* Name of the profile it answers by, as denials.rules has it. PST_E_STATE when it says none, or
 * one that does not fit. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_keeper_profile(const struct pst_state *st, char *out, size_t size, struct pst_err *err);

/* One ask; PST_OK when it was answered in time, PST_E_STATE when nobody is there. WATCH may take a
 * minute, and is PST_E_HOST where a limit is one the keeper has to measure and cannot. */
PST_CHECKED PST_NONNULL(1)
int pst_keeper_ask(const struct pst_state *st, enum pst_keeper_ask what, struct pst_err *err);

/* End it, by asking and if that does not help by SIGKILL. No keeper is success. */
PST_CHECKED PST_NONNULL(1) int pst_keeper_stop(const struct pst_state *st, struct pst_err *err);

/* Write down who a process of the container is: FILE is "keeper" or "init". */
PST_CHECKED PST_NONNULL(1, 2)
int pst_keeper_name(const struct pst_state *st, const char *file, pid_t pid, struct pst_err *err);
/* Who it was according to its file, if that process is there still. */
PST_CHECKED PST_NONNULL(1, 2, 3)
bool pst_keeper_named(const struct pst_state *st, const char *file, pid_t *ret);

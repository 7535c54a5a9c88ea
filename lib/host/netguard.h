/*
 * host/netguard.h - the limits of one container's links, over its life.
 *
 * They are set twice: at the end of create, when the runtime's hooks have run (a CNI's
 * links are there, and so are those a hook made), and before start, when those came that
 * an engine makes in between. Each link is journalled before it is touched ("netlink"), so
 * delete and recovery undo it. What start needs is kept in c/KEY/network:
 *
 *   {"pid":1234,"dev":4,"ino":4026532211,"egress":1000000000,"ingress":0}
 */
#pragma once

#include <sys/types.h>

#include "core/netlimit.h"
#include "host/journal.h"
#include "host/state.h"

/* The runtime made the container; `init` is its first process. Lock held. */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_netguard_create(struct pst_statedir *sd, const struct pst_state *st, struct pst_journal *j,
			pid_t init, struct pst_netrates want, struct pst_err *err);

/* It is about to be started; takes the container's lock for that time. A container
 * without limits is PST_OK. On failure it must not be started. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_netguard_start(struct pst_statedir *sd, const struct pst_state *st, struct pst_err *err);

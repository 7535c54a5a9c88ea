/*
 * host/state.h - what is kept of one container: ROOT/c/KEY.
 *
 *   record.json   the struct below; replaced whole, so always of one moment
 *   journal       host/journal.h
 *   and what others put there by st->fd: plan.json, bundle/, keeper.sock, ...
 *
 * One flock(2) on the directory serialises create, delete and sweep of a
 * container. ROOT/making/KEY is a symbolic link that points nowhere and whose
 * text names the process making or removing the container (host/procid.h); it
 * is there from before c/KEY until the container is verified, and again from
 * before the removal until nothing is left. So whatever a kill leaves behind
 * has a name in making/, and a sweep that reads that one small directory finds
 * all of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ctrid.h"
#include "core/idrange.h"
#include "host/dirents.h"
#include "host/procid.h"
#include "host/statedir.h"

enum pst_phase {
	PST_PHASE_CREATING,
	PST_PHASE_CREATED,  /* the runtime made it; not yet looked at */
	PST_PHASE_VERIFIED, /* `start` may run it (I-4) */
	PST_PHASE_STARTED,
	PST_PHASE_DELETING,
};

/* "creating", ...; never NULL. */
const char *pst_phase_name(enum pst_phase p);

/* Strings are malloc'd, owned, NULL if there is none. */
struct pst_record {
	char *id;           /* the caller's */
	char *root;         /* the caller's --root, canonical */
	char *bundle;       /* the caller's bundle, absolute: what `state` shows */
	char *runtime;      /* path of the OCI runtime */
	char *runtime_root; /* the root the runtime was given, if not the caller's */
	char *netns;        /* path of a network namespace that was joined */
	uint64_t netns_dev; /* its identity; 0 if none was joined */
	uint64_t netns_ino;
	char *sandbox; /* key of the pod whose block it shares */
	struct pst_idspan block;
	struct pst_idspan extra; /* second block, for ids of the spec above 65535 */
	enum pst_phase phase;
	struct pst_procid creator; /* filled by pst_state_create */
	int64_t time;              /* of creation, seconds since 1970; likewise */
};

void pst_record_done(struct pst_record *r);
#define pst_auto_record PST_CLEANUP(pst_record_done) struct pst_record

/* An open container directory; fd -1 is none. */
struct pst_state {
	int fd;                    /* ROOT/c/KEY; carries the lock */
	char key[PST_KEY_LEN + 1];
};

#define PST_STATE_NONE {.fd = -1}
#define pst_auto_state PST_CLEANUP(pst_state_close) struct pst_state

/*
 * Make the container's directory, lock it and write `rec` with phase creating.
 * PST_E_STATE if the key is taken. On failure nothing is left.
 * rec   borrowed; creator and time are filled in.
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4)
int pst_state_create(struct pst_statedir *sd, const char *key, struct pst_record *rec,
		     struct pst_state *out, struct pst_err *err);

enum pst_lock {
	PST_LOCK_NONE, /* only look */
	PST_LOCK_WAIT,
	PST_LOCK_TRY, /* PST_E_STATE with sys EWOULDBLOCK if another holds it */
};

/* Open an existing one; PST_E_STATE with sys ENOENT if there is none. */
PST_CHECKED PST_NONNULL(1, 2, 4)
int pst_state_open(struct pst_statedir *sd, const char *key, enum pst_lock lock,
		   struct pst_state *out, struct pst_err *err);

/* Close and unlock; accepts PST_STATE_NONE. */
void pst_state_close(struct pst_state *st);

/* PST_E_STATE if record.json is missing or not a record. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_state_read(const struct pst_state *st, struct pst_record *out, struct pst_err *err);

/*
 * Replace record.json. Lock held. With phase verified or started the link in
 * making/ goes after it; with deleting it comes back before it.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_state_write(struct pst_statedir *sd, const struct pst_state *st,
		    const struct pst_record *rec, struct pst_err *err);

/*
 * Remove c/KEY and all in it, then making/KEY. Lock held; the caller has undone
 * the journal and released the leases before. May be repeated after a kill.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_state_remove(struct pst_statedir *sd, struct pst_state *st, struct pst_err *err);

/* Keys of all containers, sorted. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_state_list(struct pst_statedir *sd, struct pst_dirnames *out, struct pst_err *err);

/* Keys with a link in making/, sorted: what a sweep has to look at. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_state_making(struct pst_statedir *sd, struct pst_dirnames *out, struct pst_err *err);

enum pst_fate {
	PST_FATE_LIVE,   /* somebody is at work on it, or that cannot be ruled out */
	PST_FATE_STALE,  /* whole (verified or later) or gone; only making/KEY was left */
	PST_FATE_DEAD,   /* half made or half removed, and who did it is dead */
};

/*
 * Judge one key of pst_state_making. With PST_FATE_DEAD `out` is open and locked
 * for the undo (fd -1 if c/KEY does not exist; then pst_state_remove takes the
 * link away). With PST_FATE_STALE the link is already gone.
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4)
int pst_state_dead(struct pst_statedir *sd, const char *key, enum pst_fate *ret,
		   struct pst_state *out, struct pst_err *err);

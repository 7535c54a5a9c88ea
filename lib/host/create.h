/*
 * host/create.h - from a decision to a verified container, shared by create and
 * run. See host/container.h for what front ends call.
 */
#pragma once

#include "core/ovl.h"
#include "host/apply.h"
#include "host/container.h"
#include "host/decide.h"

/* A container in the making, or made. */
struct pst_making {
	struct pst_ctx ctx;
	struct pst_bundle bundle;
	struct pst_state state;
	struct pst_record record;
	struct pst_plan plan;
	struct pst_apply apply;
	bool begun; /* state and journal exist */
	uint32_t second; /* first id of a second block (core/highids.h); 0: none */
	struct pst_create create;     /* the caller's, and the layers below */
	struct pst_ovl_layout layout; /* of a root file system that came as an overlay mount */
};

#define PST_MAKING_NONE                                                                 \
	{                                                                               \
		.ctx = PST_CTX_NONE, .state = PST_STATE_NONE,                           \
		.apply = {.userns = -1, .stage = -1, .hostns = -1,                      \
			  .journal = PST_JOURNAL_NONE, .loop = PST_RUNLOOP_NONE},       \
	}

/* Frees and closes; undoes nothing. */
void pst_making_done(struct pst_making *m);
#define pst_auto_making PST_CLEANUP(pst_making_done) struct pst_making

/*
 * Make the container of `c` and verify it; m->ctx was opened by the caller. On success it waits to be started
 * and is marked verified in the journal. On failure everything is undone and
 * nothing is left.
 * run   one runtime call serves create and start (host/gate.h).
 */
PST_CHECKED int pst_making_make(struct pst_making *m, const struct pst_create *c, bool run,
				struct pst_err *err);

/* Undo all and remove the state: after the container ended or failed. */
PST_CHECKED int pst_making_unmake(struct pst_making *m, bool failed, struct pst_err *err);

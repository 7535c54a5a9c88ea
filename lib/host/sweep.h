/*
 * host/sweep.h - clear away what dead processes of ours left (I-4, I-5).
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "core/note.h"
#include "host/ctx.h"

/*
 * Undo every container in making/ whose maker is dead. Called by each create;
 * usually looks at an empty directory. Goes on after a failure and returns the
 * first. What was done is told in `notes` (may be NULL).
 */
PST_CHECKED int pst_sweep_making(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err);

/*
 * The whole node: making/, leases nobody holds, staging directories of no container,
 * covers in the mount table without a container. `postern doctor --repair`.
 */
PST_CHECKED int pst_sweep_all(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err);

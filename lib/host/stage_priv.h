/*
 * host/stage_priv.h - shared by host/stage*.c only.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

#define PST_STAGE_DETACH 2 /* MNT_DETACH of umount2(2) */

/* A single path part, else PST_E_BUG. */
PST_CHECKED int pst_stage_check_name(const char *name, struct pst_err *err);

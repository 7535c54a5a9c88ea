/*
 * containerd/find.h - where the postern program is.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

/* Beside this program, else where it is installed; only one that root alone can change.
 * *ret lives as long as the process. */
PST_CHECKED PST_NONNULL(1) int pst_shim_postern_path(const char **ret, struct pst_err *err);

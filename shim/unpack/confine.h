/*
 * unpack/confine.h - give up what a stage that reads hostile bytes does not need.
 *
 * Each stage is a process of its own. After one of these calls it cannot gain a
 * privilege, and a system call outside its short list kills it. What is left to
 * a stage that was taken over: to write wrong bytes into its pipe (whose sum is
 * taken by another process) or wrong files below the layer being made (whose
 * tar was then itself hostile, and is named by its digest).
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

/* Common to all: no_new_privs, no core dump, die with the parent. */
PST_CHECKED int confine_start(struct pst_err *err);

/* A stage that turns descriptor 0 into descriptor 1: no capability, no file. */
PST_CHECKED int confine_filter(struct pst_err *err);

/*
 * The stage that makes files: `dir` becomes its root in a mount namespace of
 * its own, mounted nosuid, nodev and noexec; it keeps CHOWN, DAC_OVERRIDE,
 * FOWNER, FSETID and SETFCAP. MKNOD is not among them: a whiteout (character
 * device 0:0) needs none since Linux 5.8.
 */
PST_CHECKED PST_NONNULL(1) int confine_extract(const char *dir, struct pst_err *err);

/* The process that only sums, watches and renames: DAC_OVERRIDE, and SYS_ADMIN
 * for trusted.* attributes and for the children's mount namespace. */
PST_CHECKED int confine_parent(struct pst_err *err);

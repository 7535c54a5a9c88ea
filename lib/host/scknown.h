/*
 * host/scknown.h - what libseccomp and the kernel of this machine know.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/* Does libseccomp know a call of that name, on whatever architecture? */
PST_CHECKED PST_NONNULL(1) bool pst_scknown_name(const char *name);

/* The running kernel's version; 0.0 when its name has another form. */
PST_NONNULL(1, 2) void pst_scknown_kernel(unsigned *major, unsigned *minor);

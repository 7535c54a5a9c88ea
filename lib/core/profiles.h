/*
 * core/profiles.h - the profiles built into the library.
 *
 * Pure. The text is the JSON of profiles/NAME.json as the build composes it: an
 * OCI seccomp object with one more member, "postern", of titles and reasons.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* The JSON text of a built-in profile, NUL-terminated, len bytes without the NUL.
 * NULL if there is none of that name. Lives as long as the program. */
PST_NONNULL(1, 2) const char *pst_profile_builtin(const char *name, size_t *len);

/* Names in order: i from 0 until NULL. */
const char *pst_profile_builtin_name(size_t i);

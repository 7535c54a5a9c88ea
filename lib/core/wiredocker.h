/*
 * core/wiredocker.h - our runtimes in Docker's daemon.json.
 *
 * Pure. JSON has no comments to mark what is ours, and the file's layout is its owner's: our
 * members are put in behind an opening brace and cut out again, to the byte, and nothing
 * else is written anew. A runtime is ours by its name (postern, postern-CLASS) and its form
 * ({"path": ".../postern"}, with "runtimeArgs" of --policy FILE and --class CLASS).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/wireplan.h"

/*
 * daemon.json with the runtimes of `wire`, or with NULL without ours. text NULL: there is no
 * file; *gone: it held nothing but what was made for us and can go.
 *
 * PST_E_SPEC when it is no JSON; PST_E_STATE with the pointer when a runtime of a name of
 * ours is of another form, /runtimes is no object, or the default runtime would be gone.
 */
PST_CHECKED PST_NONNULL(3, 5, 6)
int pst_docker_daemon(const char *text, size_t len, const char *path, const struct pst_wire *wire,
		      struct pst_buf *out, bool *gone, struct pst_err *err);

/*
 * host/stray.h - what a runtime killed half-way leaves: processes and cgroups.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Kill (SIGKILL) every process whose uid_map is "0 base 65536", that is, of the
 * block's container, and wait until they are gone (at most 5 s). Only for a block
 * that is leased to the container being removed.
 */
PST_CHECKED int pst_stray_kill(uint32_t base, struct pst_err *err);

/*
 * Remove the cgroups named by `cgroups_path` (config-linux.md; NULL or "": the
 * runtime's default, named `id` below our own), in every hierarchy, killing what is
 * inside. Absent ones are fine. systemd's form ("slice:prefix:name") is left to
 * systemd, which removes an empty scope by itself.
 */
PST_CHECKED int pst_stray_cgroups(const char *cgroups_path, const char *id, struct pst_err *err);

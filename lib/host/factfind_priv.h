/* host/factfind_priv.h - shared by factfind*.c only. */
#pragma once

#include <jansson.h>

#include "core/spec.h"
#include "host/ctx.h"

/* Put "cgroup" into `out`: what the machine can limit. */
PST_CHECKED int pst_factfind_cgroup(json_t *out, struct pst_err *err);

/* Put "disks" into the bundle's facts, which have "rootfs" and "mounts" already. */
PST_CHECKED int pst_factfind_disks(const struct pst_spec *spec, bool hidden_root, json_t *bundle,
				   struct pst_err *err);

/* Fill `out` with a member for each namespace the spec joins by path. */
PST_CHECKED int pst_factfind_ns(struct pst_ctx *c, const struct pst_spec *spec, json_t *out,
				struct pst_err *err);

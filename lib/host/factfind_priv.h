/* host/factfind_priv.h - shared by factfind*.c only. */
#pragma once

#include <jansson.h>

#include "core/spec.h"
#include "host/ctx.h"

/* Fill `out` with a member for each namespace the spec joins by path. */
PST_CHECKED int pst_factfind_ns(struct pst_ctx *c, const struct pst_spec *spec, json_t *out,
				struct pst_err *err);

/*
 * core/limits.h - ceilings and defaults for pids, memory, cpu and open files. Pure.
 *
 * Source: config-linux.md "Resources" (limits of 0, -1 or none are "unlimited"
 * and so above any ceiling), config.md "rlimits".
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/annotations.h"
#include "core/edit.h"
#include "core/policy.h"

/*
 * Edits that bring a spec's resources and rlimits inside the policy and the
 * workload's own annotations (which only tighten). Wrong types are PST_E_SPEC with pointer.
 */
PST_CHECKED int pst_limits_spec(const json_t *spec, const struct pst_policy *policy,
				const struct pst_tighten *t, struct pst_edits *edits,
				struct pst_err *err);

/*
 * The same for a LinuxResources object of `update`: only members that are there
 * are judged, since an update leaves the others as they are. pids, memory and cpu.
 */
PST_CHECKED int pst_limits_update(const json_t *resources, const struct pst_policy *policy,
				  struct pst_edits *edits, struct pst_err *err);

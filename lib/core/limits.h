/*
 * core/limits.h - ceilings and defaults for pids, memory, cpu and open files. Pure.
 *
 * Source: config-linux.md "Resources" (limits of 0, -1 or none are "unlimited"
 * and so above any ceiling) and "Unified" (cgroup files written last: pids.max,
 * memory.max and cpu.max are held to the same ceilings), config.md "rlimits".
 *
 * A limit that is absent gets the default, else the ceiling; one that is above
 * the ceiling or unlimited gets the ceiling; any other stays. Nothing is raised.
 * Swap follows memory down; cpu shares are left alone.
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
 * are judged, since an update leaves the others as they are. pids, memory and cpu;
 * a 0 is taken out. Under a ceiling a cpu quota without its period, or the other
 * way round, is PST_E_POLICY: its share depends on what is in force already.
 */
PST_CHECKED int pst_limits_update(const json_t *resources, const struct pst_policy *policy,
				  struct pst_edits *edits, struct pst_err *err);

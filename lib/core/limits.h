/*
 * core/limits.h - ceilings and defaults for what a container may take. Pure.
 *
 * pids, memory, swap, cpu, huge pages (the cgroup), every limit of getrlimit(2), and
 * the size of /dev/shm.
 *
 * Source: config-linux.md "Resources" (limits of 0, -1 or none are "unlimited"
 * and so above any ceiling) and "Unified" (cgroup files written last: pids.max,
 * memory.max, memory.swap.max, cpu.max and hugetlb.*.max are held to the same
 * ceilings; those that only weigh, protect or slow down are left; of cgroup.* those that are no
 * limits are refused), config.md "rlimits", tmpfs(5) "size".
 *
 * A limit that is absent gets the default, else the ceiling; one that is above
 * the ceiling or unlimited gets the ceiling, or with /limits/above "refuse" is
 * PST_E_POLICY; any other stays. Nothing is raised. What CRI says of the whole pod
 * (annotations sandbox-memory, sandbox-cpu-quota) is never exceeded by a value of ours.
 * Swap follows memory down; cpu shares are left alone.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/annotations.h"
#include "core/edit.h"
#include "core/note.h"
#include "core/policy.h"

/*
 * Edits that bring a spec's resources and rlimits inside the policy and the
 * workload's own annotations (which only tighten). Wrong types are PST_E_SPEC with pointer.
 * facts  the machine's (core/facts.h), for the sizes of its huge pages; NULL: not known
 */
PST_CHECKED int pst_limits_spec(const json_t *spec, const struct pst_policy *policy,
				const struct pst_tighten *t, const json_t *facts,
				struct pst_edits *edits, struct pst_err *err);

/*
 * Disk rates: an entry of linux.resources.blockIO for every disk behind what the container
 * writes to (facts /bundle/disks), each in its own. A place without a disk, and what the
 * kernel does not throttle, is said in `notes`. PST_E_POLICY when the machine cannot
 * throttle at all, or the spec brings an io.max of its own.
 */
PST_CHECKED int pst_limits_disk(const json_t *spec, const struct pst_policy *policy,
				const struct pst_tighten *t, const json_t *facts,
				struct pst_edits *edits, struct pst_notes *notes,
				struct pst_err *err);

/*
 * The same for a LinuxResources object of `update`: only members that are there
 * are judged, since an update leaves the others as they are; a 0 is taken out. Under a
 * ceiling a cpu quota without its period, or the other way round, is PST_E_POLICY: its
 * share depends on what is in force already. So is memory without memory and swap,
 * unless the policy allows no swap at all.
 */
PST_CHECKED int pst_limits_update(const json_t *resources, const struct pst_policy *policy,
				  const struct pst_tighten *t, struct pst_edits *edits,
				  struct pst_err *err);

/*
 * The rlimits of a process that is started in the container later; `process` is the document.
 * Those it names are held to the ceilings. With `missing` it also gets the kinds it does not
 * name, and what is above a ceiling is lowered whatever /limits/above says.
 */
PST_CHECKED int pst_limits_exec(const json_t *process, bool missing, const struct pst_policy *policy,
				const struct pst_tighten *t, struct pst_edits *edits, struct pst_err *err);

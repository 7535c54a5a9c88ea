/*
 * core/annotations.h - what a workload may say about its own confinement. Pure.
 *
 * postern/NAME annotations can only tighten inside the policy (design 5): one that
 * would loosen, is unknown or does not parse refuses the container. Annotations
 * that steer the runtime itself are refused unless the policy passes them: one of
 * crun's loads a raw filter of the caller's.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/policy.h"

/* Ceilings a workload set for itself. */
struct pst_tighten {
	const char *profile; /* borrowed from the annotations; NULL: the policy's */
	bool has_pids, has_memory, has_cpu, has_nofile, has_disk[PST_DISK_COUNT];
	uint64_t pids, memory, cpu, nofile, disk[PST_DISK_COUNT]; /* units of struct pst_limit */
	bool has_network[PST_NET_DIRS];
	uint64_t network[PST_NET_DIRS]; /* bits a second */
	bool exempt; /* its pod namespace is one the policy exempts, and no key disputes it */
};

/* Will a disk limit hold, by the policy or by the workload's own wish? The annotations need
 * not have been read: a wrong one is found out later. */
PST_CHECKED bool pst_annotations_disk(const json_t *annotations, const struct pst_policy *policy);

/* What a container that runs asked for in postern/nofile; false: nothing that can be read. Not
 * compared with the policy, which may be another by now. */
PST_CHECKED bool pst_annotations_nofile(const json_t *annotations, uint64_t *ret);

/*
 * annotations  object or NULL; values must be strings (config.md "annotations").
 * Errors: PST_E_POLICY with pointer /annotations/KEY, rule and cure; PST_E_SPEC for
 * a value that is no string. *ret is then untouched.
 */
PST_CHECKED int pst_annotations_read(const json_t *annotations, const struct pst_policy *policy,
				     struct pst_tighten *ret, struct pst_err *err);

/*
 * core/highids.h - ids of a spec that lie above the container's block. Pure.
 *
 * Clusters that hand out ids of their own name users such as 1000650000. Those
 * that a spec names, and nothing else above the block, are mapped one by one
 * onto a second block of host ids: those of its process, and those of the
 * annotation postern/ids. That one is for pods: their ids are mapped once, by
 * a sandbox whose spec tells of the pod's user and group only (containerd's
 * sandbox_run_linux.go: WithUser drops the supplemental groups again).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/idrange.h"
#include "core/spec.h"

#define PST_HIGHIDS_MAX 32 /* of one container; more is no user of a workload */

/* One mapping a line, each of one id, in rising order of `container`. */
struct pst_highids {
	struct pst_idextra v[PST_HIGHIDS_MAX];
	size_t n;
};

/*
 * Add those that the annotation's text names, divided by commas (an engine tells a sandbox of few of a
 * pod's). NULL names none. PST_E_SPEC for what is no such list, or too many.
 */
PST_CHECKED PST_NONNULL(2)
int pst_highids_name(const char *text, struct pst_highids *h, struct pst_err *err);

/*
 * The ids of /process/user and of the annotation at or above PST_ID_BLOCK, users and groups
 * together, as mappings onto the block that begins at `second`. PST_E_SPEC when there are
 * more than PST_HIGHIDS_MAX, or the annotation is no list of ids.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_highids_read(const struct pst_spec *s, uint32_t second, struct pst_highids *ret,
		     struct pst_err *err);

/* Is there a mapping of `id`? */
PST_NONNULL(1)
bool pst_highids_has(const struct pst_highids *h, uint64_t id);

/* As the facts and the plan hold them: [{"container": N, "host": N}, ...]. New
 * reference, or NULL without memory. */
PST_CHECKED PST_NONNULL(1)
json_t *pst_highids_json(const struct pst_highids *h);

/* The same read back, NULL being none; false when it is not of that form. */
PST_CHECKED PST_NONNULL(2)
bool pst_highids_parse(const json_t *a, struct pst_highids *ret);

/*
 * core/learn.h - from recorded calls to the smallest profile that holds them. Pure.
 *
 * A recording is JSON (docs/formats.md "recording"): what a workload called, by phase,
 * with the arguments that decide something, and whether anything was missed. Recordings
 * of runs and replicas are merged. The proposal is an OCI seccomp object inside
 * another profile (the node's), with a reason for each call.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Three of the container's own processes, by time; then whoever came by exec (probes, shells),
 * at any time. */
enum pst_learn_phase {
	PST_LEARN_START,
	PST_LEARN_SERVING,
	PST_LEARN_END,
	PST_LEARN_EXEC,
	PST_LEARN_PHASES
};

/* As a recording names it ("start"), and in words ("start-up"). */
const char *pst_learn_phase_key(enum pst_learn_phase p);
const char *pst_learn_phase_words(enum pst_learn_phase p);

/* An empty recording of workload `title`; new reference, NULL without memory. */
PST_CHECKED json_t *pst_learn_new(const char *title);

/* Count `n` calls of number `nr` in a phase, made first by `comm` (escaped here). */
PST_CHECKED int pst_learn_call(json_t *rec, enum pst_learn_phase phase, unsigned nr, uint64_t n,
			       const char *comm, struct pst_err *err);

/* Arguments of a call that decide something; low 32 bits, three of them. */
PST_CHECKED int pst_learn_args(json_t *rec, unsigned nr, const uint32_t args[3],
			       struct pst_err *err);

/* The recording lacks something, and why. */
PST_CHECKED int pst_learn_incomplete(json_t *rec, const char *why, struct pst_err *err);

/* Is `rec` a recording of this version? PST_E_SPEC with pointer and cure. */
PST_CHECKED int pst_learn_check(const json_t *rec, struct pst_err *err);

/* Add `more` to `rec`. */
PST_CHECKED int pst_learn_merge(json_t *rec, const json_t *more, struct pst_err *err);

/*
 * The profile of a recording.
 * outer  OCI object of the profile it stays inside, with its "postern" member.
 * name   of the profile; title of its metadata.
 * ret    new reference.
 */
PST_CHECKED int pst_learn_propose(const json_t *rec, const json_t *outer, const char *name,
				  json_t **ret, struct pst_err *err);

/* How many calls the profile allows, at least for some arguments. */
PST_CHECKED size_t pst_learn_count(const json_t *profile);

/* What was seen, proposed and left out, in words; and what of it `enforced` would deny: the
 * profile that was in force, where complain mode let that through. */
PST_CHECKED int pst_learn_text(const json_t *rec, const json_t *profile, const json_t *enforced,
			       struct pst_buf *out, struct pst_err *err);

/*
 * core/plan.h - the one decision: what becomes of a container, and why. Pure.
 *
 * plan_make reads as the specification: ids, namespaces, rootfs and mounts,
 * capabilities and no_new_privs, syscalls, limits, devices and paths, steps.
 * Same inputs, same bytes out. Every edit and note names its source (I-8); a
 * plan of a planned spec makes no further edit (I-7).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/caps.h"
#include "core/edit.h"
#include "core/facts.h"
#include "core/highids.h"
#include "core/netlimit.h"
#include "core/note.h"
#include "core/policy.h"
#include "core/scprof.h"
#include "core/spec.h"

#define PST_BLOCK_SIZE UINT32_C(65536)

/* Where the container's root lives. */
enum pst_ids_how {
	PST_HOW_MAP,    /* a block of its own */
	PST_HOW_JOIN,   /* the block and user namespace of a sibling it joins */
	PST_HOW_CALLER, /* the spec brought its own mapping: left alone */
	PST_HOW_NONE,   /* not moved; a note says why */
};

/* What host/verify compares with the kernel before success is reported (I-4). */
struct pst_expect {
	bool maps; /* uid_map and gid_map are "0 base 65536", then a line for each of `high` */
	uint32_t base;
	struct pst_highids high;
	pst_capset bounding; /* CapBnd may hold nothing else */
	bool no_new_privs;
	bool seccomp; /* a filter is loaded, and is as strict as `filter` */
	bool not_host_root; /* uid_map must not map host id 0 */
};

struct pst_plan {
	enum pst_ids_how ids;
	uint32_t base;
	struct pst_edits edits;
	struct pst_notes notes; /* what the workload may miss, and what was not done */
	json_t *steps;          /* array of {"step": name, "arg": {...}} */
	struct pst_scprof *filter; /* the merged syscall profile; NULL: none of ours */
	struct pst_expect expect;
	bool enter_netns;  /* the runtime is started inside netns_path (runc < 1.3) */
	const char *netns_path; /* borrowed from the spec; NULL: none joined */
	bool safety_net;   /* put the pre-exec filter on the runtime */
	bool keeper;       /* a listener records denials: it has to live at each exec */
	json_t *spec;      /* the hardened config.json */
	char *profile;     /* name of the profile in force, NULL: none */
	char *denials;     /* rules of the listener (core/scnotify.h), NULL: nothing is recorded */
	char *watch;       /* limits the keeper looks after (core/limitwatch.h), NULL: there are none */
	char *headers;     /* with `watch` and no rules: what the keeper has to know besides */
	struct pst_netrates net; /* what each of its links may carry */
	bool net_late;     /* the runtime makes its network namespace: links may come until it starts */
	bool complain;     /* what only our profile denies is let through, and recorded */
};

/* The profile complain mode stays inside: what an unconfined caller's engine would have put on. */
#define PST_COMPLAIN_BOUND "docker-default"

struct pst_plan_input {
	const struct pst_spec *spec;
	const struct pst_policy *policy;
	const struct pst_facts *facts;
	const json_t *(*profile)(const char *name, void *arg); /* profile by name, or NULL */
	void *profile_arg;
};

/* Decide. On success *ret is filled; free with pst_plan_done. Refusals are
 * PST_E_POLICY with rule, file, pointer and cure. */
PST_CHECKED int pst_plan_make(const struct pst_plan_input *in, struct pst_plan *ret,
			      struct pst_err *err);

void pst_plan_done(struct pst_plan *p);

/* /version of plan.json: raised when a program of before would misread it. */
#define PST_PLAN_VERSION 1

/* The plan as JSON (docs/formats.md "plan"); new reference or NULL without memory. */
PST_CHECKED json_t *pst_plan_json(const struct pst_plan *p);

/*
 * What later verbs need of a plan, from its JSON: expect, netns_path and enter_netns
 * (borrowed from `j`), safety_net, ids, base and whether denials are recorded
 * (`keeper`); and from `spec`, the hardened
 * config.json, the filter (NULL: not wanted). The rest is empty. PST_E_STATE when `j` is
 * no plan of ours.
 */
PST_CHECKED int pst_plan_recall(const json_t *j, const json_t *spec, struct pst_plan *ret,
				struct pst_err *err);

/* The plan in words: a readable account with reasons and what may be missed. */
PST_CHECKED int pst_plan_text(const struct pst_plan *p, struct pst_buf *out, struct pst_err *err);

/*
 * core/execspec.h - what `exec` may do: no more than the container it enters.
 *
 * Pure. With flags the runtime takes the process of the container's own, already
 * hardened config.json and adds to it, so only the additions are judged: --user,
 * --additional-gids, --cap, --no-new-privs. With --process FILE nothing of the
 * container's holds, so every field that could widen is brought inside: the
 * capability sets, noNewPrivileges, user ids, rlimits. Fields we do not
 * know pass as they are.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/caps.h"
#include "core/note.h"
#include "core/policy.h"

/* What the container has, and nothing beyond. */
struct pst_exec_limits {
	pst_capset caps;           /* its bounding set */
	bool no_new_privs;         /* it runs with it */
	uint32_t nids;             /* ids 0..nids-1 exist inside; 0: ids are not ours to judge */
	const uint32_t *extra_ids; /* ids above that are mapped too; borrowed */
	size_t nextra;
	const json_t *rlimits;           /* of its process, as it was created: array or NULL; borrowed */
	const struct pst_policy *policy; /* ceilings for them; borrowed */
	bool has_nofile;                 /* it asked for fewer open files (annotation) */
	uint64_t nofile;
};

/* The words of an exec, found but not judged. Everything borrowed from argv. */
struct pst_exec_words {
	const char *id;
	const char *process_file; /* --process, or NULL */
	const char *console_socket, *pid_file;
	bool detach;
	bool tty;
	size_t command;           /* index in argv of the first word after the id */
};

/*
 * Read argv (the words after "exec"). PST_E_USAGE in runc's words; a flag we do
 * not know must be written with "=" (see core/argv.h).
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_execspec_read(int argc, char *const argv[], struct pst_exec_words *ret,
		      struct pst_err *err);

struct pst_exec_plan {
	const char **argv;      /* NULL-terminated words after "exec" for the runtime; the
				   array is owned, the words are borrowed from the caller's argv */
	size_t argc;
	json_t *process;        /* the confined process object, owned; NULL without --process */
	size_t process_at;      /* with process: index in argv of the file name to put in */
	bool changed;           /* anything differs from what was asked */
	struct pst_notes notes; /* each difference, with its reason */
};

void pst_exec_plan_done(struct pst_exec_plan *p);
#define pst_auto_exec_plan PST_CLEANUP(pst_exec_plan_done) struct pst_exec_plan

/*
 * Judge an exec. process_file is the parsed file of --process (borrowed, unchanged),
 * NULL when there is none; the caller writes ret->process to a file of its own and puts its name
 * at ret->argv[ret->process_at], so that what runs is what was judged.
 *
 * With a process file --tty and --tty=false are its "terminal", which runc would not look
 * at: containerd says it beside the document.
 *
 * Capabilities beyond the ceiling are left out with a note, an unknown capability is
 * PST_E_SPEC; ids the container does not have are PST_E_SPEC with
 * the pointer. Rlimits are held to the policy and to the container's own wishes as at create
 * (core/limits.h); the kinds that are not named are the container's.
 */
PST_CHECKED PST_NONNULL(2, 4, 5)
int pst_execspec_plan(int argc, char *const argv[], const json_t *process_file,
		      const struct pst_exec_limits *lim, struct pst_exec_plan *ret,
		      struct pst_err *err);

/*
 * Bring a process object inside `lim`, in place. *changed is set when anything
 * differed. Errors as above, pointers relative to the object.
 */
PST_CHECKED PST_NONNULL(2, 3, 4)
int pst_execspec_confine(json_t *process, const struct pst_exec_limits *lim,
			 struct pst_notes *notes, bool *changed, struct pst_err *err);

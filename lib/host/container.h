/*
 * host/container.h - what the front ends call: one function per life step.
 *
 * Each function does the whole step (facts, plan, apply, verify or undo) and
 * leaves nothing half-made when it fails (I-4, I-5). Not thread-safe: they fork,
 * enter namespaces and change the process's mount namespace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* Global flags of the command line, common to all verbs. Strings are borrowed. */
struct pst_global {
	const char *state_dir;   /* PST_STATEDIR */
	const char *policy_file; /* --policy, or PST_POLICY_FILE */
	bool policy_required;    /* --policy was given: its absence is an error */
	const char *class_name;  /* --class or NULL */
	const char *runtime;     /* --runtime, or NULL for the policy's */
	const char *root;        /* --root of the caller, or NULL for the runtime's default */
	const char *log;         /* --log FILE or NULL */
	const char *log_format;  /* "text" or "json" */
	bool debug;
	bool systemd_cgroup;
	const char *rootless;    /* --rootless value or NULL */
	const char *const *pass; /* every global flag as the caller wrote it, for the runtime,
				    without --root, --policy, --runtime, --class */
	size_t npass;
};

struct pst_rootmount;

/* create and run. */
struct pst_create {
	const char *id;
	const char *bundle;         /* --bundle, "." by default */
	const char *pid_file;       /* or NULL */
	const char *console_socket; /* or NULL */
	int preserve_fds;           /* runc --preserve-fds */
	const char *const *pass;    /* the verb's other flags, verbatim, for the runtime */
	size_t npass;
	bool detach;                /* run only */
	bool keep;                  /* run only: runc >= 1.2 --keep */
	/* launch only: image layers instead of a bundle's own rootfs; top first */
	const char *const *layers;
	size_t nlayers;
	const char *upper, *work;
	/* the containerd shim only: what is to be mounted at BUNDLE/rootfs, in order */
	const struct pst_rootmount *rootfs;
	size_t nrootfs;
	/* run only: called once it is made and verified, before it starts; an error ends it */
	int (*made)(void *ctx, pid_t init, struct pst_err *err);
	void *made_ctx;
	bool hold;   /* create only: one process of the runtime is to serve start too; it
			waits, and who opens its gate is told on hold_fd (pst_hold_give) */
	int hold_fd; /* a connected socket */
	bool hold_look; /* who opens that gate calls pst_container_start, held, before */
};

/* create: on success the container is created and verified, not started. */
PST_CHECKED int pst_container_create(const struct pst_global *g, const struct pst_create *c,
				     struct pst_err *err);

/* run: create, verify, start, wait, delete. Signals are forwarded meanwhile.
 * *ret_status is the exit code to give (128+n for a signal). With c->detach it
 * returns once the container runs. */
PST_CHECKED int pst_container_run(const struct pst_global *g, const struct pst_create *c,
				  int *ret_status, struct pst_err *err);

/* start: refused unless the journal says verified (PST_E_STATE). Does not return on
 * success when the runtime can be exec'd; otherwise *ret_status is its code.
 * held: the runtime waits at the gate, and the caller opens that; the rest is done. */
PST_CHECKED int pst_container_start(const struct pst_global *g, const char *id, bool held,
				    int *ret_status, struct pst_err *err);

/* delete: the runtime's delete, then the undo of every journalled step.
 * *ret_status is the runtime's exit code; its words are already on stderr. */
PST_CHECKED int pst_container_delete(const struct pst_global *g, const char *id, bool force,
				     int *ret_status, struct pst_err *err);

/* exec: argv is the verb's own arguments after "exec" as the caller wrote them;
 * they are parsed, confined as the container is, and handed on. Does not return
 * on success. */
PST_CHECKED int pst_container_exec(const struct pst_global *g, int argc, char **argv,
				   struct pst_err *err);

/* update: argv after "update"; ceilings of the policy obeyed. Does not return on success. */
PST_CHECKED int pst_container_update(const struct pst_global *g, int argc, char **argv,
				     struct pst_err *err);

/* restore: argv after "restore". A checkpoint holds kernel state that no plan of today
 * has judged (its ids, filters and capabilities), so it is PST_E_POLICY unless the
 * policy asks for nothing at all. */
PST_CHECKED int pst_container_restore(const struct pst_global *g, int argc, char **argv,
				      struct pst_err *err);

/* Any other verb: exec the runtime with the caller's arguments, with the private
 * --root of the container `id` (may be NULL) if it has one. Returns only on failure. */
PST_CHECKED int pst_container_pass(const struct pst_global *g, const char *id, int argc,
				   char **argv, struct pst_err *err);

/* Does policy ask for nothing at all? Then the front end hands every word to the
 * runtime. False as well when the policy cannot be read: its verb then says why. */
PST_CHECKED bool pst_container_transparent(const struct pst_global *g);

/* What the front end needs to know about a container of ours. */
struct pst_container_info {
	bool ours;         /* a record exists */
	char *bundle;      /* the caller's bundle, canonical */
	char *runtime_root;/* --root to give to the runtime, or NULL for the caller's */
};
PST_CHECKED int pst_container_info(const struct pst_global *g, const char *id,
				   struct pst_container_info *ret, struct pst_err *err);
void pst_container_info_done(struct pst_container_info *i);

/*
 * Run the runtime with `argv` (without program name; global flags are added) and
 * collect its stdout (at most 16 MiB; state, list, features). stderr and stdin
 * are inherited. runtime_root as above.
 */
struct pst_buf;
PST_CHECKED int pst_container_capture(const struct pst_global *g, const char *runtime_root,
				      const char *const argv[], struct pst_buf *out,
				      int *ret_status, struct pst_err *err);

/* Private runtime roots of containers whose caller's --root is g->root: what
 * `list` must ask besides the caller's own. NULL-terminated, freed by pst_strv-like free. */
PST_CHECKED int pst_container_private_roots(const struct pst_global *g, char ***ret,
					    struct pst_err *err);
void pst_container_roots_free(char **roots);

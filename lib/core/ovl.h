/*
 * core/ovl.h - of which directories an overlay is made.
 *
 * Pure. An overlay mount cannot be id-mapped, so it is rebuilt from its parts;
 * this is the list of parts, read from mount options (a shim's Mount message,
 * mount(8) style) or from the super options of /proc/PID/mountinfo. It is
 * written into facts, plan and journal as JSON, because mountinfo of our own
 * mount no longer tells (descriptors given to fsconfig print as "/").
 *
 * Sources: kernel Documentation/filesystems/overlayfs.rst; proc(5).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* The kernel's own bound (OVL_MAX_STACK, fs/overlayfs/ovl_entry.h). */
#define PST_OVL_MAX_LOWER 500

/* An option carried over unchanged; value NULL for a flag ("volatile"). */
struct pst_ovl_opt {
	char *key;
	char *value;
};

struct pst_ovl_layout {
	char **lower; /* topmost first; a path may be relative (see host/overlay.h) */
	size_t n;
	char *upper; /* NULL for a read-only overlay */
	char *work;  /* NULL exactly when upper is */
	struct pst_ovl_opt *opt;
	size_t nopt;
	bool readonly;  /* "ro" was given */
	bool nosuid;    /* mount flags of the same names: the copy keeps them (I-1) */
	bool nodev;
	bool noexec;
	bool userxattr; /* made inside a user namespace: not ours to rebuild */
	bool mapped;    /* carries uidmap=/gidmap=: the caller maps it itself */
	bool is_volatile; /* its work directory refuses a second mount */
	char *unsupported; /* why it cannot be rebuilt, a phrase; NULL if it can */
};

/* Frees all; accepts an empty layout. */
void pst_ovl_done(struct pst_ovl_layout *l);

/* A struct pst_ovl_layout on the stack; initialise with {0}. */
#define pst_auto_ovl PST_CLEANUP(pst_ovl_done) struct pst_ovl_layout

/*
 * Take in one mount option as given to mount(2) ("lowerdir=a:b", "ro",
 * "metacopy=on"); backslash escapes of ':' and ',' in directories are undone.
 *
 * `index` and `nfs_export` are dropped: a second mount of one upper directory
 * needs index=off, which host/overlay.h says itself. What cannot be carried
 * over sets `unsupported` and is not an error, so that a caller can report it.
 *
 * Returns PST_OK, PST_E_SPEC (not an option at all: empty directory) or
 * PST_E_NOMEM. On failure the layout may be half filled; pst_ovl_done frees it.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_ovl_add(struct pst_ovl_layout *l, const char *option, struct pst_err *err);

/*
 * A whole layout from an array of mount options (containerd's Mount.options) or
 * from the still escaped super options of a mountinfo line. Both check that the
 * parts make an overlay: at least one lower, upper and work together.
 *
 * ret  on success a layout to free with pst_ovl_done; untouched on failure.
 * Returns PST_OK, PST_E_SPEC or PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(3)
int pst_ovl_from_options(const char *const option[], size_t n, struct pst_ovl_layout *ret,
			 struct pst_err *err);
PST_CHECKED PST_NONNULL(1, 2)
int pst_ovl_from_super(const char *super, struct pst_ovl_layout *ret, struct pst_err *err);

/* Is any of its directories relative? (the mounter had changed directory) */
PST_CHECKED PST_NONNULL(1) bool pst_ovl_is_relative(const struct pst_ovl_layout *l);

/* {"lower":[...],"upper","work","options":{...},...}; a new reference, NULL
 * without memory or when a path is not UTF-8 (JSON cannot hold it). */
PST_CHECKED PST_NONNULL(1) json_t *pst_ovl_json(const struct pst_ovl_layout *l);

/* The reverse. PST_E_SPEC with a pointer below `j` when it is not a layout. */
PST_CHECKED PST_NONNULL(2)
int pst_ovl_from_json(const json_t *j, struct pst_ovl_layout *ret, struct pst_err *err);

/* A copy of `src`; PST_OK or PST_E_NOMEM. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_ovl_copy(const struct pst_ovl_layout *src, struct pst_ovl_layout *ret,
		 struct pst_err *err);

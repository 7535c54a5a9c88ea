/*
 * host/profileload.h - profiles by name: the node's own, and those built in.
 *
 * A node adds a profile by dropping DIR/NAME.json: an OCI `linux.seccomp` object, with
 * or without our `postern` member. DIR is PST_PROFILE_DIR. One of its own takes the
 * place of a built-in one of the same name.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Where nodes keep theirs: /var/lib/postern/profiles unless built otherwise. */
const char *pst_profile_dir(void);

/*
 * The profile `name` (letters, digits, . _ -; no path) as a tree, new reference. A file of
 * the node is read only when root owns it, nobody else can write it, and it is no link
 * (design 7): else PST_E_POLICY with the cure, never the built-in one in its place.
 * A caller who may not look there (a plan replayed without privilege) sees the built-in ones.
 * PST_E_USAGE with sys ENOENT when there is none of that name.
 * own   set when it is the node's; may be NULL.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_profile_load(const char *name, json_t **ret, bool *own, struct pst_err *err);

/* Names in order, the node's and the built-in ones; a NULL-terminated list of malloc'd
 * strings to be freed with pst_profile_names_done. */
PST_CHECKED PST_NONNULL(1) int pst_profile_names(char ***ret, struct pst_err *err);
void pst_profile_names_done(char **names);

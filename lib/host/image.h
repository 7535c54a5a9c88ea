/*
 * host/image.h - an OCI image layout on disk, made ready to be run.
 *
 * The layout (a directory, or its tar) is read here, small documents only; its
 * layers are unpacked by postern-unpack, a program of its own, into
 * VARDIR/layers/DIFFID/fs, once each. What runs is an overlay of these with a
 * scratch upper of its own under VARDIR/launch/NAME, removed afterwards.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/ociimage.h"

struct pst_image {
	struct pst_oci_config config;
	char **layers; /* directories, topmost first */
	size_t nlayers;
};

void pst_image_done(struct pst_image *i);

/*
 * Unpack what is not yet known of `ref` (LAYOUT[:TAG], see pst_ociimage_split).
 * var_dir is PST_VARDIR; made 0700 below as needed.
 * PST_E_SPEC for the image's faults (digest, document, hostile layer), PST_E_HOST.
 */
PST_CHECKED int pst_image_prepare(const char *var_dir, const char *ref, struct pst_image *ret,
				  struct pst_err *err);

/* Scratch directories of one launch: VARDIR/launch/NAME/{fs,work,mnt}; PST_E_STATE when the
 * name is taken. */
PST_CHECKED int pst_image_scratch(const char *var_dir, const char *name, char upper[300],
				  char work[300], struct pst_err *err);
PST_CHECKED int pst_image_scratch_remove(const char *var_dir, const char *name,
					 struct pst_err *err);

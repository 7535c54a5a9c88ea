/*
 * unpack/place.h - make one entry of a layer in the tree; a function per kind.
 *
 * Each fails with PST_E_SPEC naming the entry when the layer is wrong, and
 * with PST_E_HOST when the file system fails (full, read-only).
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "entrypath.h"

#define PLACE_ID_MAX 65535

struct archive;
struct archive_entry;
struct tree;

struct place {
	struct tree *tree;
	struct archive *archive;
	struct archive_entry *entry; /* the present one */
	const char *name;            /* as the tar says; for messages */
	struct entry_path path;      /* judged */
	uint64_t max_bytes;          /* of one file */
};

PST_CHECKED int place_file(struct place *p, struct pst_err *err);
PST_CHECKED int place_directory(struct place *p, struct pst_err *err);
PST_CHECKED int place_symlink(struct place *p, struct pst_err *err);
PST_CHECKED int place_hardlink(struct place *p, struct pst_err *err);
PST_CHECKED int place_fifo(struct place *p, struct pst_err *err);

/* A whiteout: character device 0:0, unless this layer itself made the name. */
PST_CHECKED int place_gone(struct place *p, struct pst_err *err);

/* Note the directory as opaque; the mark itself needs a privilege this process
 * gave up (cache.h). */
PST_CHECKED int place_opaque(struct place *p, struct pst_err *err);

/*
 * unpack/entrypath.h - what the name of a layer's entry says. Pure.
 *
 * Source: OCI image-spec layer.md ("Whiteouts"), and the aufs names that old
 * layers still hold (everything that starts with ".wh..wh." but the opaque mark).
 */
#pragma once

#include <limits.h>

#include "base/attr.h"
#include "base/err.h"

enum entry_kind {
	ENTRY_PLAIN,
	ENTRY_WHITEOUT, /* `base` of `dir` is gone */
	ENTRY_OPAQUE,   /* what lies below `dir` in lower layers is gone */
	ENTRY_SKIP,     /* aufs' own book-keeping */
};

struct entry_path {
	enum entry_kind kind;
	char dir[PATH_MAX];      /* parent, clean and relative; "" is the layer's root */
	char base[NAME_MAX + 1]; /* last part; "" with dir "": the root itself */
};

/*
 * Judge the name `raw`. Refused with PST_E_SPEC: empty or absolute names, a ".."
 * anywhere (also one that would not escape), parts longer than NAME_MAX, names
 * of PATH_MAX bytes and more, a whiteout of nothing, of "." or of "..", and a
 * whiteout used as a directory.
 */
PST_CHECKED PST_NONNULL(1, 2) int entry_path_parse(const char *raw, struct entry_path *ret,
						   struct pst_err *err);

/*
 * unpack/extract.h - the stage that turns a tar into the tree of a layer.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "options.h"

/*
 * Read a tar from descriptor 0 and make it below descriptor `where`, a
 * directory that holds an empty directory "fs": the tree goes there, the lists
 * `opaque` and `implicit` (tree.h) beside it. Reads its input to the end.
 *
 * Made as they are written: files, holes included, directories, symbolic and
 * hard links, fifos, modes with set-id bits, numeric owners, times, user.*
 * attributes and security.capability. Refused with PST_E_SPEC: everything
 * entrypath.h and tree.h refuse, device nodes, hard links to what is not a file
 * of this layer, ids of 65536 and more, attributes overlayfs would obey, file
 * capabilities of another user namespace. Other attributes (labels, ACLs) are
 * left out: they mean nothing outside the machine that wrote them.
 */
PST_CHECKED PST_NONNULL(2) int extract_layer(int where, const struct unpack_options *o,
					     struct pst_err *err);

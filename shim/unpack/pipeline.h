/*
 * unpack/pipeline.h - the stages of one layer, as processes joined by pipes.
 *
 *   [member]  ->  digest  ->  [inflate]  ->  this process  ->  extract
 *   of a tar      sha256 of    gzip, zstd     sha256 of the      makes files
 *                 the blob                    tar: the DiffID
 *
 * What parses hostile bytes (member, inflate, extract) is confined (confine.h)
 * and takes no sum; what takes the sums parses nothing. So a stage that is
 * taken over cannot pass its layer off as another: every byte that reaches
 * `extract` was summed by a process that it cannot touch.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "options.h"

/* Unpack descriptor 0 into directory `tmp` (which holds an empty "fs"). The
 * error is that of the first stage that failed for a reason of its own. */
PST_CHECKED PST_NONNULL(1, 2) int pipeline_layer(const struct unpack_options *o, const char *tmp,
						 struct pst_err *err);

/* Write member o->member of the tar on descriptor 0 to descriptor 1, whole or
 * not at all. */
PST_CHECKED PST_NONNULL(1) int pipeline_cat(const struct unpack_options *o, struct pst_err *err);

/*
 * unpack/stages.h - the stages that read descriptor 0 and write descriptor 1.
 *
 * Each runs in a process of its own (pipeline.h). A stage whose reader has gone
 * returns STAGE_UNREAD: the reader's own error is then the one to tell.
 */
#pragma once

#include <sha2.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "options.h"

#define STAGE_UNREAD 1 /* not a failure of this stage; never a pst_code */
#define STAGE_BUFFER ((size_t)128 << 10)

/* Write the member o->member of the tar. */
PST_CHECKED int stage_member(const struct unpack_options *o, struct pst_err *err);

/* Pass on the blob; fails at its end when size or sha256 differ from o->size
 * and o->digest. Goes on summing when nobody reads. */
PST_CHECKED int stage_digest(const struct unpack_options *o, struct pst_err *err);

/* Undo the compression o->form, and only that. */
PST_CHECKED int stage_inflate(const struct unpack_options *o, struct pst_err *err);

/* write(2) until all is written: 0, STAGE_UNREAD, or -1 with errno. */
PST_CHECKED int stage_write(int fd, const void *data, size_t len);

/* read(2), EINTR handled. */
PST_CHECKED ssize_t stage_read(int fd, void *buf, size_t len);

/* The 64 digits and a NUL of a finished sum. */
void stage_hex(SHA2_CTX *sum, char out[UNPACK_HEX + 1]);

/* libarchive's words for the last failure, escaped for a terminal, into `err`. */
struct archive;
PST_PRINTF(3, 4)
int stage_fail_archive(struct archive *a, struct pst_err *err, const char *fmt, ...);

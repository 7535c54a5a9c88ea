/*
 * core/owntext.h - what we wrote into configuration files, told from what others wrote.
 *
 * Pure. Two forms, both for files whose comments begin with #:
 *
 *   a block at the end of somebody's file     a file of our own
 *     # postern install: begin DIGEST           # postern install: file DIGEST
 *     ...                                       ...
 *     # postern install: end
 *
 * DIGEST is of the lines between (behind), 16 hex digits of SHA-256: what was edited since
 * is not ours any more and is never thrown away. A word behind the digest keeps what has
 * to be undone besides: "joined" (a line end was put behind the last line, which had none),
 * "folder" (the folder was made too). Line ends are those of the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct pst_own_block {
	bool there;
	bool intact;      /* the digest is that of the text */
	size_t at, end;   /* its bytes, a line end of the "joined" kind included */
	unsigned line;    /* of its first line */
};

/*
 * Find our block in `text` (TOML), `name` for errors. None is no error. PST_E_SPEC when the
 * text is no TOML, when a block has no end, an end no begin, or there are two.
 */
PST_CHECKED PST_NONNULL(1, 3, 4)
int pst_own_block_find(const char *text, size_t len, const char *name, struct pst_own_block *ret,
		       struct pst_err *err);

/* Append to `out`: text with its block replaced by one of `body` (lines, each ended by \n),
 * or with the block added at the end, or with body NULL taken away. `b` is of this text. */
PST_NONNULL(1, 3, 5)
void pst_own_block_put(const char *text, size_t len, const struct pst_own_block *b,
		       const char *body, struct pst_buf *out);

enum pst_own_file {
	PST_OWN_FOREIGN, /* somebody else's, or ours and edited away from its first line */
	PST_OWN_EDITED,  /* our first line, but not the lines behind it */
	PST_OWN_INTACT,
};

/* Whose file is it? *folder: it says that its folder was made for it. */
PST_CHECKED PST_NONNULL(1, 3)
enum pst_own_file pst_own_file_is(const char *text, size_t len, bool *folder);

/* Append a file of ours with `body`. */
PST_NONNULL(1, 3)
void pst_own_file_put(const char *body, bool folder, struct pst_buf *out);

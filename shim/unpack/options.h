/*
 * unpack/options.h - the command line of postern-unpack.
 *
 * postern-unpack reads hostile bytes so that postern need not: it is started by
 * host/image.c with the blob, or the tar file that holds it, as standard input.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define UNPACK_HEX 64

enum unpack_verb {
	UNPACK_LAYER, /* stdin: a layer's blob; makes LAYERS/DIFFID */
	UNPACK_CAT,   /* stdin: a tar; writes one small member to stdout */
};

enum unpack_form { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD };

struct unpack_options {
	enum unpack_verb verb;
	const char *layers;          /* directory of the cache */
	const char *member;          /* name inside the tar on stdin, or NULL: stdin is the blob */
	char digest[UNPACK_HEX + 1]; /* sha256 of the blob */
	char diffid[UNPACK_HEX + 1]; /* sha256 of the tar inside it */
	uint64_t size;               /* bytes of the blob */
	enum unpack_form form;
	uint64_t max_bytes;   /* most bytes of the uncompressed tar, and of one file */
	uint64_t max_entries; /* most files and directories made */
};

/* Strings of `argv` are borrowed. PST_E_USAGE, or PST_E_SPEC for a bad digest. */
PST_CHECKED PST_NONNULL(2, 3) int unpack_options_parse(int argc, char **argv,
						       struct unpack_options *ret,
						       struct pst_err *err);

extern const char unpack_usage[];

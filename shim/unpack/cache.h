/*
 * unpack/cache.h - the directory of unpacked layers.
 *
 *   LAYERS/           0700 root, made by host/image.c
 *     HEX/            a layer, by the sha256 of its tar (DiffID); complete, never changed
 *       fs/           a lower layer for overlayfs
 *       implicit      "path\0"...: directories no entry described (tree.h)
 *       opaque        "path\0"...: directories that hide lower layers; marked already
 *     .tmp-HEX/       one being made
 *     .lock-HEX       flock(2) held by who makes it
 *
 * A maker that is killed leaves .tmp-HEX and .lock-HEX without its lock; the
 * next run of anybody removes them.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct cache {
	int dir;         /* LAYERS */
	int lock;        /* .lock-HEX */
	char path[4096]; /* of .tmp-HEX, absolute or as LAYERS was given */
	char tmp[80];    /* its name */
	char name[80];   /* HEX */
};

#define CACHE_EMPTY                   \
	{                             \
		.dir = -1, .lock = -1 \
	}

/*
 * Open the cache, wait for the lock of layer `hex`, sweep what killed makers
 * left. *ret_known: the layer is there, nothing is to be done. Otherwise an
 * empty tmp/fs has been made. PST_E_POLICY if `layers` is not ours alone.
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4) int cache_begin(struct cache *c, const char *layers,
						    const char *hex, bool *ret_known,
						    struct pst_err *err);

/* Mark the directories of the list `opaque`, move tmp to its name, unlock. */
PST_CHECKED PST_NONNULL(1) int cache_commit(struct cache *c, struct pst_err *err);

/* Remove what was begun and not committed; close. Accepts CACHE_EMPTY. */
void cache_done(struct cache *c);

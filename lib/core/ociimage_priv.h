/*
 * core/ociimage_priv.h - what ociimage.c and ociimageconf.c share. Not for others.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/json.h"

extern const struct pst_json_limits pst_ociimage_limits;

/* PST_E_SPEC with file, pointer and the ordinary cure: export the image again. */
PST_PRINTF(4, 5)
int pst_ociimage_refuse(struct pst_err *err, const char *file, const char *pointer, const char *fmt,
			...);

/* Parse a document that must be an object; *ret is a new reference. */
PST_CHECKED int pst_ociimage_parse(const char *text, size_t len, const char *name, json_t **ret,
				   struct pst_err *err);

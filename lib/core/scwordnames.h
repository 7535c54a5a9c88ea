/*
 * core/scwordnames.h - names of argument values; private to scwords*.c. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "core/sctable.h"

enum pst_scarg_kind { PST_SCARG_VALUE, PST_SCARG_FLAGS };

/* What is known of one argument of a call. */
struct pst_scarg {
	const char *label; /* "family"; NULL: nothing is known */
	enum pst_scarg_kind kind;
	uint64_t part;                   /* the bits that make the value; the rest are modifiers */
	const char *(*name)(uint64_t v); /* of a value, or of one flag; NULL if none */
};

/* proto_of   for the protocol of a socket: its family, -1 if that is not one value. */
struct pst_scarg pst_scarg_of(const struct pst_sc *sc, unsigned arg, int64_t proto_of);

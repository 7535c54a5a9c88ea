/*
 * tests/fuzz/target.h - what a fuzz target is, and what it may assert.
 *
 * Each fuzz_NAME.c defines the one function libFuzzer calls. Without an engine
 * it is linked with replay.c, which hands it every file of seeds/NAME and many
 * spoilt copies of each.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that must hold for every input; an engine reports the abort. */
#define PST_HOLDS(what)                                                                           \
	do {                                                                                      \
		if (!(what)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* The input as a string of its own, so that reading past its end is found. */
static inline char *pst_fuzz_text(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);
	PST_HOLDS(s != NULL);
	memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

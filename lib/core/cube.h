/*
 * core/cube.h - sets of system call arguments as cubes and boxes.
 *
 * Pure. A cube is the set of 64-bit numbers x with (x & mask) == value; a box
 * is one cube for each of the six arguments. Both operators a filter should use
 * (EQ, MASKED_EQ) are one cube; a range is at most 64. Boxes are closed under
 * intersection, and the difference of two boxes is a list of disjoint boxes, so
 * profiles can be combined exactly.
 *
 * Lists grow to PST_BOXES_MAX; past that, or without memory, `bad` is set, what
 * was there stays, and the owner must take the closed way (deny the call).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PST_NARGS 6
#define PST_BOXES_MAX 1024 /* of a list in work; profiles keep fewer */

struct pst_cube {
	uint64_t value; /* no bits outside mask */
	uint64_t mask;  /* 0: every number */
};

struct pst_box {
	struct pst_cube arg[PST_NARGS];
};

struct pst_boxes {
	struct pst_box *v;
	size_t n;
	size_t cap;
	bool bad;
};

enum pst_cmp { PST_CMP_NE, PST_CMP_LT, PST_CMP_LE, PST_CMP_EQ, PST_CMP_GE, PST_CMP_GT };

/* a and b; false if they share no number (*ret untouched). */
PST_CHECKED bool pst_cube_meet(struct pst_cube a, struct pst_cube b, struct pst_cube *ret);

/* Is every number of a in b? */
PST_CHECKED bool pst_cube_within(struct pst_cube a, struct pst_cube b);

/* The numbers x with `x OP v` as disjoint cubes; returns how many (0..64). */
PST_CHECKED size_t pst_cube_cmp(enum pst_cmp op, uint64_t v, struct pst_cube out[64]);

/* Does every set of arguments belong to the box (no condition at all)? */
PST_CHECKED bool pst_box_is_all(const struct pst_box *b);

PST_CHECKED bool pst_box_holds(const struct pst_box *b, const uint64_t args[PST_NARGS]);
PST_CHECKED bool pst_box_within(const struct pst_box *a, const struct pst_box *b);
PST_CHECKED bool pst_box_meet(const struct pst_box *a, const struct pst_box *b,
			      struct pst_box *ret);

/* Order for printing and for canonical lists: fewer conditions first, then by
 * argument, mask and value. As qsort wants it. */
int pst_box_cmp(const void *a, const void *b);

void pst_boxes_add(struct pst_boxes *l, const struct pst_box *b);

/* Take `b` out of every box of the list. Order of the rest is kept. */
void pst_boxes_subtract(struct pst_boxes *l, const struct pst_box *b);

/* Is `b` inside the union of v[0..n)? Says false when it gets too big to tell. */
PST_CHECKED bool pst_boxes_cover(const struct pst_box *v, size_t n, const struct pst_box *b);

/* Sort by pst_box_cmp and drop every box the ones before it cover. Depends on
 * the set only, and keeps its own results (I-7). */
void pst_boxes_canon(struct pst_boxes *l);

/* Frees; accepts an empty list. */
void pst_boxes_done(struct pst_boxes *l);

/* A list on the stack, freed at end of scope; initialise with {0}. */
#define pst_auto_boxes PST_CLEANUP(pst_boxes_done) struct pst_boxes

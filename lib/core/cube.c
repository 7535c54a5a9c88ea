#include "core/cube.h"

#include <string.h>

/* pieces at which pst_boxes_cover gives up: bounds the time of a hostile profile */
#define COVER_MAX 256

bool pst_cube_meet(struct pst_cube a, struct pst_cube b, struct pst_cube *ret)
{
	if (((a.value ^ b.value) & a.mask & b.mask) != 0)
		return false;
	*ret = (struct pst_cube){.value = a.value | b.value, .mask = a.mask | b.mask};
	return true;
}

bool pst_cube_within(struct pst_cube a, struct pst_cube b)
{
	return (b.mask & ~a.mask) == 0 && (a.value & b.mask) == b.value;
}

/* x > v: agree with v above bit i, have 1 where v has 0. x < v is the mirror. */
static size_t cubes_beside(uint64_t v, bool above, struct pst_cube *out)
{
	size_t n = 0;
	for (int i = 63; i >= 0; i--) {
		const uint64_t bit = UINT64_C(1) << i;
		if (((v & bit) == 0) != above)
			continue;
		const uint64_t mask = ~(bit - 1);
		out[n++] = (struct pst_cube){.value = (v ^ bit) & mask, .mask = mask};
	}
	return n;
}

size_t pst_cube_cmp(enum pst_cmp op, uint64_t v, struct pst_cube out[64])
{
	size_t n;
	switch (op) {
	case PST_CMP_GT:
		return cubes_beside(v, true, out);
	case PST_CMP_LT:
		return cubes_beside(v, false, out);
	case PST_CMP_GE:
		if (v == 0)
			break;
		return cubes_beside(v - 1, true, out);
	case PST_CMP_LE:
		if (v == UINT64_MAX)
			break;
		return cubes_beside(v + 1, false, out);
	case PST_CMP_NE:
		n = cubes_beside(v, true, out);
		return n + cubes_beside(v, false, out + n);
	case PST_CMP_EQ:
		out[0] = (struct pst_cube){.value = v, .mask = UINT64_MAX};
		return 1;
	}
	out[0] = (struct pst_cube){0}; /* x >= 0, x <= 2^64 - 1 */
	return 1;
}

bool pst_box_is_all(const struct pst_box *b)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < PST_NARGS; i++)
		mask |= b->arg[i].mask;
	return mask == 0;
}

bool pst_box_holds(const struct pst_box *b, const uint64_t args[PST_NARGS])
{
	uint64_t wrong = 0;
	for (size_t i = 0; i < PST_NARGS; i++)
		wrong |= (args[i] & b->arg[i].mask) ^ b->arg[i].value;
	return wrong == 0;
}

bool pst_box_within(const struct pst_box *a, const struct pst_box *b)
{
	for (size_t i = 0; i < PST_NARGS; i++)
		if (!pst_cube_within(a->arg[i], b->arg[i]))
			return false;
	return true;
}

/* Do the two share anything? Most pairs of a list differ in the first argument. */
static bool touch(const struct pst_box *a, const struct pst_box *b)
{
	for (size_t i = 0; i < PST_NARGS; i++)
		if (((a->arg[i].value ^ b->arg[i].value) & a->arg[i].mask & b->arg[i].mask) != 0)
			return false;
	return true;
}

bool pst_box_meet(const struct pst_box *a, const struct pst_box *b, struct pst_box *ret)
{
	if (!touch(a, b))
		return false;
	for (size_t i = 0; i < PST_NARGS; i++) {
		ret->arg[i].value = a->arg[i].value | b->arg[i].value;
		ret->arg[i].mask = a->arg[i].mask | b->arg[i].mask;
	}
	return true;
}

static int conditions(const struct pst_box *b)
{
	int n = 0;
	for (size_t i = 0; i < PST_NARGS; i++)
		n += __builtin_popcountll(b->arg[i].mask);
	return n;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int pst_box_cmp(const void *pa, const void *pb)
{
	const struct pst_box *a = pa;
	const struct pst_box *b = pb;
	int c = conditions(a) - conditions(b);
	for (size_t i = 0; c == 0 && i < PST_NARGS; i++) {
		c = cmp_u64(a->arg[i].mask, b->arg[i].mask);
		if (c == 0)
			c = cmp_u64(a->arg[i].value, b->arg[i].value);
	}
	return c;
}

void pst_boxes_add(struct pst_boxes *l, const struct pst_box *b)
{
	if (l->n == l->cap && !l->bad) {
		const size_t cap = l->cap == 0 ? 4 : l->cap * 2;
		struct pst_box *v =
			cap > PST_BOXES_MAX ? NULL : reallocarray(l->v, cap, sizeof *v);
		if (v == NULL) {
			l->bad = true;
		} else {
			l->v = v;
			l->cap = cap;
		}
	}
	if (!l->bad)
		l->v[l->n++] = *b;
}

/* a minus b, the two known to meet: for each bit b asks for and a leaves open,
 * one piece in which that bit is wrong and the bits before it are right. */
static void subtract_into(struct pst_box a, const struct pst_box *b, struct pst_boxes *out)
{
	for (size_t i = 0; i < PST_NARGS; i++) {
		uint64_t open = b->arg[i].mask & ~a.arg[i].mask;
		while (open != 0) {
			const uint64_t bit = UINT64_C(1) << (63 - __builtin_clzll(open));
			open ^= bit;
			a.arg[i].mask |= bit;
			a.arg[i].value |= ~b->arg[i].value & bit;
			pst_boxes_add(out, &a);
			a.arg[i].value ^= bit;
		}
	}
}

void pst_boxes_subtract(struct pst_boxes *l, const struct pst_box *b)
{
	const size_t n = l->n;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (touch(&l->v[i], b))
			subtract_into(l->v[i], b, l); /* pieces go behind the old end */
		else if (kept++ != i)
			l->v[kept - 1] = l->v[i];
	}
	if (kept == n)
		return;
	memmove(&l->v[kept], &l->v[n], (l->n - n) * sizeof *l->v);
	l->n -= n - kept;
}

bool pst_boxes_cover(const struct pst_box *v, size_t n, const struct pst_box *b)
{
	size_t first = n;
	for (size_t i = 0; i < n; i++) {
		if (pst_box_within(b, &v[i]))
			return true;
		if (first == n && touch(b, &v[i]))
			first = i;
	}
	if (first == n)
		return false;

	pst_auto_boxes rest = {0};
	pst_boxes_add(&rest, b);
	for (size_t i = first; i < n && rest.n > 0 && rest.n <= COVER_MAX && !rest.bad; i++)
		pst_boxes_subtract(&rest, &v[i]);
	return rest.n == 0 && !rest.bad;
}

void pst_boxes_canon(struct pst_boxes *l)
{
	if (l->n < 2)
		return;
	qsort(l->v, l->n, sizeof *l->v, pst_box_cmp);
	size_t kept = 1;
	for (size_t i = 1; i < l->n; i++)
		if (!pst_boxes_cover(l->v, kept, &l->v[i]))
			l->v[kept++] = l->v[i];
	l->n = kept;
}

void pst_boxes_done(struct pst_boxes *l)
{
	free(l->v);
	*l = (struct pst_boxes){0};
}

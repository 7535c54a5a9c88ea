#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/scprof.h"

#define HIGH UINT64_C(0xffffffff00000000)
#define MAXCLASS 32 /* different actions (errnos counted) of one call */

bool pst_scslot_add(struct pst_scslot *s, const struct pst_box *box, uint32_t ret)
{
	if (s->n == s->cap) {
		const uint32_t cap = s->cap == 0 ? 1 : s->cap * 2;
		struct pst_scrule *v = reallocarray(s->v, cap, sizeof *v);
		if (v == NULL)
			return false;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct pst_scrule){.box = *box, .ret = ret};
	return true;
}

void pst_scslot_done(struct pst_scslot *s)
{
	free(s->v);
	*s = (struct pst_scslot){0};
}

/* Forget the high halves of `int` arguments; false if the box asks for bits in
 * one of them, so that no plain 32-bit value is inside. */
static bool widen(struct pst_box *b, uint8_t ints)
{
	for (size_t i = 0; i < PST_NARGS; i++) {
		if (((ints >> i) & 1) == 0)
			continue;
		if ((b->arg[i].value & HIGH) != 0)
			return false;
		b->arg[i].mask &= ~HIGH;
	}
	return true;
}

static bool all_covered(const struct pst_boxes *what, const struct pst_boxes *by)
{
	for (size_t i = 0; i < what->n; i++)
		if (!pst_boxes_cover(by->v, by->n, &what->v[i]))
			return false;
	return true;
}

/*
 * Keep of an opening list what its plain 32-bit values open too. The set is
 * l met with wide, where wide holds the boxes widened; mostly one of the two is
 * inside the other and no product is needed.
 */
static void narrow(struct pst_boxes *l, uint8_t ints)
{
	pst_auto_boxes wide = {0};
	for (size_t i = 0; i < l->n; i++) {
		struct pst_box b = l->v[i];
		if (widen(&b, ints))
			pst_boxes_add(&wide, &b);
	}
	pst_boxes_canon(&wide);
	if (all_covered(l, &wide))
		return;

	pst_auto_boxes out = {.bad = l->bad || wide.bad};
	const bool inside = all_covered(&wide, l);
	for (size_t i = 0; i < wide.n; i++) {
		struct pst_box met;
		if (inside)
			pst_boxes_add(&out, &wide.v[i]);
		for (size_t k = 0; !inside && k < l->n; k++)
			if (pst_box_meet(&wide.v[i], &l->v[k], &met))
				pst_boxes_add(&out, &met);
	}
	const struct pst_boxes old = *l;
	*l = out;
	out = old;
}

/* The actions of a slot, strongest first, of equally strong ones the first named. */
static size_t classes(const struct pst_scslot *s, uint32_t out[MAXCLASS])
{
	size_t n = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		const uint32_t ret = s->v[i].ret;
		size_t k = 0;
		while (k < n && out[k] != ret)
			k++;
		if (k < n)
			continue;
		if (n == MAXCLASS)
			return MAXCLASS + 1;
		for (k = n; k > 0 && pst_scret_stronger(ret, out[k - 1]); k--)
			out[k] = out[k - 1];
		out[k] = ret;
		n++;
	}
	return n;
}

/* Boxes of action `ret`, minus the boxes of `done` (all of other actions). */
static void gather(const struct pst_scslot *s, uint32_t ret, uint32_t def, uint8_t ints,
		   const struct pst_scslot *done, struct pst_boxes *out)
{
	const bool opens = pst_scret_stronger(def, ret);
	for (uint32_t i = 0; i < s->n; i++) {
		struct pst_box b = s->v[i].box;
		struct pst_box w = b;
		if (s->v[i].ret != ret)
			continue;
		if (ints != 0 && !opens && widen(&w, ints))
			b = w;
		pst_boxes_add(out, &b);
	}
	pst_boxes_canon(out);
	if (ints != 0 && opens)
		narrow(out, ints);
	for (uint32_t i = 0; i < done->n; i++)
		pst_boxes_subtract(out, &done->v[i].box);
	pst_boxes_canon(out);
}

static int deny_whole(struct pst_scslot *s, uint32_t def)
{
	static const struct pst_box all;
	s->n = 0;
	if (!pst_scret_denies(def) && !pst_scslot_add(s, &all, SECCOMP_RET_ERRNO | EPERM))
		return PST_E_NOMEM;
	return PST_E_EXHAUSTED;
}

/* Drop the rules that say what the default says. */
static void drop_default(struct pst_scslot *s, uint32_t def)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i].ret != def)
			s->v[n++] = s->v[i];
	s->n = n;
}

int pst_scslot_settle(struct pst_scslot *s, uint32_t def, uint8_t ints)
{
	if (s->n == 0)
		return PST_OK;
	if (s->n == 1 && pst_box_is_all(&s->v[0].box)) {
		drop_default(s, def);
		return PST_OK;
	}

	uint32_t cls[MAXCLASS];
	const size_t ncls = classes(s, cls);
	if (ncls > MAXCLASS)
		return deny_whole(s, def);

	struct pst_scslot out = {0};
	bool full = false;
	bool oom = false;
	for (size_t c = 0; c < ncls && !full && !oom; c++) {
		pst_auto_boxes l = {0};
		gather(s, cls[c], def, ints, &out, &l);
		full = l.bad || l.n + out.n > PST_BOXES_MAX;
		for (size_t i = 0; i < l.n && !full && !oom; i++)
			oom = !pst_scslot_add(&out, &l.v[i], cls[c]);
	}
	drop_default(&out, def);
	full = full || out.n > PST_SC_MAXBOX;

	pst_scslot_done(s);
	*s = out;
	if (oom)
		return PST_E_NOMEM;
	return full ? deny_whole(s, def) : PST_OK;
}

#include "core/scdiff.h"

#include "core/scview.h"

/* A slot as boxes that cover everything, each with its action. */
struct whole {
	struct pst_scslot s;
	bool bad;
};

#define HIGH UINT64_C(0xffffffff00000000)

/* The arguments as the kernel sees them: nothing above bit 31 where it cuts them. */
static struct pst_box plain(const struct pst_sc *sc)
{
	struct pst_box b = {0};
	for (unsigned i = 0; i < PST_NARGS; i++)
		if (((sc->ints >> i) & 1) != 0)
			b.arg[i].mask = HIGH;
	return b;
}

/* Take the condition of plain() out again: for a reader it goes without saying. */
static void forget_high(const struct pst_sc *sc, struct pst_boxes *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (unsigned k = 0; k < PST_NARGS; k++)
			if (((sc->ints >> k) & 1) != 0)
				l->v[i].arg[k].mask &= ~HIGH;
	pst_boxes_canon(l);
}

static void whole_of(const struct pst_scprof *p, const struct pst_sc *sc, struct whole *w)
{
	const struct pst_scslot *s = &p->slot[sc->slot];
	const struct pst_box all = plain(sc);
	pst_auto_boxes rest = {0};
	pst_boxes_add(&rest, &all);
	for (uint32_t i = 0; i < s->n; i++) {
		struct pst_box met;
		if (pst_box_meet(&s->v[i].box, &all, &met))
			w->bad = !pst_scslot_add(&w->s, &met, s->v[i].ret) || w->bad;
		if (rest.n > 0)
			pst_boxes_subtract(&rest, &s->v[i].box);
	}
	for (size_t i = 0; i < rest.n; i++)
		w->bad = !pst_scslot_add(&w->s, &rest.v[i], p->def) || w->bad;
	w->bad = w->bad || rest.bad;
}

/* Boxes of x that no box of y covers. */
static void minus(const struct pst_sc *sc, const struct pst_boxes *x, const struct pst_boxes *y,
		  struct pst_boxes *out)
{
	const struct pst_box all = plain(sc);
	for (size_t i = 0; i < x->n; i++) {
		struct pst_box met;
		if (pst_box_meet(&x->v[i], &all, &met))
			pst_boxes_add(out, &met);
	}
	for (size_t i = 0; i < y->n && out->n > 0; i++)
		pst_boxes_subtract(out, &y->v[i]);
	forget_high(sc, out);
	out->bad = out->bad || x->bad || y->bad;
}

/* Where both say something else than the other; the first pair of answers is kept. */
static void answers(const struct pst_scprof *a, const struct pst_scprof *b, struct pst_scdiff *d,
		    struct pst_boxes *out)
{
	struct whole wa = {0};
	struct whole wb = {0};
	whole_of(a, d->sc, &wa);
	whole_of(b, d->sc, &wb);
	for (uint32_t i = 0; i < wa.s.n; i++) {
		for (uint32_t k = 0; k < wb.s.n; k++) {
			struct pst_box met;
			if (wa.s.v[i].ret == wb.s.v[k].ret ||
			    !pst_box_meet(&wa.s.v[i].box, &wb.s.v[k].box, &met))
				continue;
			if (out->n == 0) {
				d->ret_a = wa.s.v[i].ret;
				d->ret_b = wb.s.v[k].ret;
			}
			if (d->ret_a == wa.s.v[i].ret && d->ret_b == wb.s.v[k].ret)
				pst_boxes_add(out, &met);
		}
	}
	out->bad = out->bad || wa.bad || wb.bad;
	pst_scslot_done(&wa.s);
	pst_scslot_done(&wb.s);
	forget_high(d->sc, out);
}

/* Do both mean the same by the same rules? The usual case, and cheap to see. */
static bool same_rules(const struct pst_scprof *a, const struct pst_scprof *b, unsigned slot)
{
	const struct pst_scslot *x = &a->slot[slot];
	const struct pst_scslot *y = &b->slot[slot];
	if (a->def != b->def || x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (x->v[i].ret != y->v[i].ret || pst_box_cmp(&x->v[i].box, &y->v[i].box) != 0)
			return false;
	return true;
}

static bool compare(const struct pst_scprof *a, const struct pst_scprof *b, const struct pst_sc *sc,
		    pst_scdiff_see *see, void *ctx)
{
	const unsigned slot = (unsigned)sc->slot;
	pst_auto_boxes oa = {0};
	pst_auto_boxes ob = {0};
	pst_auto_boxes more = {0};
	pst_auto_boxes less = {0};
	struct pst_scdiff d = {.sc = sc, .a = &more, .b = &less};
	if (same_rules(a, b, slot))
		return false;
	pst_scview_open(a, slot, &oa);
	pst_scview_open(b, slot, &ob);
	minus(sc, &oa, &ob, &more);
	minus(sc, &ob, &oa, &less);
	d.unsure = more.bad || less.bad;
	if (more.n > 0 || less.n > 0 || d.unsure) {
		d.kind = ob.n == 0   ? PST_SCDIFF_ONLY_A
			 : oa.n == 0 ? PST_SCDIFF_ONLY_B
				     : PST_SCDIFF_WHEN;
		see(ctx, &d);
		return true;
	}
	answers(a, b, &d, &more);
	d.unsure = more.bad;
	if (more.n == 0 && !d.unsure)
		return false;
	d.kind = PST_SCDIFF_ANSWER;
	see(ctx, &d);
	return true;
}

size_t pst_scdiff(const struct pst_scprof *a, const struct pst_scprof *b, pst_scdiff_see *see,
		  void *ctx)
{
	size_t n = 0;
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++)
		if (sc->nr >= 0 && compare(a, b, sc, see, ctx))
			n++;
	return n;
}

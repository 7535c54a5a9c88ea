#include "core/scview.h"

static const struct pst_box all;

const char *pst_scstate_word(enum pst_scstate s)
{
	static const char *const words[] = {"allowed", "conditional", "notified", "denied"};
	return words[s];
}

static bool lets(uint32_t ret)
{
	return !pst_scret_denies(ret) && ret != SECCOMP_RET_USER_NOTIF;
}

/* Everything no rule of the slot speaks of. */
static void leftover(const struct pst_scslot *s, const struct pst_box *of, struct pst_boxes *out)
{
	pst_boxes_add(out, of);
	for (uint32_t i = 0; i < s->n && out->n > 0; i++)
		pst_boxes_subtract(out, &s->v[i].box);
}

bool pst_scview_passes(const struct pst_scprof *p, unsigned slot, const struct pst_box *box,
		       bool notify_denies)
{
	if (p == NULL)
		return true;
	const struct pst_scslot *s = &p->slot[slot];
	for (uint32_t i = 0; i < s->n; i++) {
		struct pst_box met;
		const uint32_t ret = s->v[i].ret;
		const bool through = lets(ret) || (ret == SECCOMP_RET_USER_NOTIF && !notify_denies);
		if (through && pst_box_meet(&s->v[i].box, box, &met))
			return true;
	}
	if (pst_scret_denies(p->def))
		return false;
	pst_auto_boxes rest = {0};
	leftover(s, box, &rest);
	return rest.n > 0 || rest.bad;
}

void pst_scview_open(const struct pst_scprof *p, unsigned slot, struct pst_boxes *out)
{
	const struct pst_scslot *s = &p->slot[slot];
	for (uint32_t i = 0; i < s->n; i++)
		if (lets(s->v[i].ret))
			pst_boxes_add(out, &s->v[i].box);
	if (!lets(p->def))
		return;
	pst_auto_boxes rest = {0};
	leftover(s, &all, &rest);
	for (size_t i = 0; i < rest.n; i++)
		pst_boxes_add(out, &rest.v[i]);
	out->bad = out->bad || rest.bad;
}

enum pst_scstate pst_scview_state(const struct pst_scprof *p, unsigned slot)
{
	if (p == NULL)
		return PST_SC_ALLOWED;
	pst_auto_boxes open = {0};
	pst_scview_open(p, slot, &open);
	if (open.n > 0 || open.bad)
		return !open.bad && pst_boxes_cover(open.v, open.n, &all) ? PST_SC_ALLOWED
									  : PST_SC_CONDITIONAL;
	for (uint32_t i = 0; i < p->slot[slot].n; i++)
		if (p->slot[slot].v[i].ret == SECCOMP_RET_USER_NOTIF)
			return PST_SC_NOTIFIED;
	return PST_SC_DENIED;
}

uint32_t pst_scview_denial(const struct pst_scprof *p, unsigned slot)
{
	const struct pst_scslot *s = &p->slot[slot];
	uint32_t ret = 0;
	bool covered = false;
	for (uint32_t i = 0; i < s->n; i++) {
		covered = covered || pst_box_is_all(&s->v[i].box);
		if (!pst_scret_denies(s->v[i].ret))
			continue;
		if (ret != 0 && ret != s->v[i].ret)
			return 0;
		ret = s->v[i].ret;
	}
	if (covered || !pst_scret_denies(p->def))
		return ret;
	return ret == 0 || ret == p->def ? p->def : 0;
}

size_t pst_scview_count(const struct pst_scprof *p, size_t counts[PST_SC_NSTATES])
{
	const struct pst_sc *sc;
	size_t n = 0;
	for (unsigned k = 0; k < PST_SC_NSTATES; k++)
		counts[k] = 0;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++) {
		if (sc->nr < 0 || !sc->live)
			continue;
		counts[pst_scview_state(p, (unsigned)sc->slot)]++;
		n++;
	}
	return n;
}

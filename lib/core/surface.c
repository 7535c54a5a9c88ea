#include "core/surface.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/scwords.h"

static bool listed(const struct pst_sc *sc)
{
	return sc->nr >= 0 && sc->live;
}

const struct pst_sc *pst_surface_call(const struct pst_surface_group *g, size_t i)
{
	for (unsigned slot = 0; slot < PST_SC_NATIVE; slot++) {
		const struct pst_sc *sc = pst_sctable_slot(slot);
		if (sc == NULL || !listed(sc) || strcmp(sc->group, g->group->name) != 0)
			continue;
		if (i-- == 0)
			return sc;
	}
	return NULL;
}

static void count_group(const struct pst_surface *s, struct pst_surface_group *g)
{
	for (unsigned slot = 0; slot < PST_SC_NATIVE; slot++) {
		const struct pst_sc *sc = pst_sctable_slot(slot);
		if (sc == NULL || !listed(sc) || strcmp(sc->group, g->group->name) != 0)
			continue;
		g->n++;
		g->state[pst_scview_state(s->in->p, slot)]++;
		g->used += s->in->used != NULL && s->in->used[slot];
	}
}

static void set_part(struct pst_surface *s, size_t i, const char *what, unsigned most,
		     size_t halves, size_t of, const char *of_what)
{
	struct pst_surface_part *p = &s->part[i];
	p->what = what;
	p->most = most * 1000;
	p->points = of == 0 ? 0 : (unsigned)((size_t)most * 1000 * halves / (2 * of));
	snprintf(p->how, sizeof p->how, "%u x %zu%s / %zu %s", most, halves / 2,
		 halves % 2 != 0 ? ".5" : "", of, of_what);
}

static void score(struct pst_surface *s)
{
	const bool none = s->in->p == NULL;
	const unsigned archs = none ? 3 : s->in->p->archs;
	const size_t foreign = (archs & (PST_SCARCH_X86 | PST_SCARCH_X32)) != 0;
	/* An agent that denies lets nothing through; of any other that is not known. */
	const size_t sometimes = s->state[PST_SC_CONDITIONAL] +
				 (s->in->notify_denies ? 0 : s->state[PST_SC_NOTIFIED]);
	set_part(s, 0, "calls that get through", 40, 2 * s->state[PST_SC_ALLOWED] + sometimes, s->n,
		 "calls; a conditional one counts half");
	set_part(s, 1, "known kernel bugs within reach", 40, 2 * s->cves_open, s->cves, "bugs");
	set_part(s, 2, "capabilities held", 10,
		 2 * (size_t)__builtin_popcountll(s->in->caps & PST_CAPS_ALL), PST_CAP_LAST + 1,
		 "capabilities");
	set_part(s, 3, "user namespaces can be made", 5, 2 * (size_t)pst_cve_userns(&s->view), 1,
		 "(1: yes, 0: no)");
	set_part(s, 4, "a foreign ABI is open", 5, 2 * foreign, 1, "(1: yes, 0: no)");
	s->score = 0;
	for (size_t i = 0; i < PST_SURFACE_PARTS; i++)
		s->score += s->part[i].points;
}

void pst_surface_make(const struct pst_surface_in *in, struct pst_surface *ret)
{
	*ret = (struct pst_surface){
		.in = in,
		.view = {.p = in->p, .caps = in->caps, .notify_denies = in->notify_denies},
	};
	const struct pst_scgroup *g;
	for (size_t i = 0; (g = pst_scgroup_at(i)) != NULL && i < PST_SURFACE_GROUPS; i++) {
		struct pst_surface_group *to = &ret->group[ret->ngroups];
		to->group = g;
		count_group(ret, to);
		if (to->n == 0) /* a group of calls that ordinary kernels do not have */
			*to = (struct pst_surface_group){0};
		else
			ret->ngroups++;
	}
	ret->n = pst_scview_count(in->p, ret->state);
	for (unsigned slot = 0; in->used != NULL && slot < PST_SC_NATIVE; slot++) {
		if (!in->used[slot])
			continue;
		ret->used++;
		ret->used_open += pst_scview_state(in->p, slot) < PST_SC_NOTIFIED;
	}
	ret->cves_open = pst_cve_count_open(&ret->view, &ret->cves);
	score(ret);
}

void pst_surface_when(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out)
{
	pst_auto_boxes open = {0};
	if (s->in->p == NULL ||
	    pst_scview_state(s->in->p, (unsigned)sc->slot) != PST_SC_CONDITIONAL)
		return;
	pst_scview_open(s->in->p, (unsigned)sc->slot, &open);
	if (open.bad)
		pst_buf_str(out, "more conditions than can be listed");
	else
		pst_scwords_boxes(sc, open.v, open.n, out);
}

const char *pst_surface_notified(const struct pst_surface *s)
{
	return s->in->notify_denies ? "denied and recorded" : "put to an agent";
}

/* The rules of one answer in words; *all is set when one of them has no condition. */
static void one_answer(const struct pst_surface *s, const struct pst_sc *sc, uint32_t ret,
		       bool *all, struct pst_buf *out)
{
	const struct pst_scslot *slot = &s->in->p->slot[sc->slot];
	pst_auto_boxes boxes = {0};
	for (uint32_t i = 0; i < slot->n; i++)
		if (slot->v[i].ret == ret)
			pst_boxes_add(&boxes, &slot->v[i].box);
	*all = boxes.n == 1 && pst_box_is_all(&boxes.v[0]);
	if (ret == SECCOMP_RET_USER_NOTIF)
		pst_buf_str(out, pst_surface_notified(s));
	else
		pst_scwords_answer(ret, out);
	if (*all)
		return;
	pst_buf_str(out, " for ");
	pst_scwords_boxes(sc, boxes.v, boxes.n, out);
}

void pst_surface_denied(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out)
{
	const struct pst_scprof *p = s->in->p;
	bool all = false;
	const char *sep = "";
	if (p == NULL || pst_scview_state(p, (unsigned)sc->slot) == PST_SC_ALLOWED)
		return;
	const struct pst_scslot *slot = &p->slot[sc->slot];
	for (uint32_t i = 0; i < slot->n && !all; i++) {
		const uint32_t ret = slot->v[i].ret;
		bool told = ret == SECCOMP_RET_ALLOW || ret == SECCOMP_RET_LOG;
		for (uint32_t k = 0; k < i && !told; k++)
			told = slot->v[k].ret == ret;
		if (told)
			continue;
		pst_buf_str(out, sep);
		one_answer(s, sc, ret, &all, out);
		sep = "; ";
	}
	if (all || !pst_scret_denies(p->def))
		return;
	pst_buf_str(out, sep);
	if (sep[0] != '\0')
		pst_buf_str(out, "else ");
	pst_scwords_answer(p->def, out);
}

/* Does an entry of /postern/why speak of the call, by name or by group? */
static bool speaks_of(const json_t *entry, const struct pst_sc *sc)
{
	const json_t *calls = json_object_get(entry, "calls");
	for (size_t i = 0; i < json_array_size(calls); i++) {
		const char *w = pst_json_str(json_array_get(calls, i));
		if (pst_streq(w, sc->name) ||
		    (w != NULL && w[0] == '@' && pst_streq(w + 1, sc->group)))
			return true;
	}
	return false;
}

const char *pst_surface_why(const struct pst_surface *s, const struct pst_sc *sc)
{
	const json_t *why = s->in->meta == NULL ? NULL : json_object_get(s->in->meta, "why");
	const enum pst_scstate state = pst_scview_state(s->in->p, (unsigned)sc->slot);
	for (size_t i = 0; i < json_array_size(why) && state != PST_SC_ALLOWED; i++) {
		const json_t *e = json_array_get(why, i);
		const char *text = pst_json_str(json_object_get(e, "why"));
		/* the reasons of rules are about their conditions, which are told already */
		if (text != NULL && state == PST_SC_DENIED && speaks_of(e, sc))
			return text;
	}
	return sc->why;
}

void pst_surface_reasons(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out)
{
	const json_t *why = s->in->meta == NULL ? NULL : json_object_get(s->in->meta, "why");
	const char *sep = "";
	for (size_t i = 0; i < json_array_size(why); i++) {
		const json_t *e = json_array_get(why, i);
		const char *text = pst_json_str(json_object_get(e, "why"));
		if (text == NULL || !speaks_of(e, sc) ||
		    !pst_streq(pst_json_str(json_object_get(e, "action")), "allow"))
			continue;
		pst_buf_fmt(out, "%s%s", sep, text);
		sep = "; ";
	}
}

static bool has_option(const json_t *mount, const char *word)
{
	const json_t *o = json_object_get(mount, "options");
	for (size_t i = 0; i < json_array_size(o); i++)
		if (pst_streq(pst_json_str(json_array_get(o, i)), word))
			return true;
	return false;
}

/* A volume is mounted from its staged clone: the plan's step has the caller's name for it. */
static const char *source_of(const struct pst_surface *s, size_t index, const json_t *mount)
{
	for (size_t i = 0; i < json_array_size(s->in->steps); i++) {
		const json_t *arg = json_object_get(json_array_get(s->in->steps, i), "arg");
		uint64_t at;
		if (pst_json_u64(json_object_get(arg, "index"), &at) && at == index &&
		    pst_json_str(json_object_get(arg, "source")) != NULL)
			return pst_json_str(json_object_get(arg, "source"));
	}
	return pst_json_str(json_object_get(mount, "source"));
}

bool pst_surface_path(const struct pst_surface *s, size_t i, struct pst_surface_path *ret)
{
	const json_t *mounts = s->in->spec == NULL ? NULL : json_object_get(s->in->spec, "mounts");
	for (size_t k = 0; k < json_array_size(mounts); k++) {
		const json_t *m = json_array_get(mounts, k);
		const bool bind = pst_streq(pst_json_str(json_object_get(m, "type")), "bind") ||
				  has_option(m, "bind") || has_option(m, "rbind");
		const char *to = pst_json_str(json_object_get(m, "destination"));
		const char *from = source_of(s, k, m);
		if (!bind || has_option(m, "ro") || has_option(m, "rro") || to == NULL ||
		    from == NULL || i-- > 0)
			continue;
		*ret = (struct pst_surface_path){from, to};
		return true;
	}
	return false;
}

const char *pst_surface_nstype(size_t i)
{
	static const char *const types[] = {"user", "pid", "mount",  "network",
					    "ipc",  "uts", "cgroup", "time"};
	return i < PST_NELEM(types) ? types[i] : NULL;
}

const char *pst_surface_namespace(const struct pst_surface *s, const char *type)
{
	const json_t *list = pst_json_at(s->in->spec, "/linux/namespaces");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *n = json_array_get(list, i);
		if (!pst_streq(pst_json_str(json_object_get(n, "type")), type))
			continue;
		const char *path = pst_json_str(json_object_get(n, "path"));
		return path == NULL || path[0] == '\0' ? "own" : "joined";
	}
	return "the host's";
}

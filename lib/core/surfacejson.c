#include "core/caps.h"
#include "core/json.h"
#include "core/scdiff.h"
#include "core/surface.h"

/* Set a member; `ok` collects failures so that the end checks once. Steals v. */
static void put(json_t *o, const char *key, json_t *v, bool *ok)
{
	*ok = json_object_set_new(o, key, v) == 0 && *ok;
}

static void add(json_t *a, json_t *v, bool *ok)
{
	*ok = json_array_append_new(a, v) == 0 && *ok;
}

static void put_text(json_t *o, const char *key, struct pst_buf *text, bool *ok)
{
	*ok = pst_buf_ok(text) && *ok;
	if (text->len > 0)
		put(o, key, json_string(pst_buf_cstr(text)), ok);
}

static json_t *counts(const size_t state[PST_SC_NSTATES], size_t n, bool *ok)
{
	json_t *o = json_object();
	for (unsigned k = 0; k < PST_SC_NSTATES; k++)
		put(o, pst_scstate_word((enum pst_scstate)k), json_integer((json_int_t)state[k]),
		    ok);
	put(o, "of", json_integer((json_int_t)n), ok);
	return o;
}

static json_t *call(const struct pst_surface *s, const struct pst_sc *sc, bool *ok)
{
	pst_auto_buf when = {0};
	pst_auto_buf denied = {0};
	pst_auto_buf reasons = {0};
	json_t *o = json_object();
	const enum pst_scstate st = pst_scview_state(s->in->p, (unsigned)sc->slot);
	put(o, "name", json_string(sc->name), ok);
	put(o, "nr", json_integer(sc->nr), ok);
	put(o, "state", json_string(pst_scstate_word(st)), ok);
	pst_surface_when(s, sc, &when);
	pst_surface_denied(s, sc, &denied);
	put_text(o, "when", &when, ok);
	if (st == PST_SC_CONDITIONAL)
		pst_surface_reasons(s, sc, &reasons);
	put_text(o, "that", &reasons, ok);
	put_text(o, "answer", &denied, ok);
	put(o, "why", json_string(pst_surface_why(s, sc)), ok);
	if (s->in->used != NULL)
		put(o, "used", json_boolean(s->in->used[sc->slot]), ok);
	return o;
}

static json_t *groups(const struct pst_surface *s, bool *ok)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->ngroups; i++) {
		const struct pst_surface_group *g = &s->group[i];
		const struct pst_sc *sc;
		json_t *o = json_object();
		json_t *calls = json_array();
		put(o, "name", json_string(g->group->name), ok);
		put(o, "title", json_string(g->group->title), ok);
		put(o, "counts", counts(g->state, g->n, ok), ok);
		for (size_t k = 0; (sc = pst_surface_call(g, k)) != NULL; k++)
			add(calls, call(s, sc, ok), ok);
		put(o, "calls", calls, ok);
		add(list, o, ok);
	}
	return list;
}

static json_t *bugs(const struct pst_surface *s, bool *ok)
{
	json_t *o = json_object();
	json_t *list = json_array();
	const struct pst_cve *c;
	for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++) {
		const struct pst_sc *why;
		char words[160];
		const enum pst_cve_state st = pst_cve_judge(c, &s->view, &why);
		json_t *e = json_object();
		put(e, "name", json_string(c->name), ok);
		put(e, "open", json_boolean(st == PST_CVE_OPEN), ok);
		put(e, "because", json_string(pst_cve_words(c, st, why, words, sizeof words)), ok);
		put(e, "part", json_string(c->part), ok);
		put(e, "needs", json_string(c->needs), ok);
		put(e, "how", json_string(c->how), ok);
		if (c->cap[0] != '\0')
			put(e, "capability", json_string(c->cap), ok);
		put(e, "userNamespace", json_boolean(c->userns), ok);
		put(e, "confirmed", json_boolean(c->confirmed), ok);
		put(e, "source", json_string(c->source), ok);
		add(list, e, ok);
	}
	put(o, "open", json_integer((json_int_t)s->cves_open), ok);
	put(o, "closed", json_integer((json_int_t)(s->cves - s->cves_open)), ok);
	put(o, "of", json_integer((json_int_t)s->cves), ok);
	put(o, "list", list, ok);
	return o;
}

static json_t *score(const struct pst_surface *s, bool *ok)
{
	json_t *o = json_object();
	json_t *parts = json_array();
	for (size_t i = 0; i < PST_SURFACE_PARTS; i++) {
		json_t *p = json_object();
		put(p, "what", json_string(s->part[i].what), ok);
		put(p, "arithmetic", json_string(s->part[i].how), ok);
		put(p, "thousandths", json_integer(s->part[i].points), ok);
		put(p, "most", json_integer(s->part[i].most), ok);
		add(parts, p, ok);
	}
	put(o, "thousandths", json_integer(s->score), ok);
	put(o, "of", json_integer(100000), ok);
	put(o, "parts", parts, ok);
	return o;
}

static void host_side(const struct pst_surface *s, json_t *o, bool *ok)
{
	json_t *ns = json_object();
	json_t *paths = json_array();
	struct pst_surface_path p;
	const char *type;
	for (size_t i = 0; (type = pst_surface_nstype(i)) != NULL; i++)
		put(ns, type, json_string(pst_surface_namespace(s, type)), ok);
	for (size_t i = 0; pst_surface_path(s, i, &p); i++) {
		json_t *e = json_object();
		put(e, "source", json_string(p.source), ok);
		put(e, "destination", json_string(p.destination), ok);
		add(paths, e, ok);
	}
	put(o, "namespaces", ns, ok);
	put(o, "writableHostPaths", paths, ok);
}

struct sides {
	json_t *more, *less, *otherwise; /* more: gets through here and not with Docker's */
	bool *ok;
};

static void see(void *ctx, const struct pst_scdiff *d)
{
	struct sides *x = ctx;
	json_t *to = d->kind == PST_SCDIFF_ONLY_A   ? x->more
		     : d->kind == PST_SCDIFF_ONLY_B ? x->less
						    : x->otherwise;
	if (d->kind != PST_SCDIFF_ANSWER && d->sc->live)
		add(to, json_string(d->sc->name), x->ok);
}

static json_t *against_docker(const struct pst_surface *s, bool *ok)
{
	const struct pst_cve_view v = {.p = s->in->docker, .caps = s->in->docker_caps};
	struct pst_scprof *open = NULL;
	struct sides x = {json_array(), json_array(), json_array(), ok};
	size_t state[PST_SC_NSTATES];
	json_t *o = json_object();
	const size_t n = pst_scview_count(s->in->docker, state);
	if (s->in->p == NULL)
		open = calloc(1, sizeof *open);
	if (open != NULL)
		open->def = SECCOMP_RET_ALLOW;
	if (s->in->p != NULL || open != NULL)
		(void)pst_scdiff(s->in->p != NULL ? s->in->p : open, s->in->docker, see, &x);
	else
		*ok = false;
	pst_scprof_free(open);
	put(o, "counts", counts(state, n, ok), ok);
	put(o, "cvesOpen", json_integer((json_int_t)pst_cve_count_open(&v, NULL)), ok);
	put(o, "onlyHere", x.more, ok);
	put(o, "onlyThere", x.less, ok);
	put(o, "otherConditions", x.otherwise, ok);
	return o;
}

json_t *pst_surface_json(const struct pst_surface *s)
{
	bool ok = true;
	json_t *o = json_object();
	const char *title =
		s->in->meta == NULL ? NULL : pst_json_str(json_object_get(s->in->meta, "title"));
	put(o, "name", json_string(s->in->name), &ok);
	if (title != NULL)
		put(o, "title", json_string(title), &ok);
	put(o, "filter", json_boolean(s->in->p != NULL), &ok);
	put(o, "counts", counts(s->state, s->n, &ok), &ok);
	if (s->in->used != NULL)
		put(o, "used",
		    json_pack("{s:I, s:I}", "calls", (json_int_t)s->used, "through",
			      (json_int_t)s->used_open),
		    &ok);
	put(o, "score", score(s, &ok), &ok);
	put(o, "capabilities", pst_caps_json(s->in->caps), &ok);
	put(o, "newUserNamespaces", json_boolean(pst_cve_userns(&s->view)), &ok);
	if (s->in->spec != NULL)
		host_side(s, o, &ok);
	put(o, "cves", bugs(s, &ok), &ok);
	if (s->in->docker != NULL)
		put(o, "againstDockerDefault", against_docker(s, &ok), &ok);
	put(o, "groups", groups(s, &ok), &ok);
	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

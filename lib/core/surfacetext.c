#include <stdio.h>
#include <string.h>

#include "core/caps.h"
#include "core/json.h"
#include "core/oneline.h"
#include "core/scdiff.h"
#include "core/surface.h"

#define WIDTH 100 /* columns a list of names is broken at */

/* Words appended with line breaks; `at` is the column. */
struct wrap {
	struct pst_buf *out;
	size_t indent, at;
};

static void word(struct wrap *w, const char *text)
{
	const size_t n = strlen(text);
	if (w->at > w->indent && w->at + 1 + n > WIDTH) {
		pst_buf_char(w->out, '\n');
		for (size_t i = 0; i < w->indent; i++)
			pst_buf_char(w->out, ' ');
		w->at = w->indent;
	} else if (w->at > w->indent) {
		pst_buf_char(w->out, ' ');
		w->at++;
	}
	pst_buf_str(w->out, text);
	w->at += n;
}

/* "    label: names", broken; nothing when the group has no call in that state. */
static void names(const struct pst_surface *s, const struct pst_surface_group *g,
		  enum pst_scstate st, struct pst_buf *out)
{
	const struct pst_sc *sc;
	if (g->state[st] == 0)
		return;
	pst_buf_fmt(out, "  %-12s", pst_scstate_word(st));
	struct wrap w = {out, 14, 14};
	for (size_t i = 0; (sc = pst_surface_call(g, i)) != NULL; i++)
		if (pst_scview_state(s->in->p, (unsigned)sc->slot) == st)
			word(&w, sc->name);
	pst_buf_char(out, '\n');
}

static void printable(struct pst_buf *out, const struct pst_buf *text)
{
	pst_oneline(out, pst_buf_cstr(text));
}

static void conditional(const struct pst_surface *s, const struct pst_surface_group *g,
			struct pst_buf *out)
{
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_surface_call(g, i)) != NULL; i++) {
		pst_auto_buf when = {0};
		pst_auto_buf denied = {0};
		pst_auto_buf reasons = {0};
		if (pst_scview_state(s->in->p, (unsigned)sc->slot) != PST_SC_CONDITIONAL)
			continue;
		pst_surface_when(s, sc, &when);
		pst_surface_denied(s, sc, &denied);
		pst_buf_fmt(out, "  %s, only: ", sc->name);
		printable(out, &when);
		pst_surface_reasons(s, sc, &reasons);
		if (reasons.len > 0)
			pst_buf_str(out, "\n      that is: ");
		printable(out, &reasons);
		if (denied.len > 0)
			pst_buf_str(out, "\n      otherwise: ");
		printable(out, &denied);
		pst_buf_char(out, '\n');
	}
}

static void denied(const struct pst_surface *s, const struct pst_surface_group *g,
		   struct pst_buf *out)
{
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_surface_call(g, i)) != NULL; i++) {
		pst_auto_buf answer = {0};
		const enum pst_scstate st = pst_scview_state(s->in->p, (unsigned)sc->slot);
		if (st != PST_SC_DENIED && st != PST_SC_NOTIFIED)
			continue;
		pst_surface_denied(s, sc, &answer);
		pst_buf_fmt(out, "  %s %s (%s): ", st == PST_SC_DENIED ? "denied" : "notified",
			    sc->name, pst_buf_cstr(&answer));
		pst_oneline(out, pst_surface_why(s, sc));
		pst_buf_char(out, '\n');
	}
}

static void every_group(const struct pst_surface *s, struct pst_buf *out)
{
	for (size_t i = 0; i < s->ngroups; i++) {
		const struct pst_surface_group *g = &s->group[i];
		pst_buf_fmt(out, "\n%s - %s: %zu of %zu get through\n", g->group->name,
			    g->group->title,
			    g->state[PST_SC_ALLOWED] + g->state[PST_SC_CONDITIONAL], g->n);
		names(s, g, PST_SC_ALLOWED, out);
		conditional(s, g, out);
		denied(s, g, out);
	}
}

static void group_table(const struct pst_surface *s, struct pst_buf *out)
{
	const bool used = s->in->used != NULL;
	pst_buf_fmt(out, "\n%-12s %8s %12s %9s %7s%s\n", "subsystem", "allowed", "conditional",
		    "notified", "denied", used ? "    used" : "");
	for (size_t i = 0; i < s->ngroups; i++) {
		const struct pst_surface_group *g = &s->group[i];
		pst_buf_fmt(out, "%-12s %8zu %12zu %9zu %7zu", g->group->name,
			    g->state[PST_SC_ALLOWED], g->state[PST_SC_CONDITIONAL],
			    g->state[PST_SC_NOTIFIED], g->state[PST_SC_DENIED]);
		if (used)
			pst_buf_fmt(out, " %7zu", g->used);
		pst_buf_char(out, '\n');
	}
	for (size_t i = 0; i < s->ngroups; i++)
		conditional(s, &s->group[i], out);
}

static void bugs(const struct pst_surface *s, bool closed_too, struct pst_buf *out)
{
	const struct pst_cve *c;
	pst_buf_fmt(out, "\nknown kernel bugs: %zu of %zu out of reach, %zu within\n",
		    s->cves - s->cves_open, s->cves, s->cves_open);
	for (int open = 1; open >= (closed_too ? 0 : 1); open--) {
		for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++) {
			const struct pst_sc *why;
			char words[160];
			const enum pst_cve_state st = pst_cve_judge(c, &s->view, &why);
			if ((st == PST_CVE_OPEN) != (open == 1))
				continue;
			pst_cve_words(c, st, why, words, sizeof words);
			pst_buf_fmt(out, "  %-6s %-17s %s%s%s%s\n", open ? "open" : "closed",
				    c->name, c->part,
				    open && c->how[0] != '\0' ? ": "
				    : open                    ? ""
							      : ": ",
				    open ? c->how : words, c->confirmed ? "" : " (unconfirmed)");
		}
	}
}

static void the_score(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_fmt(out,
		    "\nexposure: %u.%u of 100 (0: nothing reachable, 100: no filter and every "
		    "capability)\n",
		    s->score / 1000, s->score % 1000 / 100);
	for (size_t i = 0; i < PST_SURFACE_PARTS; i++)
		pst_buf_fmt(out, "  %5u.%u  %s: %s\n", s->part[i].points / 1000,
			    s->part[i].points % 1000 / 100, s->part[i].what, s->part[i].how);
}

static void host_side(const struct pst_surface *s, struct pst_buf *out)
{
	char caps[900];
	const char *type;
	struct pst_surface_path p;
	pst_caps_text(s->in->caps, caps, sizeof caps);
	pst_buf_fmt(out, "\ncapabilities: %s\n", caps[0] != '\0' ? caps : "none");
	pst_buf_fmt(out, "new user namespaces: %s\n",
		    pst_cve_userns(&s->view) ? "can be made" : "cannot be made");
	if (s->in->spec == NULL)
		return;
	pst_buf_str(out, "namespaces:");
	for (size_t i = 0; (type = pst_surface_nstype(i)) != NULL; i++)
		pst_buf_fmt(out, "%s %s %s", i == 0 ? "" : ",", type,
			    pst_surface_namespace(s, type));
	pst_buf_str(out, "\nwritable host paths:");
	if (!pst_surface_path(s, 0, &p))
		pst_buf_str(out, " none");
	for (size_t i = 0; pst_surface_path(s, i, &p); i++) {
		pst_buf_str(out, "\n  ");
		pst_oneline(out, p.source);
		pst_buf_str(out, " on ");
		pst_oneline(out, p.destination);
	}
	pst_buf_char(out, '\n');
}

struct sides {
	struct wrap more, less, other;
	struct pst_buf text[3];
	size_t n[3];
};

static void see(void *ctx, const struct pst_scdiff *d)
{
	struct sides *x = ctx;
	struct wrap *const to[] = {&x->more, &x->less, &x->other};
	if (d->kind == PST_SCDIFF_ANSWER || !d->sc->live)
		return;
	word(to[d->kind], d->sc->name);
	x->n[d->kind]++;
}

static void compared(const struct pst_surface *s, struct pst_buf *out)
{
	static const char *const heads[] = {"get through here and not there",
					    "get through there and not here",
					    "under other conditions"};
	const struct pst_cve_view docker = {.p = s->in->docker, .caps = s->in->docker_caps};
	const struct pst_cve_view none = {.p = NULL, .caps = s->in->docker_caps};
	size_t there[PST_SC_NSTATES];
	struct sides x = {.more = {&x.text[0], 6, 6},
			  .less = {&x.text[1], 6, 6},
			  .other = {&x.text[2], 6, 6}};
	const size_t here = s->state[PST_SC_ALLOWED] + s->state[PST_SC_CONDITIONAL];
	pst_buf_fmt(out,
		    "\nagainst no filter: %zu of %zu calls do not get through; bugs within reach "
		    "%zu, not %zu\n",
		    s->n - here, s->n, s->cves_open, pst_cve_count_open(&none, NULL));
	if (s->in->docker == NULL || s->in->p == NULL)
		return;
	(void)pst_scview_count(s->in->docker, there);
	pst_buf_fmt(out,
		    "against Docker's default, for 64-bit programs: %zu calls get through, not "
		    "%zu; bugs within reach "
		    "%zu, not %zu\n",
		    here, there[PST_SC_ALLOWED] + there[PST_SC_CONDITIONAL], s->cves_open,
		    pst_cve_count_open(&docker, NULL));
	(void)pst_scdiff(s->in->p, s->in->docker, see, &x);
	for (size_t i = 0; i < 3; i++) {
		if (x.n[i] > 0)
			pst_buf_fmt(out, "  %zu %s:\n      %s\n", x.n[i], heads[i],
				    pst_buf_cstr(&x.text[i]));
		pst_buf_done(&x.text[i]);
	}
}

/* What a profile says of itself beyond its summary. */
static void leaves_out(const struct pst_surface *s, struct pst_buf *out)
{
	const char *text = s->in->meta == NULL
				   ? NULL
				   : pst_json_str(json_object_get(s->in->meta, "leavesOut"));
	if (text == NULL || text[0] == '\0')
		return;
	pst_buf_str(out, "it leaves out: ");
	pst_oneline(out, text);
	pst_buf_char(out, '\n');
}

void pst_surface_text(const struct pst_surface *s, bool all, struct pst_buf *out)
{
	const char *summary =
		s->in->meta == NULL ? NULL : pst_json_str(json_object_get(s->in->meta, "summary"));
	pst_oneline(out, s->in->name);
	if (summary != NULL) {
		pst_buf_str(out, ": ");
		pst_oneline(out, summary);
	}
	pst_buf_fmt(out,
		    "\n%zu of %zu calls get through: %zu whatever their arguments, %zu under "
		    "conditions; "
		    "%zu are denied",
		    s->state[PST_SC_ALLOWED] + s->state[PST_SC_CONDITIONAL], s->n,
		    s->state[PST_SC_ALLOWED], s->state[PST_SC_CONDITIONAL],
		    s->state[PST_SC_DENIED]);
	if (s->state[PST_SC_NOTIFIED] > 0)
		pst_buf_fmt(out, ", %zu %s", s->state[PST_SC_NOTIFIED], pst_surface_notified(s));
	if (s->in->used != NULL)
		pst_buf_fmt(out, "\n%zu calls were used in the recording, %zu of them get through",
			    s->used, s->used_open);
	pst_buf_char(out, '\n');
	if (all)
		leaves_out(s, out);
	if (all)
		every_group(s, out);
	else
		group_table(s, out);
	if (all)
		compared(s, out);
	bugs(s, all, out);
	host_side(s, out);
	if (!all)
		the_score(s, out);
}

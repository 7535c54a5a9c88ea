#include <stdio.h>
#include <string.h>

#include "core/caps.h"
#include "core/json.h"
#include "core/oneline.h"
#include "core/surface.h"
#include "core/surfacestyle.h"

/* Text of unknown origin: one printable line, with nothing in it that is markup. */
static void text(struct pst_buf *out, const char *raw)
{
	pst_auto_buf line = {0};
	pst_oneline(&line, raw);
	for (const char *p = pst_buf_cstr(&line); *p != '\0'; p++) {
		switch (*p) {
		case '&':
			pst_buf_str(out, "&amp;");
			break;
		case '<':
			pst_buf_str(out, "&lt;");
			break;
		case '>':
			pst_buf_str(out, "&gt;");
			break;
		case '"':
			pst_buf_str(out, "&quot;");
			break;
		case '\'':
			pst_buf_str(out, "&#39;");
			break;
		default:
			pst_buf_char(out, *p);
		}
	}
	out->bad = out->bad || !pst_buf_ok(&line);
}

static enum pst_scstate state_of(const struct pst_surface *s, const struct pst_sc *sc)
{
	return pst_scview_state(s->in->p, (unsigned)sc->slot);
}

/* The class of a square: its shape says the state, its colour whether anything gets through. */
static char shape(const struct pst_surface *s, enum pst_scstate st)
{
	return st == PST_SC_NOTIFIED && s->in->notify_denies ? 'r' : pst_scstate_word(st)[0];
}

static bool used(const struct pst_surface *s, const struct pst_sc *sc)
{
	return s->in->used != NULL && s->in->used[sc->slot];
}

static void number(struct pst_buf *out, const char *value, const char *of, const char *label)
{
	pst_buf_fmt(out, "<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n", label, value, of);
}

static void head(const struct pst_surface *s, struct pst_buf *out)
{
	const char *summary =
		s->in->meta == NULL ? NULL : pst_json_str(json_object_get(s->in->meta, "summary"));
	char v[32];
	char of[32];
	pst_buf_str(out,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Surface of ");
	text(out, s->in->name);
	pst_buf_fmt(out,
		    "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n"
		    "<p class=\"kind\">%s</p>\n<h1>",
		    pst_surface_style,
		    s->in->spec != NULL ? "Attack surface of a container"
					: "Attack surface of a profile");
	text(out, s->in->name);
	pst_buf_str(out, "</h1>\n");
	if (summary != NULL) {
		pst_buf_str(out, "<p>");
		text(out, summary);
		pst_buf_str(out, "</p>\n");
	}
	pst_buf_str(out, "<dl class=\"numbers\">\n");
	snprintf(v, sizeof v, "%zu", s->state[PST_SC_ALLOWED] + s->state[PST_SC_CONDITIONAL]);
	snprintf(of, sizeof of, " of %zu", s->n);
	number(out, v, of, "system calls get through");
	snprintf(v, sizeof v, "%zu", s->cves_open);
	snprintf(of, sizeof of, " of %zu", s->cves);
	number(out, v, of, "known kernel bugs within reach");
	snprintf(v, sizeof v, "%u.%u", s->score / 1000, s->score % 1000 / 100);
	number(out, v, " of 100", "exposure");
	pst_buf_str(out, "</dl>\n</header>\n");
}

static void legend_entry(const struct pst_surface *s, enum pst_scstate st, const char *what,
			 struct pst_buf *out)
{
	pst_buf_fmt(out, "<li><i class=\"k %c\"></i>%s <b>%zu</b></li>\n", shape(s, st), what,
		    s->state[st]);
}

static void legend(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_str(out, "<ul class=\"legend\">\n");
	legend_entry(s, PST_SC_ALLOWED, "allowed", out);
	legend_entry(s, PST_SC_CONDITIONAL, "with some arguments", out);
	if (s->state[PST_SC_NOTIFIED] > 0)
		legend_entry(s, PST_SC_NOTIFIED, pst_surface_notified(s), out);
	legend_entry(s, PST_SC_DENIED, "denied", out);
	if (s->in->used != NULL)
		pst_buf_fmt(out,
			    "<li><i class=\"k a u\"></i>used in the recording <b>%zu</b></li>\n",
			    s->used);
	pst_buf_str(out, "</ul>\n");
}

/* One square a call; its name and state show when it is pointed at. */
static void squares(const struct pst_surface *s, const struct pst_surface_group *g,
		    struct pst_buf *out)
{
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_surface_call(g, i)) != NULL; i++) {
		const char *w = pst_scstate_word(state_of(s, sc));
		pst_buf_fmt(out, "<i class=\"k %c%s\" title=\"%s: %s%s\"></i>",
			    shape(s, state_of(s, sc)), used(s, sc) ? " u" : "", sc->name, w,
			    used(s, sc) ? ", used" : "");
	}
}

static void picture(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_str(out,
		    "<section>\n<h2>The table of system calls</h2>\n<p>Each square is a call of an "
		    "ordinary 64-bit kernel, by subsystem. The calls of each are named further "
		    "down.</p>\n");
	legend(s, out);
	pst_buf_str(out, "<div class=\"map\">\n");
	for (size_t i = 0; i < s->ngroups; i++) {
		const struct pst_surface_group *g = &s->group[i];
		pst_buf_str(out, "<section class=\"g\"><h3><a href=\"#g-");
		text(out, g->group->name);
		pst_buf_str(out, "\">");
		text(out, g->group->name);
		pst_buf_fmt(out,
			    "</a> <span>%zu of %zu</span></h3><div class=\"sq\" role=\"img\" "
			    "aria-label=\"%zu allowed, %zu with some arguments, %zu %s, "
			    "%zu denied\">",
			    g->state[PST_SC_ALLOWED] + g->state[PST_SC_CONDITIONAL], g->n,
			    g->state[PST_SC_ALLOWED], g->state[PST_SC_CONDITIONAL],
			    g->state[PST_SC_NOTIFIED], pst_surface_notified(s),
			    g->state[PST_SC_DENIED]);
		squares(s, g, out);
		pst_buf_str(out, "</div></section>\n");
	}
	pst_buf_str(out, "</div>\n</section>\n");
}

static void bug(const struct pst_surface *s, const struct pst_cve *c, struct pst_buf *out)
{
	const struct pst_sc *why;
	char words[160];
	const enum pst_cve_state st = pst_cve_judge(c, &s->view, &why);
	pst_buf_fmt(out, "<tr><th scope=\"row\">%s</th><td>", c->name);
	text(out, c->part);
	pst_buf_fmt(out, "</td><td class=\"st\"><i class=\"k %s\"></i>%s</td><td>",
		    st == PST_CVE_OPEN ? "a" : "d", st == PST_CVE_OPEN ? "open" : "closed");
	if (st == PST_CVE_OPEN)
		text(out, c->how[0] != '\0' ? c->how : c->needs);
	else
		text(out, pst_cve_words(c, st, why, words, sizeof words));
	if (!c->confirmed)
		pst_buf_str(out, " <em>(unconfirmed)</em>");
	pst_buf_str(out, "</td></tr>\n");
}

static void bug_table(const struct pst_surface *s, bool open, struct pst_buf *out)
{
	const struct pst_cve *c;
	pst_buf_fmt(out,
		    "<table>\n<thead><tr><th scope=\"col\">bug</th><th scope=\"col\">part of the "
		    "kernel</th>"
		    "<th scope=\"col\">state</th><th scope=\"col\">%s</th></tr></thead>\n<tbody>\n",
		    open ? "the way to it" : "what closes it");
	for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++)
		if ((pst_cve_judge(c, &s->view, NULL) == PST_CVE_OPEN) == open)
			bug(s, c, out);
	pst_buf_str(out, "</tbody>\n</table>\n");
}

static void bugs(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_fmt(out,
		    "<section>\n<h2>Known kernel bugs</h2>\n<p>A sample of %zu well known ones. "
		    "Within reach "
		    "means that calls, arguments and capabilities let a process get to the code; "
		    "whether "
		    "the kernel still has the bug depends on its version.</p>\n",
		    s->cves);
	pst_buf_fmt(out, "<details open>\n<summary>%zu within reach</summary>\n", s->cves_open);
	bug_table(s, true, out);
	pst_buf_fmt(out, "</details>\n<details>\n<summary>%zu out of reach</summary>\n",
		    s->cves - s->cves_open);
	bug_table(s, false, out);
	pst_buf_str(out, "</details>\n</section>\n");
}

static void arithmetic(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_str(out, "<section>\n<h2>The score</h2>\n<p>0 is nothing reachable, 100 is no "
			 "filter and every "
			 "capability. It compares confinements; it is no probability.</p>\n"
			 "<table class=\"sum\">\n<thead><tr><th scope=\"col\">part</th>"
			 "<th scope=\"col\">arithmetic</th><th "
			 "scope=\"col\" class=\"num\">points</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < PST_SURFACE_PARTS; i++) {
		const struct pst_surface_part *p = &s->part[i];
		pst_buf_fmt(out,
			    "<tr><th scope=\"row\">%s</th><td>%s</td><td "
			    "class=\"num\">%u.%u</td></tr>\n",
			    p->what, p->how, p->points / 1000, p->points % 1000 / 100);
	}
	pst_buf_fmt(out,
		    "<tr><th scope=\"row\">exposure</th><td>sum</td><td "
		    "class=\"num\"><b>%u.%u</b></td></tr>\n"
		    "</tbody>\n</table>\n</section>\n",
		    s->score / 1000, s->score % 1000 / 100);
}

static void host_side(const struct pst_surface *s, struct pst_buf *out)
{
	struct pst_surface_path p;
	const char *type;
	pst_buf_str(out, "<section>\n<h2>Beside the calls</h2>\n<h3>Capabilities</h3>\n<ul "
			 "class=\"chips\">\n");
	for (unsigned i = 0; i <= PST_CAP_LAST; i++)
		if (((s->in->caps >> i) & 1) != 0)
			pst_buf_fmt(out, "<li>%s</li>\n", pst_caps_name(i));
	pst_buf_fmt(out,
		    "%s</ul>\n<h3>Namespaces</h3>\n<ul class=\"chips\">\n<li>new user namespaces: "
		    "<b>%s</b></li>\n",
		    s->in->caps == 0 ? "<li>none</li>\n" : "",
		    pst_cve_userns(&s->view) ? "can be made" : "refused");
	for (size_t i = 0; s->in->spec != NULL && (type = pst_surface_nstype(i)) != NULL; i++)
		pst_buf_fmt(out, "<li>%s: <b>%s</b></li>\n", type, pst_surface_namespace(s, type));
	pst_buf_str(out, "</ul>\n");
	if (s->in->spec != NULL) {
		pst_buf_str(out, "<h3>Writable host paths</h3>\n<ul>\n");
		if (!pst_surface_path(s, 0, &p))
			pst_buf_str(out, "<li>none</li>\n");
		for (size_t i = 0; pst_surface_path(s, i, &p); i++) {
			pst_buf_str(out, "<li><code>");
			text(out, p.source);
			pst_buf_str(out, "</code> on <code>");
			text(out, p.destination);
			pst_buf_str(out, "</code></li>\n");
		}
		pst_buf_str(out, "</ul>\n");
	}
	pst_buf_str(out, "</section>\n");
}

/* One call by name, with its conditions and what it is answered. */
static void one_call(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out)
{
	pst_auto_buf when = {0};
	pst_auto_buf answer = {0};
	const char *w = pst_scstate_word(state_of(s, sc));
	pst_surface_when(s, sc, &when);
	pst_surface_denied(s, sc, &answer);
	/* one answer for everything is short: it stands beside the state */
	const bool brief = when.len == 0 && strstr(pst_buf_cstr(&answer), " for ") == NULL;
	pst_buf_fmt(out,
		    "<li><i class=\"k %c%s\"></i><div><code>%s</code> <span "
		    "class=\"w\">%s%s%s%s</span> ",
		    shape(s, state_of(s, sc)), used(s, sc) ? " u" : "", sc->name, w,
		    brief && answer.len > 0 ? ": " : "", brief ? pst_buf_cstr(&answer) : "",
		    used(s, sc) ? ", used" : "");
	text(out, pst_surface_why(s, sc));
	if (when.len > 0) {
		pst_auto_buf reasons = {0};
		pst_buf_str(out, "<br>only: ");
		text(out, pst_buf_cstr(&when));
		pst_surface_reasons(s, sc, &reasons);
		pst_buf_str(out, reasons.len > 0 ? "<br>that is: " : "");
		text(out, pst_buf_cstr(&reasons));
	}
	if (answer.len > 0 && !brief) {
		pst_buf_str(out, "<br>otherwise: ");
		text(out, pst_buf_cstr(&answer));
	}
	pst_buf_str(out, "</div></li>\n");
}

static void calls(const struct pst_surface *s, struct pst_buf *out)
{
	pst_buf_str(out, "<section>\n<h2>Calls by subsystem</h2>\n");
	for (size_t i = 0; i < s->ngroups; i++) {
		const struct pst_surface_group *g = &s->group[i];
		const struct pst_sc *sc;
		pst_buf_str(out, "<details id=\"g-");
		text(out, g->group->name);
		pst_buf_str(out, "\">\n<summary>");
		text(out, g->group->name);
		pst_buf_str(out, ": ");
		text(out, g->group->title);
		pst_buf_fmt(out, " <span>%zu of %zu</span></summary>\n<ul class=\"calls\">\n",
			    g->state[PST_SC_ALLOWED] + g->state[PST_SC_CONDITIONAL], g->n);
		for (size_t k = 0; (sc = pst_surface_call(g, k)) != NULL; k++)
			one_call(s, sc, out);
		pst_buf_str(out, "</ul>\n</details>\n");
	}
	pst_buf_str(out, "</section>\n");
}

void pst_surface_html(const struct pst_surface *s, struct pst_buf *out)
{
	head(s, out);
	picture(s, out);
	bugs(s, out);
	host_side(s, out);
	arithmetic(s, out);
	calls(s, out);
	pst_buf_str(out, "</main>\n</body>\n</html>\n");
}

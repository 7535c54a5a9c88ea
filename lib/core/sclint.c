#include "core/sclint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/cves.h"
#include "core/json.h"
#include "core/scdiff.h"
#include "core/sclint_priv.h"
#include "core/scview.h"
#include "core/scwords.h"

#define LISTED 12 /* names written out in one finding; the rest is counted */

const char *pst_sclint_word(enum pst_sclint_level level)
{
	static const char *const words[] = {"error", "warning", "note"};
	return words[level];
}

size_t pst_sclint_count(const struct pst_sclint *l, enum pst_sclint_level level)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].level == level;
	return n;
}

void pst_sclint_done(struct pst_sclint *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].pointer);
		free(l->v[i].text);
		free(l->v[i].cure);
	}
	free(l->v);
	*l = (struct pst_sclint){0};
}

void pst_sclint_add(struct pst_sclint *l, const struct pst_sclint_in *in,
		    enum pst_sclint_level level, const char *where, const char *fmt, ...)
{
	pst_auto_buf at = {0};
	char msg[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	pst_buf_fmt(&at, "%s%s", in->pointer, where);
	if (l->n == l->cap) {
		const size_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct pst_sclint_finding *v = reallocarray(l->v, cap, sizeof *v);
		if (v == NULL) {
			l->bad = true;
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	struct pst_sclint_finding f = {level, strdup(pst_buf_cstr(&at)), strdup(msg), strdup("")};
	l->bad =
		l->bad || f.pointer == NULL || f.text == NULL || f.cure == NULL || !pst_buf_ok(&at);
	l->v[l->n++] = f;
}

void pst_sclint_cure(struct pst_sclint *l, const char *fmt, ...)
{
	char msg[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	if (l->n == 0)
		return;
	char *cure = strdup(msg);
	l->bad = l->bad || cure == NULL;
	free(l->v[l->n - 1].cure);
	l->v[l->n - 1].cure = cure;
}

bool pst_sclint_denies(const json_t *rule, const char *key)
{
	const char *action = pst_json_str(json_object_get(rule, key));
	return action == NULL || pst_starts(action, "SCMP_ACT_ERRNO") ||
	       pst_starts(action, "SCMP_ACT_KILL") || pst_starts(action, "SCMP_ACT_TRAP");
}

const char *pst_sclint_where(const json_t *obj, const char *name, char *buf, size_t size)
{
	const json_t *rules = json_object_get(obj, "syscalls");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		const json_t *names = json_object_get(rule, "names");
		const bool denies = pst_sclint_denies(rule, "action");
		for (size_t k = 0; !denies && k < json_array_size(names); k++) {
			if (!pst_streq(pst_json_str(json_array_get(names, k)), name))
				continue;
			snprintf(buf, size, "/syscalls/%zu/names/%zu", i, k);
			return buf;
		}
	}
	snprintf(buf, size, "/syscalls");
	return buf;
}

/* What the parser has to say becomes findings. */
static void from_notes(struct pst_sclint *l, const struct pst_sclint_in *in,
		       const struct pst_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		const char *at = notes->v[i].pointer;
		if (strcmp(notes->v[i].source, "table of system calls") == 0)
			continue; /* names: told one by one */
		const size_t skip = strlen(in->pointer);
		pst_sclint_add(l, in, PST_LINT_WARNING, strlen(at) >= skip ? at + skip : "", "%s",
			       notes->v[i].text);
		pst_sclint_cure(l, "%s", notes->v[i].source);
	}
}

struct weaker {
	struct pst_sclint *l;
	const struct pst_sclint_in *in;
	bool claims;
	struct pst_buf names;
	size_t n;
};

/* One call that gets through here and not there. */
static void see_weaker(void *ctx, const struct pst_scdiff *d)
{
	struct weaker *w = ctx;
	char where[64];
	if (d->kind == PST_SCDIFF_ONLY_B || d->kind == PST_SCDIFF_ANSWER ||
	    (d->a->n == 0 && !d->unsure))
		return;
	if (!w->claims && d->kind == PST_SCDIFF_ONLY_A) {
		if (w->n++ < LISTED)
			pst_buf_fmt(&w->names, "%s%s", w->n > 1 ? " " : "", d->sc->name);
		return;
	}
	pst_auto_buf words = {0};
	pst_scwords_boxes(d->sc, d->a->v, d->a->n, &words);
	pst_sclint_add(w->l, w->in, w->claims ? PST_LINT_ERROR : PST_LINT_NOTE,
		       pst_sclint_where(w->in->obj, d->sc->name, where, sizeof where),
		       "%s is wider than in %s: %s", d->sc->name, w->in->base_name,
		       pst_buf_cstr(&words));
	if (w->claims)
		pst_sclint_cure(w->l, "narrow the rule, or take \"within\" out of /postern");
}

static void compare(struct pst_sclint *l, const struct pst_sclint_in *in,
		    const struct pst_scprof *p)
{
	const char *within = pst_json_str(pst_json_at(in->obj, "/postern/within"));
	struct weaker w = {.l = l, .in = in, .claims = within != NULL};
	(void)pst_scdiff(p, in->base, see_weaker, &w);
	if (w.n > LISTED)
		pst_buf_fmt(&w.names, " and %zu more", w.n - LISTED);
	if (w.n > 0) {
		pst_sclint_add(l, in, PST_LINT_NOTE, "/syscalls",
			       "allows %zu call%s that %s denies: %s", w.n, w.n == 1 ? "" : "s",
			       in->base_name, pst_buf_cstr(&w.names));
		pst_sclint_cure(
			l, "a container gets them only where the policy's profile has them too");
	}
	pst_buf_done(&w.names);
}

/* Kernel bugs that are open here and closed in the base, told once a call. */
static void openings(struct pst_sclint *l, const struct pst_sclint_in *in,
		     const struct pst_scprof *p)
{
	const struct pst_cve_view here = {.p = p, .caps = in->caps};
	const struct pst_cve_view there = {.p = in->base, .caps = in->caps};
	const struct pst_sc *sc;
	for (size_t s = 0; (sc = pst_sctable_at(s)) != NULL; s++) {
		pst_auto_buf list = {0};
		size_t n = 0;
		const struct pst_cve *c;
		for (size_t i = 0; (c = pst_cve_at(i)) != NULL; i++) {
			const struct pst_sc *why;
			if (pst_cve_judge(c, &there, &why) == PST_CVE_OPEN || why != sc ||
			    pst_cve_judge(c, &here, NULL) != PST_CVE_OPEN)
				continue;
			if (n++ < LISTED)
				pst_buf_fmt(&list, "%s%s", n > 1 ? " " : "", c->name);
		}
		char where[64];
		if (n == 0)
			continue;
		if (n > LISTED)
			pst_buf_fmt(&list, " and %zu more", n - LISTED);
		pst_sclint_add(
			l, in, PST_LINT_WARNING,
			pst_sclint_where(in->obj, sc->name, where, sizeof where),
			"%s opens the way to %zu known kernel bug%s that %s keeps out of reach: %s",
			sc->name, n, n == 1 ? "" : "s", in->base_name, pst_buf_cstr(&list));
		pst_sclint_cure(l, "leave %s out, or allow only the arguments that are needed",
				sc->name);
	}
}

static void whole_profile(struct pst_sclint *l, const struct pst_sclint_in *in,
			  const struct pst_scprof *p)
{
	bool notifies = false;
	for (unsigned i = 0; i < PST_SC_SLOTS; i++)
		for (uint32_t k = 0; k < p->slot[i].n; k++)
			notifies = notifies || p->slot[i].v[k].ret == SECCOMP_RET_USER_NOTIF;
	if (notifies && p->listener_path == NULL) {
		pst_sclint_add(
			l, in, PST_LINT_ERROR, "/listenerPath",
			"SCMP_ACT_NOTIFY is used and listenerPath is missing: runtimes refuse it");
		pst_sclint_cure(l, "name the socket of the agent, or deny with SCMP_ACT_ERRNO");
	}
	if (!pst_scret_denies(p->def)) {
		pst_sclint_add(
			l, in, PST_LINT_WARNING, "/defaultAction",
			"what no rule names gets through: every call a later kernel adds too");
		pst_sclint_cure(l, "list what is allowed, with SCMP_ACT_ERRNO as the default");
	}
	if ((p->archs & PST_SCARCH_X86) != 0) {
		pst_sclint_add(
			l, in, PST_LINT_WARNING, "/architectures",
			"32-bit programs are let in: their socketcall has its arguments in memory, "
			"where no filter sees them");
		pst_sclint_cure(l, "list SCMP_ARCH_X86_64 alone");
	}
}

int pst_sclint_run(const struct pst_sclint_in *in, struct pst_sclint *ret, struct pst_err *err)
{
	struct pst_sclint l = {0};
	struct pst_notes notes = {0};
	pst_auto_scprof *p = NULL;
	struct pst_err e = {0};
	const int rc = pst_scprof_parse(in->obj, in->pointer, &notes, &p, &e);
	if (rc == PST_E_SPEC) {
		const size_t skip = strlen(in->pointer);
		pst_sclint_add(&l, in, PST_LINT_ERROR,
			       strlen(e.pointer) >= skip ? e.pointer + skip : "", "%s", e.msg);
		pst_sclint_cure(&l, "%s", e.cure);
	}
	if (rc == PST_OK) {
		pst_sclint_rules(&l, in);
		whole_profile(&l, in, p);
		compare(&l, in, p);
		openings(&l, in, p);
		from_notes(&l, in, &notes);
	}
	const bool oom = l.bad || notes.bad || rc == PST_E_NOMEM;
	pst_notes_done(&notes);
	if (oom) {
		pst_sclint_done(&l);
		return pst_fail_nomem(err);
	}
	*ret = l;
	return PST_OK;
}

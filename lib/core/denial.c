#include "core/denial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static const char *text(const json_t *r, const char *key)
{
	const char *s = pst_json_str(json_object_get(r, key));
	return s == NULL ? "" : s;
}

static uint64_t number(const json_t *r, const char *key)
{
	uint64_t v = 0;
	return pst_json_u64(json_object_get(r, key), &v) ? v : 0;
}

json_t *pst_denial_parse(const char *line, size_t len)
{
	json_t *r = NULL;
	if (pst_json_parse(line, len, "denials", &pst_json_oci, &r, NULL) != PST_OK)
		return NULL;
	if ((text(r, "syscall")[0] != '\0' || text(r, "limit")[0] != '\0') && text(r, "id")[0] != '\0')
		return r;
	json_decref(r);
	return NULL;
}

bool pst_denial_matches(const json_t *r, const struct pst_denial_filter *f)
{
	if (f->id != NULL && strcmp(text(r, "id"), f->id) != 0)
		return false;
	if (f->since != NULL && strcmp(text(r, "time"), f->since) < 0)
		return false;
	return f->runtime || !json_is_true(json_object_get(r, "runtime"));
}

/* A line without a process is of whoever made that call. */
static bool same_group(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"id", "syscall", "action", "errno"};
	for (size_t i = 0; i < PST_NELEM(keys); i++)
		if (strcmp(text(a, keys[i]), text(b, keys[i])) != 0)
			return false;
	const char *exe = text(b, "exe");
	return exe[0] == '\0' || strcmp(text(a, "exe"), exe) == 0;
}

static struct pst_denial_group *group_of(struct pst_denials *d, json_t *r)
{
	for (size_t i = 0; i < d->n; i++)
		if (same_group(d->v[i].record, r))
			return &d->v[i];
	if (d->n == d->cap) {
		const size_t cap = d->cap == 0 ? 16 : d->cap * 2;
		struct pst_denial_group *v = reallocarray(d->v, cap, sizeof *v);
		if (v == NULL)
			return NULL;
		d->v = v;
		d->cap = cap;
	}
	struct pst_denial_group *g = &d->v[d->n++];
	*g = (struct pst_denial_group){.record = json_incref(r)};
	snprintf(g->first, sizeof g->first, "%s", text(r, "time"));
	return g;
}

static bool keep_args(struct pst_denial_group *g, const char *args)
{
	for (size_t i = 0; i < PST_DENIAL_SHOWN; i++) {
		if (g->args[i] == NULL) {
			g->args[i] = strdup(args);
			return g->args[i] != NULL;
		}
		if (strcmp(g->args[i], args) == 0)
			return true;
	}
	g->more_args = true;
	return true;
}

int pst_denials_add(struct pst_denials *d, json_t *r, struct pst_err *err)
{
	struct pst_denial_group *g = group_of(d, r);
	if (g == NULL)
		return pst_fail_nomem(err);
	g->count += number(r, "count");
	snprintf(g->last, sizeof g->last, "%s", text(r, "time"));
	if (json_object_get(r, "args") != NULL && !keep_args(g, text(r, "args")))
		return pst_fail_nomem(err);
	return PST_OK;
}

void pst_denials_done(struct pst_denials *d)
{
	for (size_t i = 0; i < d->n; i++) {
		json_decref(d->v[i].record);
		for (size_t k = 0; k < PST_DENIAL_SHOWN; k++)
			free(d->v[i].args[k]);
	}
	free(d->v);
	*d = (struct pst_denials){0};
}

static int by_container(const void *a, const void *b)
{
	const struct pst_denial_group *x = a;
	const struct pst_denial_group *y = b;
	const int ids = strcmp(text(x->record, "id"), text(y->record, "id"));
	if (ids != 0)
		return ids;
	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static void container_line(const json_t *r, struct pst_buf *out)
{
	pst_buf_str(out, text(r, "id"));
	if (text(r, "pod")[0] != '\0')
		pst_buf_fmt(out, "  %s/%s %s", text(r, "namespace"), text(r, "pod"),
			    text(r, "container"));
	pst_buf_fmt(out, "  profile %s\n", text(r, "profile"));
}

/* What would let the call through, and where. */
static void allow_line(const json_t *r, struct pst_buf *out)
{
	pst_auto_buf rule = {0};
	const char *by = text(r, "deniedBy");
	const json_t *allow = json_object_get(r, "allow");
	if (allow == NULL || pst_json_dump(allow, PST_JSON_COMPACT, &rule, NULL) != PST_OK)
		return;
	if (json_is_true(json_object_get(r, "named")))
		pst_buf_fmt(out, "      to allow it, take it out of the rule that gives %s, and\n", text(r, "errno"));
	pst_buf_fmt(out, "      %s \"syscalls\" of %s:\n        ",
		    json_is_true(json_object_get(r, "named")) ? "add to" : "to allow it, add to",
		    strcmp(by, "caller") == 0  ? "the seccomp profile of the container's spec"
		    : strcmp(by, "both") == 0 ? "the profile, and of the spec's own"
					       : "the profile");
	pst_buf_str(out, pst_buf_cstr(&rule));
	pst_buf_char(out, '\n');
}

/* The file, the offset in it, and the function that is there. */
static void origin_text(const json_t *r, struct pst_buf *out)
{
	const char *symbol = text(r, "symbol");
	pst_buf_str(out, text(r, "origin")[0] == '\0' ? "an unknown place" : text(r, "origin"));
	if (symbol[0] != '\0')
		pst_buf_fmt(out, " (%s)", symbol);
	pst_buf_char(out, '\n');
}

static void group_text(const struct pst_denial_group *g, struct pst_buf *out)
{
	const json_t *r = g->record;
	const bool complain = strcmp(text(r, "action"), "complain") == 0;
	pst_buf_fmt(out, "  %s  %s%s  %" PRIu64 " time%s, %s%s%s\n", text(r, "syscall"),
		    complain ? "let through, would be " : "", text(r, "errno"), g->count,
		    g->count == 1 ? "" : "s", g->first, strcmp(g->first, g->last) == 0 ? "" : " to ",
		    strcmp(g->first, g->last) == 0 ? "" : g->last);
	if (text(r, "comm")[0] != '\0')
		pst_buf_fmt(out, "      by %s, %s, process %" PRIu64 " (%" PRIu64 " on the host), from ",
			    text(r, "comm"), text(r, "exe"), number(r, "pidInside"), number(r, "pid"));
	if (text(r, "comm")[0] != '\0')
		origin_text(r, out);
	for (size_t i = 0; i < PST_DENIAL_SHOWN && g->args[i] != NULL; i++)
		pst_buf_fmt(out, "      %s(%s)\n", text(r, "syscall"), g->args[i]);
	if (g->more_args)
		pst_buf_fmt(out, "      and with other arguments\n");
	pst_buf_fmt(out, "      denied because: %s\n", text(r, "why"));
	allow_line(r, out);
}

int pst_denials_text(struct pst_denials *d, struct pst_buf *out, struct pst_err *err)
{
	if (d->n > 1)
		qsort(d->v, d->n, sizeof *d->v, by_container);
	for (size_t i = 0; i < d->n; i++) {
		if (i == 0 || strcmp(text(d->v[i - 1].record, "id"), text(d->v[i].record, "id")) != 0) {
			pst_buf_str(out, i == 0 ? "" : "\n");
			container_line(d->v[i].record, out);
		}
		group_text(&d->v[i], out);
	}
	if (d->bad > 0)
		pst_buf_fmt(out, "(%zu lines are no records)\n", d->bad);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

void pst_denial_line(const json_t *r, struct pst_buf *out)
{
	pst_buf_fmt(out, "%s %s %s(%s) %s%s x%" PRIu64, text(r, "time"), text(r, "id"), text(r, "syscall"),
		    text(r, "args"),
		    strcmp(text(r, "action"), "complain") == 0 ? "let through, would be " : "",
		    text(r, "errno"), number(r, "count"));
	if (text(r, "comm")[0] != '\0')
		pst_buf_fmt(out, " by %s[%" PRIu64 "] %s, profile %s, from ", text(r, "comm"),
			    number(r, "pidInside"), text(r, "exe"), text(r, "profile"));
	if (text(r, "comm")[0] != '\0')
		origin_text(r, out);
	else
		pst_buf_fmt(out, ", profile %s\n", text(r, "profile"));
}

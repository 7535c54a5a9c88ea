#include "core/wireplan.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/owntext.h"

void pst_wire_handler(const struct pst_wire *w, size_t i, char buf[PST_HANDLER_MAX])
{
	if (i == 0)
		snprintf(buf, PST_HANDLER_MAX, "postern");
	else
		snprintf(buf, PST_HANDLER_MAX, "postern-%s", w->classes[i - 1]);
}

bool pst_wire_is_handler(const char *name)
{
	return strcmp(name, "postern") == 0 || pst_starts(name, "postern-");
}

static void file_done(struct pst_wirefile *f)
{
	free(f->path);
	free(f->before);
	free(f->after);
}

void pst_wireplan_done(struct pst_wireplan *p)
{
	for (size_t i = 0; i < p->n; i++)
		file_done(&p->v[i]);
	free(p->v);
	*p = (struct pst_wireplan){0};
}

static char *copy(const struct pst_buf *b)
{
	char *t = b == NULL ? NULL : malloc(b->len + 1);
	if (t != NULL) {
		memcpy(t, pst_buf_cstr(b), b->len);
		t[b->len] = '\0';
	}
	return t;
}

static bool same(const struct pst_buf *a, const struct pst_buf *b)
{
	return a == NULL || b == NULL ? a == b
				      : a->len == b->len &&
						memcmp(pst_buf_cstr(a), pst_buf_cstr(b), a->len) == 0;
}

int pst_wireplan_add(struct pst_wireplan *p, const char *path, const struct pst_buf *before,
		     const struct pst_buf *after, bool folder, struct pst_err *err)
{
	if ((before != NULL && !pst_buf_ok(before)) || (after != NULL && !pst_buf_ok(after)))
		return pst_fail_nomem(err);
	if (same(before, after))
		return PST_OK;
	struct pst_wirefile *v = reallocarray(p->v, p->n + 1, sizeof *v);
	if (v == NULL)
		return pst_fail_nomem(err);
	p->v = v;
	struct pst_wirefile f = {
		.path = strdup(path),
		.before = copy(before),
		.after = copy(after),
		.before_len = before != NULL ? before->len : 0,
		.after_len = after != NULL ? after->len : 0,
		.folder = folder,
	};
	if (f.path == NULL || (before != NULL && f.before == NULL) || (after != NULL && f.after == NULL)) {
		file_done(&f);
		return pst_fail_nomem(err);
	}
	v[p->n++] = f;
	return PST_OK;
}

int pst_wireplan_own(struct pst_wireplan *p, const char *path, const struct pst_buf *before,
		     const char *body, bool folder, struct pst_err *err)
{
	pst_auto_buf after = {0};
	if (before != NULL) {
		const enum pst_own_file whose =
			pst_own_file_is(pst_buf_cstr(before), before->len, &folder);
		if (whose != PST_OWN_INTACT) {
			pst_fail(err, PST_E_STATE, "", "%s %s", path,
				 whose == PST_OWN_EDITED ? "was edited after `postern install` wrote it"
							 : "was not written by `postern install`");
			pst_err_cure(err, "move it away, or remove it if it is not needed");
			return pst_err_file(err, path);
		}
	}
	if (body != NULL)
		pst_own_file_put(body, folder, &after);
	return pst_wireplan_add(p, path, before, body != NULL ? &after : NULL, folder, err);
}

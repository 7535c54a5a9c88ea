#include "host/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "host/ctx.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/state.h"

#define FOLLOW_MS 250
#define LINE_MAX 16384 /* no record of ours is longer */

struct walk {
	const struct pst_denial_filter *f;
	pst_denial_see *see;
	void *ctx;
	size_t bad;
};

/* A file that is followed. */
struct tail {
	char name[80];
	uint64_t ino;
	off_t at;
};

/* KEY.ndjson and KEY.1.ndjson of calls; KEY.limits.ndjson and KEY.limits.1.ndjson. */
static bool is_record_file(const char *name, bool *ret_limits)
{
	const char *end = strstr(name, ".ndjson");
	*ret_limits = strstr(name, ".limits.") != NULL;
	return end != NULL && end[7] == '\0' && strlen(name) < 64;
}

/* Take the whole lines of buf[0..have): how many bytes they were, or -1 with *rc. */
static ssize_t take_lines(char *buf, size_t have, struct walk *w, int *rc, struct pst_err *err)
{
	size_t used = 0;
	for (char *nl; (nl = memchr(buf + used, '\n', have - used)) != NULL;) {
		const size_t len = (size_t)(nl - (buf + used));
		json_t *r = pst_denial_parse(buf + used, len);
		if (r == NULL)
			w->bad++;
		else if (pst_denial_matches(r, w->f))
			*rc = w->see(w->ctx, r, err);
		json_decref(r);
		if (*rc != PST_OK)
			return -1;
		used += len + 1;
	}
	return (ssize_t)used;
}

/* A full file becomes the older one (keeper's ring.c): go on where we were in it. */
static void find_place(struct tail *t, const struct stat *st, const struct tail *all, size_t n)
{
	if (t->ino == st->st_ino && st->st_size >= t->at)
		return;
	t->at = 0;
	for (size_t i = 0; i < n; i++)
		if (all[i].ino == st->st_ino && st->st_size >= all[i].at)
			t->at = all[i].at;
	t->ino = st->st_ino;
}

static int read_tail(int dir, struct tail *t, const struct tail *all, size_t nall, struct walk *w,
		     struct pst_err *err)
{
	char buf[LINE_MAX];
	size_t have = 0;
	struct stat st;
	int rc = PST_OK;
	pst_auto_fd fd = pst_host->openat(dir, t->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT ? PST_OK : pst_fail_sys(err, "cannot open denials/%s", t->name);
	if (pst_host->fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return PST_OK;
	find_place(t, &st, all, nall);
	for (;;) {
		const ssize_t n = pst_host->pread(fd, buf + have, sizeof buf - have, t->at + (off_t)have);
		if (n <= 0)
			return n == 0 ? PST_OK : pst_fail_sys(err, "cannot read denials/%s", t->name);
		have += (size_t)n;
		ssize_t used = take_lines(buf, have, w, &rc, err);
		if (used < 0)
			return rc;
		if (used == 0 && have == sizeof buf) { /* a line of nobody's */
			w->bad++;
			used = (ssize_t)have;
		}
		have -= (size_t)used;
		memmove(buf, buf + used, have);
		t->at += (off_t)used;
	}
}

/* Older first: "KEY.1.ndjson" before "KEY.ndjson" as their names sort. */
static int add_tails(int dir, bool want, struct tail **v, size_t *n, struct pst_err *err)
{
	pst_auto_dirnames l = {0};
	int rc = pst_dirnames_read(dir, &l, err);
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		bool limits;
		bool known = !is_record_file(l.v[i], &limits) || limits != want;
		for (size_t k = 0; !known && k < *n; k++)
			known = strcmp((*v)[k].name, l.v[i]) == 0;
		if (known)
			continue;
		struct tail *more = reallocarray(*v, *n + 1, sizeof *more);
		if (more == NULL)
			return pst_fail_nomem(err);
		*v = more;
		more[*n] = (struct tail){0};
		snprintf(more[(*n)++].name, sizeof more->name, "%s", l.v[i]);
	}
	return rc;
}

/* Keepers that are there write what they counted; others have written it. */
static void flush_all(struct pst_statedir *sd)
{
	pst_auto_dirnames l = {0};
	if (pst_state_list(sd, &l, NULL) != PST_OK)
		return;
	for (size_t i = 0; i < l.n; i++) {
		pst_auto_state st = PST_STATE_NONE;
		if (pst_state_open(sd, l.v[i], PST_LOCK_NONE, &st, NULL) == PST_OK)
			(void)!pst_keeper_ask(&st, PST_KEEPER_FLUSH, NULL);
	}
}

int pst_denials_walk(const struct pst_global *g, const struct pst_denial_filter *f, bool follow,
		     pst_denial_see *see, void *ctx, size_t *ret_bad, struct pst_err *err)
{
	pst_auto_statedir sd = PST_STATEDIR_NONE;
	struct pst_err why = {0};
	struct walk w = {.f = f, .see = see, .ctx = ctx};
	struct tail *v = NULL;
	size_t n = 0;
	int dir;
	int rc = pst_statedir_look(g->state_dir, &sd, &why);
	if (rc == PST_E_HOST && why.sys == ENOENT) /* no container was ever made */
		return PST_OK;
	if (rc == PST_OK)
		rc = pst_statedir_sub(&sd, PST_DIR_DENIALS, &dir, &why);
	if (rc != PST_OK) {
		*err = why;
		return rc;
	}
	flush_all(&sd);
	do {
		rc = add_tails(dir, f->limits, &v, &n, err);
		for (size_t i = 0; rc == PST_OK && i < n; i++)
			rc = read_tail(dir, &v[i], v, n, &w, err);
		if (follow && rc == PST_OK)
			(void)pst_host->poll(NULL, 0, FOLLOW_MS);
	} while (follow && rc == PST_OK);
	free(v);
	*ret_bad = w.bad;
	return rc;
}

/* Is there a container of this file's key still? */
static bool of_a_container(struct pst_statedir *sd, const char *name)
{
	char key[PST_KEY_LEN + 1];
	pst_auto_state st = PST_STATE_NONE;
	snprintf(key, sizeof key, "%.*s", PST_KEY_LEN, name);
	return pst_state_open(sd, key, PST_LOCK_NONE, &st, NULL) == PST_OK;
}

struct aged {
	char name[80];
	struct timespec when;
};

static int newest_first(const void *a, const void *b)
{
	const struct timespec x = ((const struct aged *)a)->when;
	const struct timespec y = ((const struct aged *)b)->when;
	if (x.tv_sec != y.tv_sec)
		return x.tv_sec < y.tv_sec ? 1 : -1;
	return x.tv_nsec < y.tv_nsec ? 1 : x.tv_nsec > y.tv_nsec ? -1 : 0;
}

void pst_denials_prune(struct pst_statedir *sd)
{
	pst_auto_dirnames l = {0};
	int dir;
	size_t n = 0;
	if (pst_statedir_sub(sd, PST_DIR_DENIALS, &dir, NULL) != PST_OK ||
	    pst_dirnames_read(dir, &l, NULL) != PST_OK || l.n <= PST_DENIALS_KEEP)
		return;
	struct aged *v = calloc(l.n, sizeof *v);
	for (size_t i = 0; v != NULL && i < l.n; i++) {
		struct stat st;
		bool limits;
		if (!is_record_file(l.v[i], &limits) || of_a_container(sd, l.v[i]) ||
		    pst_host->fstatat(dir, l.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		v[n].when = st.st_mtim;
		snprintf(v[n++].name, sizeof v->name, "%s", l.v[i]);
	}
	if (v != NULL && n > 1)
		qsort(v, n, sizeof *v, newest_first);
	for (size_t i = PST_DENIALS_KEEP; v != NULL && i < n; i++)
		(void)pst_host->unlinkat(dir, v[i].name, 0);
	free(v);
}

#include "host/quotahold.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/quotastate.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/quota.h"

#define RECORD_MAX ((size_t)16384)

static int load(int dir, const char *name, struct pst_quotastate *ret, bool *ret_there, struct pst_err *err)
{
	struct pst_err e = {0};
	pst_auto_buf text = {0};
	int rc = pst_io_read_file(dir, name, RECORD_MAX, &text, &e);
	*ret_there = rc == PST_OK;
	if (rc == PST_E_HOST && e.sys == ENOENT)
		return PST_OK;
	pst_auto_free char *copy = rc == PST_OK ? pst_buf_take(&text) : NULL;
	if (rc == PST_OK)
		rc = copy == NULL ? pst_fail_nomem(&e) : pst_quotastate_parse(copy, ret, &e);
	if (rc != PST_OK && err != NULL)
		*err = e;
	return rc;
}

static int store(struct pst_statedir *sd, int dir, const char *name, const struct pst_quotastate *s,
		 struct pst_err *err)
{
	pst_auto_buf text = {0};
	if (s->n == 0)
		return pst_host->unlinkat(dir, name, 0) == 0 || errno == ENOENT
			       ? PST_OK
			       : pst_fail_sys(err, "cannot remove %s/quota/%s", sd->path, name);
	int rc = pst_quotastate_print(s, &text, err);
	if (rc == PST_OK)
		rc = pst_io_replace(dir, name, text.data, text.len, 0600, err);
	if (rc != PST_OK)
		(void)pst_statedir_cure(sd, err);
	return rc;
}

int pst_quotahold_set(struct pst_statedir *sd, const char *key, const char *dir, uint64_t bytes, bool more,
		      struct pst_err *err)
{
	pst_auto_fd fd = -1;
	struct pst_quotastate s = {0};
	struct pst_quotanow now;
	bool there = false;
	int rc = pst_statedir_lock(sd, PST_DIR_QUOTA, &fd, err);
	if (rc == PST_OK)
		rc = pst_quota_look(dir, &now, err);
	if (rc == PST_OK)
		rc = load(fd, now.name, &s, &there, err);
	if (rc != PST_OK)
		return rc;
	if (!there || !pst_quotastate_ours(&s, now.limit))
		s.was = now.limit;
	const uint64_t held = more ? now.held : 0;
	rc = pst_quotastate_hold(&s, key, bytes > PST_QUOTA_NONE - 1 - held ? PST_QUOTA_NONE - 1 : bytes + held, err);
	s.before = now.limit;
	s.set = pst_quotastate_least(&s);
	if (rc == PST_OK)
		rc = store(sd, fd, now.name, &s, err);
	return rc == PST_OK && s.set != now.limit ? pst_quota_put(dir, s.set, err) : rc;
}

/* Lock held. Killed anywhere, the same is done again: the holder goes last. */
static int drop(struct pst_statedir *sd, int fd, const char *name, struct pst_quotastate *s, const char *key,
		const char *dir, struct pst_err *err)
{
	struct pst_quotanow now;
	struct pst_quotastate left = *s;
	int rc = PST_OK;
	(void)pst_quotastate_drop(&left, key);
	/* A subvolume that is gone, or another by now, took its limit with it. */
	if (pst_quota_look(dir, &now, NULL) == PST_OK && pst_streq(now.name, name) &&
	    pst_quotastate_ours(s, now.limit)) {
		s->before = left.before = now.limit;
		s->set = left.set = pst_quotastate_least(&left);
		rc = store(sd, fd, name, s, err);
		if (rc == PST_OK && s->set != now.limit)
			rc = pst_quota_put(dir, s->set, err);
	}
	return rc == PST_OK ? store(sd, fd, name, &left, err) : rc;
}

int pst_quotahold_drop(struct pst_statedir *sd, const char *key, const char *dir, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	pst_auto_dirnames l = {0};
	int rc = pst_statedir_lock(sd, PST_DIR_QUOTA, &fd, err);
	if (rc == PST_OK)
		rc = pst_dirnames_read(fd, &l, err);
	for (size_t i = 0; i < l.n; i++) {
		struct pst_quotastate s = {0};
		bool there = false;
		if (strchr(l.v[i], '.') != NULL) { /* of a writer that was killed: the lock is ours */
			(void)pst_host->unlinkat(fd, l.v[i], 0);
			continue;
		}
		/* A damaged record may be of another subvolume, which is not to keep this one's. */
		const int read = load(fd, l.v[i], &s, &there, rc == PST_OK ? err : NULL);
		rc = rc == PST_OK ? read : rc;
		if (read != PST_OK || !there || !pst_quotastate_holds(&s, key))
			continue;
		return drop(sd, fd, l.v[i], &s, key, dir, err);
	}
	return rc;
}

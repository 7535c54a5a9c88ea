#include "host/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/fd.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/state_priv.h"

static int fail_state(struct pst_err *err, int sys, const char *key, const char *what)
{
	pst_fail(err, PST_E_STATE, "", "container state %s %s", key, what);
	if (err != NULL)
		err->sys = sys;
	return PST_E_STATE;
}

/* errno of a failed call below the state directory, with the cure. */
static int fail_host(struct pst_err *err, const struct pst_statedir *sd, const char *what,
		     const char *key)
{
	pst_fail_sys(err, "cannot %s %s/c/%s", what, sd->path, key);
	pst_statedir_cure(sd, err);
	return PST_E_HOST;
}

static int flock_again(int fd, int op)
{
	int rc;
	do
		rc = pst_host->flock(fd, op);
	while (rc != 0 && errno == EINTR);
	return rc;
}

void pst_state_close(struct pst_state *st)
{
	/* Not left to close(2): a forked child may hold the description too. */
	if (st->fd >= 0)
		(void)pst_host->flock(st->fd, LOCK_UN);
	pst_fd_close(st->fd);
	*st = (struct pst_state)PST_STATE_NONE;
}

/* making/KEY: one symlinkat(2), so that it is never there without its text. */
static int mark_making(int making, const char *key)
{
	struct pst_procid self;
	char text[PST_PROCID_TEXT];
	struct pst_err err = {0};
	if (pst_procid_self(&self, &err) != PST_OK) {
		errno = err.sys;
		return -1;
	}
	pst_procid_print(&self, text);
	return pst_host->symlinkat(text, making, key);
}

static int unmark_making(int making, const char *key)
{
	return pst_host->unlinkat(making, key, 0) == 0 || errno == ENOENT ? 0 : -1;
}

static int write_record(const struct pst_statedir *sd, const struct pst_state *st,
			const struct pst_record *rec, struct pst_err *err)
{
	pst_auto_buf text = {0};
	int rc = pst_record_print(rec, &text, err);
	if (rc != PST_OK)
		return rc;
	rc = pst_io_replace(st->fd, PST_RECORD_NAME, text.data, text.len, 0600, err);
	if (rc != PST_OK) {
		pst_err_prefix(err, "%s/c/%s", sd->path, st->key);
		pst_statedir_cure(sd, err);
	}
	return rc;
}

/* A link a killed creator left before c/KEY: taken over. 0 if it is ours now. */
static int take_over(int c, int making, const char *key)
{
	struct stat st;
	enum pst_alive alive = PST_ALIVE_UNKNOWN;
	struct pst_procid self, maker;
	char text[PST_PROCID_TEXT] = "";
	if (pst_host->fstatat(c, key, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	if (pst_host->readlinkat(making, key, text, sizeof text - 1) > 0 &&
	    pst_procid_parse(text, &maker) && pst_procid_self(&self, NULL) == PST_OK)
		alive = pst_procid_alive(&maker, &self);
	if (alive != PST_DEAD) {
		errno = EEXIST;
		return -1;
	}
	return unmark_making(making, key) == 0 ? mark_making(making, key) : -1;
}

/* c/KEY with its lock; what was made is removed when a later part fails. */
static int make_dir(struct pst_statedir *sd, int c, const char *key, struct pst_state *st,
		    struct pst_err *err)
{
	if (pst_host->mkdirat(c, key, 0700) != 0)
		return errno == EEXIST ? fail_state(err, EEXIST, key, "exists already")
				       : fail_host(err, sd, "create", key);
	st->fd = pst_host->openat(c, key, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (st->fd >= 0 && pst_host->fchmod(st->fd, 0700) == 0 &&
	    flock_again(st->fd, LOCK_EX) == 0)
		return PST_OK;
	fail_host(err, sd, "open", key);
	pst_state_close(st);
	(void)pst_host->unlinkat(c, key, AT_REMOVEDIR);
	return PST_E_HOST;
}

static int open_dirs(struct pst_statedir *sd, int *c, int *making, struct pst_err *err)
{
	const int rc = pst_statedir_sub(sd, PST_DIR_C, c, err);
	return rc != PST_OK ? rc : pst_statedir_sub(sd, PST_DIR_MAKING, making, err);
}

int pst_state_create(struct pst_statedir *sd, const char *key, struct pst_record *rec,
		     struct pst_state *out, struct pst_err *err)
{
	int c, making;
	pst_auto_state st = PST_STATE_NONE;
	if (!pst_ctrid_is_key(key))
		return pst_fail(err, PST_E_BUG, "", "not a container key: %.40s", key);
	int rc = open_dirs(sd, &c, &making, err);
	if (rc == PST_OK)
		rc = pst_procid_self(&rec->creator, err);
	if (rc != PST_OK)
		return rc;
	rec->time = (int64_t)time(NULL);
	rec->phase = PST_PHASE_CREATING;

	memcpy(st.key, key, sizeof st.key);
	if (mark_making(making, key) != 0 &&
	    (errno != EEXIST || take_over(c, making, key) != 0))
		return errno == EEXIST ? fail_state(err, EEXIST, key, "exists already")
				       : fail_host(err, sd, "announce", key);
	rc = make_dir(sd, c, key, &st, err);
	if (rc == PST_OK) {
		rc = write_record(sd, &st, rec, err);
		if (rc != PST_OK) {
			pst_state_close(&st);
			(void)!pst_io_remove_tree(c, key, NULL);
		}
	}
	if (rc != PST_OK) {
		(void)unmark_making(making, key);
		return rc;
	}
	*out = st;
	st = (struct pst_state)PST_STATE_NONE;
	return PST_OK;
}

/* Is the locked directory still the one of that name? Its last holder may have
 * removed it while we waited. */
static bool still_there(int c, const char *key, int fd)
{
	struct stat a, b;
	return pst_host->fstat(fd, &a) == 0 &&
	       pst_host->fstatat(c, key, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

int pst_state_open(struct pst_statedir *sd, const char *key, enum pst_lock lock,
		   struct pst_state *out, struct pst_err *err)
{
	int c;
	pst_auto_state st = PST_STATE_NONE;
	if (!pst_ctrid_is_key(key))
		return pst_fail(err, PST_E_BUG, "", "not a container key: %.40s", key);
	const int rc = pst_statedir_sub(sd, PST_DIR_C, &c, err);
	if (rc != PST_OK)
		return rc;
	memcpy(st.key, key, sizeof st.key);
	st.fd = pst_host->openat(c, key, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (st.fd < 0)
		return errno == ENOENT ? fail_state(err, ENOENT, key, "does not exist")
				       : fail_host(err, sd, "open", key);
	if (lock != PST_LOCK_NONE &&
	    flock_again(st.fd, lock == PST_LOCK_TRY ? LOCK_EX | LOCK_NB : LOCK_EX) != 0)
		return errno == EWOULDBLOCK
			       ? fail_state(err, EWOULDBLOCK, key, "is in use by another process")
			       : fail_host(err, sd, "lock", key);
	if (lock != PST_LOCK_NONE && !still_there(c, key, st.fd))
		return fail_state(err, ENOENT, key, "does not exist");
	*out = st;
	st = (struct pst_state)PST_STATE_NONE;
	return PST_OK;
}

int pst_state_read(const struct pst_state *st, struct pst_record *out, struct pst_err *err)
{
	pst_auto_buf text = {0};
	struct pst_err why = {0};
	int rc = pst_io_read_file(st->fd, PST_RECORD_NAME, (size_t)1 << 20, &text, &why);
	if (rc == PST_OK)
		return pst_record_parse(pst_buf_cstr(&text), text.len, out, err);
	if (rc == PST_E_SPEC || (rc == PST_E_HOST && (why.sys == ENOENT || why.sys == ELOOP)))
		return fail_state(err, why.sys, st->key, "has no record");
	if (err != NULL)
		*err = why;
	return rc;
}

int pst_state_write(struct pst_statedir *sd, const struct pst_state *st,
		    const struct pst_record *rec, struct pst_err *err)
{
	int making;
	int rc = pst_statedir_sub(sd, PST_DIR_MAKING, &making, err);
	if (rc != PST_OK)
		return rc;
	if (rec->phase == PST_PHASE_DELETING && mark_making(making, st->key) != 0 &&
	    errno != EEXIST)
		return fail_host(err, sd, "announce removal of", st->key);
	rc = write_record(sd, st, rec, err);
	if (rc == PST_OK && (rec->phase == PST_PHASE_VERIFIED || rec->phase == PST_PHASE_STARTED) &&
	    unmark_making(making, st->key) != 0)
		return fail_host(err, sd, "finish", st->key);
	return rc;
}

int pst_state_remove(struct pst_statedir *sd, struct pst_state *st, struct pst_err *err)
{
	int c, making;
	int rc = open_dirs(sd, &c, &making, err);
	if (rc != PST_OK)
		return rc;
	if (mark_making(making, st->key) != 0 && errno != EEXIST)
		return fail_host(err, sd, "announce removal of", st->key);
	rc = pst_io_remove_tree(c, st->key, err);
	if (rc != PST_OK) {
		pst_err_prefix(err, "%s/c/%s", sd->path, st->key);
		pst_statedir_cure(sd, err);
		return rc;
	}
	return unmark_making(making, st->key) == 0 ? PST_OK
						   : fail_host(err, sd, "finish removal of", st->key);
}

static int keys_of(struct pst_statedir *sd, enum pst_subdir which, struct pst_dirnames *out,
		   struct pst_err *err)
{
	int fd;
	int rc = pst_statedir_sub(sd, which, &fd, err);
	if (rc == PST_OK)
		rc = pst_dirnames_read(fd, out, err);
	if (rc != PST_OK)
		return rc;
	size_t n = 0;
	for (size_t i = 0; i < out->n; i++) {
		if (pst_ctrid_is_key(out->v[i]))
			out->v[n++] = out->v[i];
		else
			free(out->v[i]);
	}
	out->n = n;
	return PST_OK;
}

int pst_state_list(struct pst_statedir *sd, struct pst_dirnames *out, struct pst_err *err)
{
	return keys_of(sd, PST_DIR_C, out, err);
}

int pst_state_making(struct pst_statedir *sd, struct pst_dirnames *out, struct pst_err *err)
{
	return keys_of(sd, PST_DIR_MAKING, out, err);
}

static enum pst_alive maker_of(int making, const char *key)
{
	struct pst_procid self, maker;
	char text[PST_PROCID_TEXT] = "";
	if (pst_procid_self(&self, NULL) != PST_OK)
		return PST_ALIVE_UNKNOWN;
	if (pst_host->readlinkat(making, key, text, sizeof text - 1) <= 0)
		return errno == ENOENT ? PST_ALIVE : PST_ALIVE_UNKNOWN; /* done meanwhile */
	/* A text that is none of ours names nobody who could be at work. */
	return pst_procid_parse(text, &maker) ? pst_procid_alive(&maker, &self) : PST_DEAD;
}

int pst_state_dead(struct pst_statedir *sd, const char *key, enum pst_fate *ret,
		   struct pst_state *out, struct pst_err *err)
{
	int c, making;
	pst_auto_state st = PST_STATE_NONE;
	pst_auto_record rec = {0};
	struct pst_err why = {0};
	int rc = open_dirs(sd, &c, &making, err);
	if (rc != PST_OK)
		return rc;
	*ret = PST_FATE_LIVE;
	if (maker_of(making, key) != PST_DEAD)
		return PST_OK;

	rc = pst_state_open(sd, key, PST_LOCK_TRY, &st, &why);
	if (rc == PST_E_STATE && why.sys == EWOULDBLOCK)
		return PST_OK; /* a second sweep, or a child that goes on */
	const bool gone = rc == PST_E_STATE && why.sys == ENOENT;
	if (rc != PST_OK && !gone) {
		if (err != NULL)
			*err = why;
		return rc;
	}
	const bool whole = !gone && pst_state_read(&st, &rec, &why) == PST_OK &&
			   (rec.phase == PST_PHASE_VERIFIED || rec.phase == PST_PHASE_STARTED);
	if (whole) {
		if (unmark_making(making, key) != 0)
			return fail_host(err, sd, "finish", key);
		*ret = PST_FATE_STALE;
		return PST_OK;
	}
	memcpy(st.key, key, sizeof st.key);
	*ret = PST_FATE_DEAD;
	*out = st;
	st = (struct pst_state)PST_STATE_NONE;
	return PST_OK;
}

#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "stages.h"

#define IMPLICIT_MODE 0755

static int open_dir(int root, const char *dir)
{
	const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
						RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, root, dir[0] == '\0' ? "." : dir, &how, sizeof how);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void tree_done(struct tree *t)
{
	pst_fd_close(t->root);
	pst_fd_close(t->parent_fd);
	pst_buf_done(&t->times);
	pst_buf_done(&t->opaque);
	tdestroy(t->implicit, free);
	*t = (struct tree)TREE_EMPTY;
}

bool tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int tree_count(struct tree *t, struct pst_err *err)
{
	if (t->made >= t->max_made)
		return pst_fail(err, PST_E_SPEC, "", "layer has more than %llu entries",
				(unsigned long long)t->max_made);
	t->made++;
	return PST_OK;
}

/* dir and base as one path; "" joins away. */
static void join(char out[PATH_MAX], const char *dir, const char *base)
{
	snprintf(out, PATH_MAX, "%s%s%s", dir, dir[0] != '\0' && base[0] != '\0' ? "/" : "", base);
}

void tree_note_opaque(struct tree *t, const char *dir, const char *base)
{
	char path[PATH_MAX];
	join(path, dir, base);
	pst_buf_add(&t->opaque, path, strlen(path) + 1);
}

void tree_note_time(struct tree *t, const char *dir, const char *base, struct timespec when)
{
	char path[PATH_MAX];
	join(path, dir, base);
	pst_buf_add(&t->times, path, strlen(path) + 1);
	pst_buf_add(&t->times, &when, sizeof when);
}

static int note_implicit(struct tree *t, const char *path, struct pst_err *err)
{
	pst_auto_free char *copy = strdup(path);
	char *const *node = copy == NULL ? NULL : tsearch(copy, &t->implicit, compare);
	if (node == NULL)
		return pst_fail_nomem(err);
	if (*node == copy)
		(void)PST_TAKE(copy); /* else it was there already */
	return PST_OK;
}

static void forget_implicit(struct tree *t, const char *path)
{
	char *const *node = tfind(path, &t->implicit, compare);
	if (node == NULL)
		return;
	char *own = *node;
	tdelete(path, &t->implicit, compare);
	free(own);
}

static int refuse_path(const char *entry, struct pst_err *err)
{
	if (errno == ELOOP || errno == EXDEV)
		return pst_fail(err, PST_E_SPEC, "",
				"layer entry \"%.200s\" goes through a symbolic link", entry);
	if (errno == ENOTDIR)
		return pst_fail(err, PST_E_SPEC, "",
				"layer entry \"%.200s\" lies below something that is no directory",
				entry);
	return pst_fail_sys(err, "cannot reach layer entry \"%.200s\"", entry);
}

int tree_clear(struct tree *t, int pfd, const char *base, const char *entry, bool *ret_whiteout,
	       struct pst_err *err)
{
	struct stat st;
	*ret_whiteout = false;
	if (fstatat(pfd, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? PST_OK : refuse_path(entry, err);
	if (unlinkat(pfd, base, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) != 0) {
		if (errno == ENOTEMPTY || errno == EEXIST)
			return pst_fail(
				err, PST_E_SPEC, "",
				"layer entry \"%.200s\" replaces a directory that is not empty",
				entry);
		return refuse_path(entry, err);
	}
	*ret_whiteout = tree_is_whiteout(&st);
	if (S_ISDIR(st.st_mode)) { /* the kept descriptor may be this directory's */
		pst_fd_close(t->parent_fd);
		t->parent_fd = -1;
	}
	return PST_OK;
}

/* Make pfd/base a directory. One that takes a whiteout's place hides what lies
 * below it in lower layers, as the whiteout did. */
static int make_dir(struct tree *t, int pfd, const char *dir, const char *base, const char *entry,
		    struct pst_err *err)
{
	bool whiteout = false;
	int rc = tree_clear(t, pfd, base, entry, &whiteout, err);
	if (rc == PST_OK)
		rc = tree_count(t, err);
	if (rc != PST_OK)
		return rc;
	if (mkdirat(pfd, base, IMPLICIT_MODE) != 0)
		return refuse_path(entry, err);
	if (whiteout)
		tree_note_opaque(t, dir, base);
	return PST_OK;
}

/* A part of a parent path that is missing, or a whiteout. */
static int make_parent(struct tree *t, int pfd, const char *dir, const char *base,
		       const char *entry, struct pst_err *err)
{
	struct stat st;
	char path[PATH_MAX];
	if (fstatat(pfd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && !tree_is_whiteout(&st))
		return PST_OK; /* judged by the open that follows */
	const int rc = make_dir(t, pfd, dir, base, entry, err);
	join(path, dir, base);
	return rc != PST_OK ? rc : note_implicit(t, path, err);
}

/* Open `dir` part by part, making what is missing. */
static int make_parents(struct tree *t, const char *dir, const char *entry, int *ret,
			struct pst_err *err)
{
	char done[PATH_MAX] = "", part[NAME_MAX + 1];
	pst_auto_fd at = open_dir(t->root, "");
	for (const char *p = dir; at >= 0 && *p != '\0';) {
		const size_t n = strcspn(p, "/");
		snprintf(part, sizeof part, "%.*s", (int)n, p);
		const int rc = make_parent(t, at, done, part, entry, err);
		if (rc != PST_OK)
			return rc;
		const int next = open_dir(at, part);
		if (next < 0)
			return refuse_path(entry, err);
		pst_fd_close(at);
		at = next;
		p += n;
		snprintf(done, sizeof done, "%.*s", (int)(p - dir), dir);
		p += *p == '/';
	}
	if (at < 0)
		return refuse_path(entry, err);
	*ret = PST_TAKE_FD(at);
	return PST_OK;
}

static void keep_parent(struct tree *t, const char *dir, int fd)
{
	pst_fd_close(t->parent_fd);
	t->parent_fd = fd;
	snprintf(t->parent, sizeof t->parent, "%s", dir);
}

int tree_existing(struct tree *t, const char *dir, const char *entry, int *ret, struct pst_err *err)
{
	const int fd = open_dir(t->root, dir);
	if (fd < 0)
		return refuse_path(entry, err);
	*ret = fd;
	return PST_OK;
}

int tree_parent(struct tree *t, const char *dir, const char *entry, int *ret, struct pst_err *err)
{
	if (t->parent_fd < 0 || strcmp(dir, t->parent) != 0) {
		int fd = open_dir(t->root, dir);
		if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
			return refuse_path(entry, err);
		if (fd < 0) { /* ENOTDIR: perhaps a whiteout that a directory replaces */
			const int rc = make_parents(t, dir, entry, &fd, err);
			if (rc != PST_OK)
				return rc;
		}
		keep_parent(t, dir, fd);
	}
	*ret = t->parent_fd;
	return PST_OK;
}

int tree_dir(struct tree *t, const char *dir, const char *base, const char *entry, int *ret,
	     struct pst_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int pfd = -1; /* borrowed from t */
	join(path, dir, base);
	int rc = tree_parent(t, dir, entry, &pfd, err);
	if (rc != PST_OK)
		return rc;
	if (base[0] == '\0') {
		t->root_described = true;
	} else if (fstatat(pfd, base, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode)) {
		rc = make_dir(t, pfd, dir, base, entry, err);
		if (rc != PST_OK)
			return rc;
	}
	forget_implicit(t, path);
	const int fd = open_dir(pfd, base);
	if (fd < 0)
		return refuse_path(entry, err);
	*ret = fd;
	return PST_OK;
}

static int set_times(const struct tree *t, struct pst_err *err)
{
	for (size_t at = 0; at < t->times.len;) {
		const char *path = t->times.data + at;
		struct timespec when[2];
		at += strlen(path) + 1;
		memcpy(&when[0], t->times.data + at, sizeof when[0]);
		at += sizeof when[0];
		when[1] = when[0];
		pst_auto_fd fd = open_dir(t->root, path);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue; /* a later entry took its place */
		if (fd < 0 || futimens(fd, when) != 0)
			return pst_fail_sys(err, "cannot set the time of \"%.200s\"", path);
	}
	return PST_OK;
}

static void list_one(const void *node, VISIT order, void *list)
{
	const char *path = *(const char *const *)node;
	if (order == postorder || order == leaf)
		pst_buf_add(list, path, strlen(path) + 1);
}

int tree_list_write(int where, const char *name, const struct pst_buf *list, struct pst_err *err)
{
	pst_auto_fd fd = openat(where, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || stage_write(fd, pst_buf_cstr(list), list->len) != 0)
		return pst_fail_sys(err, "cannot write the list of %s directories", name);
	return PST_OK;
}

int tree_finish(struct tree *t, int where, struct pst_err *err)
{
	pst_auto_buf implicit = {0};
	if (!t->root_described)
		pst_buf_char(&implicit, '\0'); /* the root is "" */
	twalk_r(t->implicit, list_one, &implicit);
	if (!pst_buf_ok(&implicit) || !pst_buf_ok(&t->opaque) || !pst_buf_ok(&t->times))
		return pst_fail_nomem(err);
	int rc = set_times(t, err);
	if (rc == PST_OK)
		rc = tree_list_write(where, "implicit", &implicit, err);
	return rc != PST_OK ? rc : tree_list_write(where, "opaque", &t->opaque, err);
}

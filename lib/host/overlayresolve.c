#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"
#include "host/overlay.h"

/* As getdents64(2) gives it. */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* Open directories of one candidate: upper (-1 without), then lowers. */
struct stack {
	int *fd;
	size_t n;
};

static void stack_done(struct stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		pst_fd_close(s->fd[i]);
	free(s->fd);
}

enum verdict { UNTOLD, PROVED, DISPROVED };

static bool in_layers_above(const struct stack *s, size_t layer, const char *name)
{
	struct stat st;
	for (size_t i = 0; i < layer; i++)
		if (s->fd[i] >= 0 &&
		    pst_host->fstatat(s->fd[i], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

/* One name of a layer that no layer above has: the merged view shows that very
 * inode, or this is not the layer. */
static enum verdict judge_name(const struct stack *s, size_t layer, int merged, const char *name)
{
	struct stat low, seen;
	if (pst_streq(name, ".") || pst_streq(name, "..") || in_layers_above(s, layer, name))
		return UNTOLD;
	if (pst_host->fstatat(s->fd[layer], name, &low, AT_SYMLINK_NOFOLLOW) != 0)
		return UNTOLD;
	if (S_ISCHR(low.st_mode) && low.st_rdev == 0)
		return UNTOLD; /* a whiteout */
	if (pst_host->fstatat(merged, name, &seen, AT_SYMLINK_NOFOLLOW) != 0)
		return DISPROVED;
	return seen.st_ino == low.st_ino ? PROVED : DISPROVED;
}

static enum verdict judge_layer(const struct stack *s, size_t layer, int merged)
{
	pst_auto_fd dir =
		pst_host->openat(s->fd[layer], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	_Alignas(struct dirent64) char buf[4096];
	enum verdict v = UNTOLD;
	ssize_t n;
	while (v == UNTOLD && dir >= 0 && (n = pst_host->getdents64(dir, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n && v == UNTOLD;) {
			const struct dirent64 *d = (const void *)(buf + at);
			v = judge_name(s, layer, merged, d->name);
			at += d->reclen;
		}
	}
	return v;
}

/* The candidate directory `base` in front of a relative path; malloc'd. */
static char *joined(const char *base, const char *path)
{
	pst_auto_buf b = {0};
	if (path[0] != '/')
		pst_buf_fmt(&b, "%s/", pst_streq(base, "/") ? "" : base);
	pst_buf_str(&b, path);
	return pst_buf_take(&b);
}

static int open_one(const char *base, const char *path)
{
	pst_auto_free char *full = joined(base, path);
	if (full == NULL)
		return -1;
	return pst_host->openat(AT_FDCWD, full, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static bool open_stack(const struct pst_ovl_layout *l, const char *base, struct stack *s)
{
	s->fd = calloc(l->n + 1, sizeof *s->fd);
	if (s->fd == NULL)
		return false;
	s->fd[s->n++] = l->upper != NULL ? open_one(base, l->upper) : -1;
	if (l->upper != NULL && s->fd[0] < 0)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const int fd = open_one(base, l->lower[i]);
		if (fd < 0)
			return false;
		s->fd[s->n++] = fd;
	}
	return true;
}

/* Proved by one name of a relative layer, and contradicted by none. */
static bool is_base(const struct pst_ovl_layout *l, const char *base, int merged)
{
	struct stack PST_CLEANUP(stack_done) s = {0};
	if (!open_stack(l, base, &s))
		return false;
	bool proved = false;
	for (size_t i = 0; i < s.n; i++) {
		const char *path = i == 0 ? l->upper : l->lower[i - 1];
		if (path == NULL || path[0] == '/')
			continue;
		const enum verdict v = judge_layer(&s, i, merged);
		if (v == DISPROVED)
			return false;
		proved |= v == PROVED;
	}
	return proved;
}

/* Cut the last part of a path off: "/a/b" -> "/a" -> "/". False at "/". */
static bool to_parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash == NULL || path[1] == '\0')
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

static char *search(const struct pst_ovl_layout *l, const char *from, int merged)
{
	pst_auto_free char *base = pst_path_clean(from);
	if (base == NULL)
		return NULL;
	do {
		if (is_base(l, base, merged))
			return PST_TAKE(base);
	} while (to_parent(base));
	return NULL;
}

static bool make_absolute(char **path, const char *base)
{
	if (*path == NULL || (*path)[0] == '/')
		return true;
	char *full = joined(base, *path);
	if (full == NULL)
		return false;
	free(*path);
	*path = full;
	return true;
}

int pst_overlay_resolve(struct pst_ovl_layout *layout, int merged, const char *point,
			struct pst_err *err)
{
	if (!pst_ovl_is_relative(layout))
		return PST_OK;
	pst_auto_free char *base = NULL;
	if (layout->upper != NULL && layout->upper[0] == '/')
		base = search(layout, layout->upper, merged);
	if (base == NULL)
		base = search(layout, point, merged);
	if (base == NULL) {
		pst_fail(err, PST_E_HOST, "",
			 "the overlay at %s has relative layers (%s), and where they start cannot be told",
			 point, layout->n > 0 ? layout->lower[0] : "");
		pst_err_cure(err, "mount it with absolute directories");
		return PST_E_HOST;
	}

	pst_auto_ovl l = {0};
	const int rc = pst_ovl_copy(layout, &l, err);
	if (rc != PST_OK)
		return rc;
	bool ok = make_absolute(&l.upper, base) && make_absolute(&l.work, base);
	for (size_t i = 0; i < l.n; i++)
		ok = ok && make_absolute(&l.lower[i], base);
	if (!ok)
		return pst_fail_nomem(err);
	const struct pst_ovl_layout old = *layout;
	*layout = l;
	l = old; /* freed at the end of this scope */
	return PST_OK;
}

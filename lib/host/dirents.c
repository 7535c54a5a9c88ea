#include "host/dirents.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/hostops.h"

struct raw_dirent { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

int pst_dirents_each(int fd, pst_dirents_fn *fn, void *arg, struct pst_err *err)
{
	_Alignas(struct raw_dirent) char buf[32768];
	ssize_t n;
	if (pst_host->lseek(fd, 0, SEEK_SET) < 0)
		return pst_fail_sys(err, "cannot rewind a directory");
	while ((n = pst_host->getdents64(fd, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct raw_dirent *d = (const void *)(buf + at);
			at += d->reclen;
			if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
				continue;
			const int rc = fn(arg, d->name, err);
			if (rc != PST_OK)
				return rc;
		}
	}
	return n == 0 ? PST_OK : pst_fail_sys(err, "cannot list a directory");
}

static int keep_name(void *arg, const char *name, struct pst_err *err)
{
	struct pst_dirnames *l = arg;
	if (l->n == l->cap) {
		const size_t cap = l->cap == 0 ? 32 : l->cap * 2;
		char **v = reallocarray(l->v, cap, sizeof *v);
		if (v == NULL)
			return pst_fail_nomem(err);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = strdup(name);
	if (l->v[l->n] == NULL)
		return pst_fail_nomem(err);
	l->n++;
	return PST_OK;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pst_dirnames_read(int fd, struct pst_dirnames *out, struct pst_err *err)
{
	const int rc = pst_dirents_each(fd, keep_name, out, err);
	if (rc != PST_OK)
		pst_dirnames_done(out);
	else if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, by_bytes);
	return rc;
}

void pst_dirnames_done(struct pst_dirnames *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct pst_dirnames){0};
}

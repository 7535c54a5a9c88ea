#include "host/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/hostops.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static bool is_executable(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

static int own_inode(struct stat *st, struct pst_err *err)
{
	if (pst_host->fstatat(AT_FDCWD, "/proc/self/exe", st, 0) != 0)
		return pst_fail_sys(err, "cannot stat /proc/self/exe");
	return PST_OK;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int fail_loop(const char *path, struct pst_err *err)
{
	pst_fail(err, PST_E_RUNTIME, "", "the runtime %s is postern itself", path);
	return pst_err_cure(err, "name the real runtime with --runtime or in the policy's "
				 "/runtime/path");
}

/*
 * A copy of us under another inode: we were started by a postern as its runtime.
 * The variable holds that postern's pid, which is ours after an exec and our
 * parent's after a fork; anything else was inherited from afar and means nothing.
 */
static bool started_as_runtime(void)
{
	uint64_t pid;
	const char *v = getenv(PST_RUNTIME_ENV);
	return v != NULL && pst_num_parse(v, 10, INT32_MAX, &pid) &&
	       ((pid_t)pid == getpid() || (pid_t)pid == getppid());
}

static int check_absolute(const char *path, const struct stat *self, struct pst_err *err)
{
	struct stat st;
	if (path[0] != '/') {
		pst_fail(err, PST_E_RUNTIME, "", "the runtime %s is not an absolute path", path);
		return pst_err_cure(err, "write it from the root, or as a bare name to be found "
					 "in PATH");
	}
	if (pst_host->fstatat(AT_FDCWD, path, &st, 0) != 0) {
		pst_fail(err, PST_E_RUNTIME, "", "cannot find the runtime %s: %s", path,
			 strerror(errno));
		return pst_err_cure(err, "install it, or name another with --runtime or in the "
					 "policy's /runtime/path");
	}
	if (!is_executable(&st))
		return pst_fail(err, PST_E_RUNTIME, "", "the runtime %s is not an executable file",
				path);
	return same_file(&st, self) ? fail_loop(path, err) : PST_OK;
}

/* The candidate of one entry of PATH; false when it is no runtime for us. */
static bool candidate(const char *dir, size_t n, const char *name, const struct stat *self,
		      char *buf, size_t size)
{
	struct stat st;
	if (n == 0 || dir[0] != '/')
		return false;
	const int len = snprintf(buf, size, "%.*s/%s", (int)n, dir, name);
	return len > 0 && (size_t)len < size &&
	       pst_host->fstatat(AT_FDCWD, buf, &st, 0) == 0 && is_executable(&st) &&
	       !same_file(&st, self);
}

static int search_path(const char *name, const struct stat *self, char *buf, size_t size,
		       struct pst_err *err)
{
	const char *path = getenv("PATH");
	if (path == NULL || *path == '\0')
		path = default_path;
	for (;;) {
		const size_t n = strcspn(path, ":");
		if (candidate(path, n, name, self, buf, size))
			return PST_OK;
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	pst_fail(err, PST_E_RUNTIME, "", "no OCI runtime %s in PATH", name);
	return pst_err_cure(err, "install it, or name another with --runtime or in the policy's "
				 "/runtime/path");
}

int pst_runtime_find(const char *name, char **ret_path, struct pst_err *err)
{
	char buf[4096];
	struct stat self;

	if (*name == '\0')
		return pst_fail(err, PST_E_RUNTIME, "", "the runtime's name is empty");
	int rc = own_inode(&self, err);
	if (rc != PST_OK)
		return rc;
	if (strchr(name, '/') != NULL) {
		rc = check_absolute(name, &self, err);
		if (rc == PST_OK && strlen(name) >= sizeof buf)
			rc = pst_fail(err, PST_E_RUNTIME, "", "the runtime's path is too long");
		if (rc == PST_OK)
			memcpy(buf, name, strlen(name) + 1);
	} else {
		rc = search_path(name, &self, buf, sizeof buf, err);
	}
	if (rc != PST_OK)
		return rc;
	if (started_as_runtime())
		return fail_loop(buf, err);
	char *out = strdup(buf);
	if (out == NULL)
		return pst_fail_nomem(err);
	*ret_path = out;
	return PST_OK;
}

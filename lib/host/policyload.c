#include "host/policyload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

#define MAX_FILES 64
#define POLICY_BYTES ((size_t)1 << 20)

struct files {
	json_t *doc[MAX_FILES];
	char *name[MAX_FILES];
	size_t n;
};

static void files_done(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		json_decref(f->doc[i]);
		free(f->name[i]);
	}
}

static int read_one(struct files *f, int dfd, const char *name, const char *path,
		    struct pst_err *err)
{
	pst_auto_buf text = {0};
	if (f->n == MAX_FILES)
		return pst_fail(err, PST_E_POLICY, "", "more than %d policy files", MAX_FILES);
	int rc = pst_io_read_trusted(dfd, name, POLICY_BYTES, &text, err);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, path, &pst_json_oci, &f->doc[f->n], err);
	if (rc == PST_E_SPEC) {
		/* Not the caller's document but the node's. */
		if (err != NULL)
			err->code = PST_E_POLICY;
		rc = PST_E_POLICY;
	}
	if (rc != PST_OK) {
		(void)pst_err_file(err, path);
		return rc;
	}
	f->name[f->n] = strdup(path);
	if (f->name[f->n++] == NULL)
		return pst_fail_nomem(err);
	return PST_OK;
}

/* Who may rename files in the folder chooses what is merged. */
static int check_folder(int fd, const char *dir, struct pst_err *err)
{
	struct stat st;
	if (pst_host->fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot stat %s", dir);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "",
		 "%s is owned by uid %u with mode %04o: others could put files into it", dir,
		 (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	pst_err_file(err, dir);
	return pst_err_cure(err, "chown root %s && chmod go-w %s", dir, dir);
}

static int open_folder(const char *dir, int *ret, struct pst_err *err)
{
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, dir,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		return PST_OK;
	if (fd < 0) {
		pst_fail_sys(err, "cannot open the policy folder %s", dir);
		pst_err_file(err, dir);
		return pst_err_cure(err, "make it a directory and no link, or remove it");
	}
	const int rc = check_folder(fd, dir, err);
	if (rc == PST_OK)
		*ret = PST_TAKE_FD(fd);
	return rc;
}

static int read_folder(struct files *f, const char *file, struct pst_err *err)
{
	char dir[512], path[1024];
	const size_t stem = strlen(file) - (pst_ends(file, ".json") ? strlen(".json") : 0);
	const int n = snprintf(dir, sizeof dir, "%.*s.d", (int)stem, file);
	if (n < 0 || (size_t)n >= sizeof dir)
		return pst_fail(err, PST_E_POLICY, "", "the path of the policy is longer than %zu bytes",
				sizeof dir);
	pst_auto_dirnames names = {0};
	pst_auto_fd fd = -1;
	int rc = open_folder(dir, &fd, err);
	if (rc == PST_OK && fd >= 0)
		rc = pst_dirnames_read(fd, &names, err);
	for (size_t i = 0; rc == PST_OK && i < names.n; i++) {
		if (!pst_ends(names.v[i], ".json") || names.v[i][0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, names.v[i]);
		rc = read_one(f, fd, names.v[i], path, err);
	}
	return rc;
}

int pst_policy_load(const char *file, bool required, const char *class_name,
		    struct pst_policy *ret, struct pst_err *err)
{
	PST_CLEANUP(files_done) struct files f = {.n = 0};
	struct pst_err why = {0};
	int rc = read_one(&f, AT_FDCWD, file, file, &why);
	if (rc == PST_E_HOST && why.sys == ENOENT && !required)
		rc = PST_OK;
	if (rc != PST_OK) {
		if (err != NULL)
			*err = why;
		return rc;
	}
	rc = read_folder(&f, file, err);
	return rc == PST_OK ? pst_policy_build(f.doc, (const char *const *)f.name, f.n, class_name, ret,
					       err)
			    : rc;
}

#include "host/profileload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "config.h"
#include "core/json.h"
#include "core/policytext.h"
#include "core/profiles.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

#define SUFFIX ".json"

const char *pst_profile_dir(void)
{
	return PST_VARDIR "/profiles";
}

static int builtin(const char *name, json_t **ret, struct pst_err *err)
{
	size_t len;
	const char *text = pst_profile_builtin(name, &len);
	if (text != NULL)
		return pst_json_parse(text, len, name, &pst_json_oci, ret, err);
	pst_fail(err, PST_E_USAGE, "", "there is no syscall profile named \"%s\"", name);
	if (err != NULL)
		err->sys = ENOENT;
	return pst_err_cure(err, "name one that `postern profile list` shows, or put it into %s",
			    pst_profile_dir());
}

int pst_profile_load(const char *name, json_t **ret, bool *own, struct pst_err *err)
{
	char file[256];
	struct pst_err why = {0};
	pst_auto_buf text = {0};
	if (own != NULL)
		*own = false;
	if (!pst_policytext_profile(name))
		return pst_fail(err, PST_E_USAGE, "", "\"%s\" is no name of a profile", name);
	pst_auto_fd dir = pst_host->openat(AT_FDCWD, pst_profile_dir(),
					   O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (dir < 0)
		return errno == ENOENT || errno == EACCES ? builtin(name, ret, err)
				       : pst_fail_sys(err, "cannot open %s", pst_profile_dir());
	snprintf(file, sizeof file, "%s" SUFFIX, name);
	int rc = pst_io_read_trusted(dir, file, pst_json_oci.bytes, &text, &why);
	if (rc == PST_E_HOST && why.sys == ENOENT)
		return builtin(name, ret, err);
	snprintf(file, sizeof file, "%s/%s" SUFFIX, pst_profile_dir(), name);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, file, &pst_json_oci, ret, &why);
	if (rc != PST_OK) {
		(void)pst_err_file(&why, file);
		if (err != NULL)
			*err = why;
		return rc;
	}
	if (own != NULL)
		*own = true;
	return PST_OK;
}

static bool has(char *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], name) == 0)
			return true;
	return false;
}

static bool add(char ***v, size_t *n, const char *name, size_t len)
{
	char **more = reallocarray(*v, *n + 2, sizeof *more);
	if (more == NULL)
		return false;
	*v = more;
	more[*n] = strndup(name, len);
	more[*n + 1] = NULL;
	return more[(*n)++] != NULL;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pst_profile_names(char ***ret, struct pst_err *err)
{
	char **v = NULL;
	size_t n = 0;
	bool ok = true;
	pst_auto_dirnames l = {0};
	pst_auto_fd dir = pst_host->openat(AT_FDCWD, pst_profile_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc = dir >= 0 ? pst_dirnames_read(dir, &l, err) : PST_OK;
	for (size_t i = 0; rc == PST_OK && ok && i < l.n; i++) {
		const size_t len = strlen(l.v[i]);
		if (len > strlen(SUFFIX) && strcmp(l.v[i] + len - strlen(SUFFIX), SUFFIX) == 0)
			ok = add(&v, &n, l.v[i], len - strlen(SUFFIX));
	}
	for (size_t i = 0; rc == PST_OK && ok && pst_profile_builtin_name(i) != NULL; i++)
		if (!has(v, n, pst_profile_builtin_name(i)))
			ok = add(&v, &n, pst_profile_builtin_name(i), strlen(pst_profile_builtin_name(i)));
	if (rc != PST_OK || !ok) {
		pst_profile_names_done(v);
		return rc != PST_OK ? rc : pst_fail_nomem(err);
	}
	qsort(v, n, sizeof *v, compare);
	*ret = v;
	return PST_OK;
}

void pst_profile_names_done(char **names)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

/* Knowing the runtime, and remembering it: the third part of host/runtime.h. */
#include "host/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/json.h"
#include "host/hostops.h"
#include "host/io.h"

#define CACHE "facts.cache"
#define CACHE_MAX 65536
#define CACHE_ENTRIES 16 /* more runtimes than this on one node: start afresh */

/* What changes when the file at a path is another one. */
struct stamp {
	char text[160];
};

static int stamp_of(const char *path, struct stamp *ret, struct pst_err *err)
{
	struct stat st;
	if (pst_host->fstatat(AT_FDCWD, path, &st, 0) != 0)
		return pst_fail_sys(err, "cannot stat the runtime %s", path);
	snprintf(ret->text, sizeof ret->text, "%llu %llu %lld %lld.%09ld",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		 (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return PST_OK;
}

static json_t *cache_read(int dfd)
{
	pst_auto_buf text = {0};
	json_t *tree = NULL;
	if (dfd < 0 || pst_io_read_trusted(dfd, CACHE, CACHE_MAX, &text, NULL) != PST_OK ||
	    pst_json_parse(text.data != NULL ? text.data : "", text.len, CACHE, &pst_json_oci,
			   &tree, &(struct pst_err){0}) != PST_OK)
		return NULL;
	if (json_is_object(tree))
		return tree;
	json_decref(tree);
	return NULL;
}

static bool get_text(const json_t *o, const char *key, char *dst, size_t size)
{
	const char *s = pst_json_str(json_object_get(o, key));
	if (s == NULL || strlen(s) >= size)
		return false;
	memcpy(dst, s, strlen(s) + 1);
	return true;
}

/* The record of `path` if it is about the file there now. */
static bool cache_get(const json_t *cache, const char *path, const struct stamp *stamp,
		      struct pst_runtime *rt)
{
	const json_t *o = json_object_get(cache, path);
	const char *was = pst_json_str(json_object_get(o, "stamp"));
	const json_t *v = json_object_get(o, "version");
	if (was == NULL || strcmp(was, stamp->text) != 0 || json_array_size(v) != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		rt->version[i] = (int)json_integer_value(json_array_get(v, i));
	rt->has_features = json_is_true(json_object_get(o, "features"));
	return get_text(o, "name", rt->name, sizeof rt->name) &&
	       get_text(o, "spec", rt->spec, sizeof rt->spec) &&
	       get_text(o, "libseccomp", rt->libseccomp, sizeof rt->libseccomp);
}

static void cache_put(int dfd, json_t *cache, const char *path, const struct stamp *stamp,
		      const struct pst_runtime *rt)
{
	pst_auto_json *tree = cache != NULL && json_object_size(cache) < CACHE_ENTRIES
				     ? json_incref(cache)
				     : json_object();
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:[i,i,i], s:b}", "stamp", stamp->text, "name",
			      rt->name, "spec", rt->spec, "libseccomp", rt->libseccomp, "version",
			      rt->version[0], rt->version[1], rt->version[2], "features",
			      (int)rt->has_features);
	pst_auto_buf text = {0};
	if (json_object_set_new(tree, path, o) != 0 ||
	    pst_json_dump(tree, PST_JSON_COMPACT, &text, NULL) != PST_OK)
		return;
	/* Without this file the next start is slower, nothing else. */
	const int rc = pst_io_replace(dfd, CACHE, text.data, text.len, 0600, NULL);
	(void)rc;
}

static int ask(const char *path, const char *arg, struct pst_buf *out, int *status,
	       struct pst_err *err)
{
	const char *const argv[] = {path, arg, NULL};
	const struct pst_spawn s = {
		.path = path,
		.argv = argv,
		.out = out,
		.out_max = (size_t)1 << 20,
		.quiet = true,
		.die_with_us = true,
	};
	return pst_runtime_run(&s, status, err);
}

static int ask_version(const char *path, struct pst_runtime *rt, struct pst_err *err)
{
	pst_auto_buf text = {0};
	int status = 0;
	int rc = ask(path, "--version", &text, &status, err);
	if (rc != PST_OK)
		return rc;
	if (status != 0)
		return pst_fail(err, PST_E_RUNTIME, "", "%s --version exits with status %d", path,
				status);
	rc = pst_runver_parse(pst_buf_cstr(&text), text.len, rt, err);
	return rc == PST_OK ? rc : pst_err_prefix(err, "%s", path);
}

static int ask_features(const char *path, struct pst_runtime *rt, struct pst_err *err)
{
	pst_auto_buf text = {0};
	pst_auto_json *tree = NULL;
	int status = 0;
	const int rc = ask(path, "features", &text, &status, err);
	if (rc != PST_OK)
		return rc;
	rt->has_features = status == 0 &&
			   pst_json_parse(pst_buf_cstr(&text), text.len, path, &pst_json_oci, &tree,
					  &(struct pst_err){0}) == PST_OK &&
			   json_is_object(tree);
	return PST_OK;
}

int pst_runtime_probe(int state_dirfd, const char *path, struct pst_runtime *ret,
		      struct pst_err *err)
{
	struct stamp stamp;
	struct pst_runtime rt = {0};

	int rc = stamp_of(path, &stamp, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_json *cache = cache_read(state_dirfd);
	if (!cache_get(cache, path, &stamp, &rt)) {
		rt = (struct pst_runtime){0};
		rc = ask_version(path, &rt, err);
		if (rc == PST_OK)
			rc = ask_features(path, &rt, err);
		if (rc != PST_OK)
			return rc;
		if (state_dirfd >= 0)
			cache_put(state_dirfd, cache, path, &stamp, &rt);
	}
	rt.path = strdup(path);
	if (rt.path == NULL)
		return pst_fail_nomem(err);
	*ret = rt;
	return PST_OK;
}

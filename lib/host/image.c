#include "host/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/beside.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/runtime.h"

/* Where the bytes of a layout come from. */
struct source {
	char path[PATH_MAX];
	bool tar;
	char *unpack; /* postern-unpack */
};

void pst_image_done(struct pst_image *i)
{
	for (size_t k = 0; k < i->nlayers; k++)
		free(i->layers[k]);
	free(i->layers);
	pst_oci_config_done(&i->config);
	*i = (struct pst_image){0};
}

/* Run postern-unpack with `in` as its stdin. `out` NULL: its stdout is ours. */
static int unpack(const struct source *s, const char *const argv[], int in, struct pst_buf *out,
		  struct pst_err *err)
{
	int status = 0;
	pst_auto_fd keep = pst_host->fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (pst_host->dup3(in, 0, 0) < 0)
		return pst_fail_sys(err, "cannot hand a blob over");
	const struct pst_spawn sp = {
		.path = s->unpack, .argv = argv, .out = out, .die_with_us = true};
	const int rc = pst_runtime_run(&sp, &status, err);
	if (keep >= 0)
		(void)pst_host->dup3(keep, 0, 0);
	if (rc == PST_OK && status != 0)
		return pst_fail(err, PST_E_SPEC, "", "the image %s was not unpacked (see above)", s->path);
	return rc;
}

/* A document of the layout: a file of the directory, or a member of the tar. */
static int document(const struct source *s, const char *name, struct pst_buf *out,
		    struct pst_err *err)
{
	if (!s->tar) {
		pst_auto_fd dir = pst_host->openat(AT_FDCWD, s->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (dir < 0)
			return pst_fail_sys(err, "cannot open %s", s->path);
		return pst_io_read_file(dir, name, pst_json_oci.bytes, out, err);
	}
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, s->path, O_RDONLY | O_CLOEXEC, 0);
	const char *const argv[] = {"postern-unpack", "cat", "--member", name, NULL};
	return fd < 0 ? pst_fail_sys(err, "cannot open %s", s->path) : unpack(s, argv, fd, out, err);
}

/* A blob is what its digest says, or nothing. */
static int blob(const struct source *s, const struct pst_oci_desc *d, struct pst_buf *out,
		struct pst_err *err)
{
	char name[100], hex[SHA256_DIGEST_STRING_LENGTH];
	snprintf(name, sizeof name, "blobs/sha256/%s", d->hex);
	const int rc = document(s, name, out, err);
	if (rc != PST_OK)
		return rc;
	SHA256Data((const uint8_t *)pst_buf_cstr(out), out->len, hex);
	if (strcmp(hex, d->hex) == 0 && out->len == d->size)
		return PST_OK;
	pst_fail(err, PST_E_SPEC, "", "blob sha256:%s of the image does not have that digest and size",
		 d->hex);
	(void)pst_err_file(err, s->path);
	return pst_err_cure(err, "fetch the image again: it was changed or cut off");
}

static int manifest_of(const struct source *s, const char *tag, struct pst_oci_manifest *ret,
		       struct pst_err *err)
{
	struct pst_oci_desc d;
	pst_auto_buf layout = {0}, index = {0}, more = {0}, text = {0};
	int rc = document(s, "oci-layout", &layout, err);
	if (rc == PST_OK)
		rc = pst_ociimage_layout(pst_buf_cstr(&layout), layout.len, "oci-layout", err);
	if (rc == PST_OK)
		rc = document(s, "index.json", &index, err);
	if (rc == PST_OK)
		rc = pst_ociimage_index(pst_buf_cstr(&index), index.len, "index.json", tag, &d, err);
	if (rc == PST_OK && d.kind == PST_OCI_INDEX) {
		rc = blob(s, &d, &more, err);
		if (rc == PST_OK)
			rc = pst_ociimage_platform(pst_buf_cstr(&more), more.len, "image index", &d, err);
	}
	if (rc == PST_OK)
		rc = blob(s, &d, &text, err);
	return rc == PST_OK ? pst_ociimage_manifest(pst_buf_cstr(&text), text.len, "manifest", ret, err)
			    : rc;
}

static int layer(const struct source *s, const struct pst_oci_desc *d, const char *diffid,
		 const char *cache, struct pst_err *err)
{
	char digest[80], diff[80], size[32], member[100], path[PATH_MAX + 100];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", cache, diffid);
	if (pst_host->fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return PST_OK; /* appears only whole: unpacked aside and renamed */
	snprintf(digest, sizeof digest, "sha256:%s", d->hex);
	snprintf(diff, sizeof diff, "sha256:%s", diffid);
	snprintf(size, sizeof size, "%llu", (unsigned long long)d->size);
	snprintf(member, sizeof member, "blobs/sha256/%s", d->hex);
	snprintf(path, sizeof path, s->tar ? "%s" : "%s/blobs/sha256/%s", s->path, d->hex);
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the layer %s", path);
	const char *argv[20] = {"postern-unpack", "layer", "--layers", cache, "--digest", digest,
				"--size", size, "--diffid", diff, "--compression",
				d->kind == PST_OCI_TAR_GZIP ? "gzip"
				: d->kind == PST_OCI_TAR_ZSTD ? "zstd" : "none"};
	if (s->tar) {
		argv[12] = "--member";
		argv[13] = member;
	}
	return unpack(s, argv, fd, NULL, err);
}

static int make_dir(const char *path, struct pst_err *err)
{
	struct stat st;
	if (pst_host->mkdirat(AT_FDCWD, path, 0700) != 0 && errno != EEXIST)
		return pst_fail_sys(err, "cannot make %s", path);
	if (pst_host->fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return pst_fail_sys(err, "cannot look at %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		pst_fail(err, PST_E_POLICY, "", "%s is not a directory that root alone can write", path);
		return pst_err_cure(err, "chown root %s && chmod 0700 %s", path, path);
	}
	return PST_OK;
}

static int all_layers(const struct source *s, const struct pst_oci_manifest *m, const char *cache,
		      struct pst_image *i, struct pst_err *err)
{
	int rc = PST_OK;
	i->layers = calloc(m->nlayers + 1, sizeof *i->layers);
	if (i->layers == NULL)
		return pst_fail_nomem(err);
	for (size_t k = 0; rc == PST_OK && k < m->nlayers; k++) {
		char path[PATH_MAX + 80];
		const char *id = i->config.diffids[k];
		rc = layer(s, &m->layers[k], id, cache, err);
		snprintf(path, sizeof path, "%s/%s/fs", cache, id);
		/* overlayfs lists the topmost first, a manifest the bottom. */
		i->layers[m->nlayers - 1 - k] = strdup(path);
		if (rc == PST_OK && i->layers[m->nlayers - 1 - k] == NULL)
			rc = pst_fail_nomem(err);
	}
	i->nlayers = m->nlayers;
	return rc;
}

static int prepare(const struct source *s, const char *tag, const char *cache, struct pst_image *i,
		   struct pst_err *err)
{
	struct pst_oci_manifest m = {0};
	pst_auto_buf config = {0};
	int rc = manifest_of(s, tag, &m, err);
	if (rc == PST_OK)
		rc = blob(s, &m.config, &config, err);
	if (rc == PST_OK)
		rc = pst_ociimage_config(pst_buf_cstr(&config), config.len, "image config", m.nlayers,
					 &i->config, err);
	if (rc == PST_OK)
		rc = all_layers(s, &m, cache, i, err);
	pst_oci_manifest_done(&m);
	return rc;
}

int pst_image_prepare(const char *var_dir, const char *ref, struct pst_image *ret,
		      struct pst_err *err)
{
	char cache[PATH_MAX];
	const char *tag;
	struct stat st;
	struct source s = {0};
	struct pst_image i = {0};
	const size_t n = pst_ociimage_split(ref, &tag);
	snprintf(s.path, sizeof s.path, "%.*s", (int)n, ref);
	if (pst_host->fstatat(AT_FDCWD, s.path, &st, 0) != 0)
		return pst_fail_sys(err, "cannot find the image layout %s", s.path);
	s.tar = !S_ISDIR(st.st_mode);
	pst_auto_free char *program = pst_beside("postern-unpack");
	s.unpack = program;
	if (program == NULL)
		return pst_fail(err, PST_E_HOST, "", "the program postern-unpack is not installed");
	int rc = make_dir(var_dir, err);
	snprintf(cache, sizeof cache, "%s/layers", var_dir);
	if (rc == PST_OK)
		rc = make_dir(cache, err);
	if (rc == PST_OK)
		rc = prepare(&s, tag, cache, &i, err);
	if (rc != PST_OK) {
		pst_image_done(&i);
		return rc;
	}
	*ret = i;
	return PST_OK;
}

int pst_image_scratch(const char *var_dir, const char *name, char upper[300], char work[300],
		      struct pst_err *err)
{
	char dir[280];
	snprintf(dir, sizeof dir, "%s/launch", var_dir);
	int rc = make_dir(dir, err);
	if (rc != PST_OK)
		return rc;
	snprintf(dir, sizeof dir, "%s/launch/%.64s", var_dir, name);
	if (pst_host->mkdirat(AT_FDCWD, dir, 0700) != 0)
		return errno == EEXIST ? pst_fail(err, PST_E_STATE, "", "the name \"%s\" is in use", name)
				       : pst_fail_sys(err, "cannot make %s", dir);
	snprintf(upper, 300, "%s/fs", dir);
	snprintf(work, 300, "%s/work", dir);
	/* The root directory of a container is searchable by everybody inside. */
	if (pst_host->mkdirat(AT_FDCWD, upper, 0755) != 0 || pst_host->mkdirat(AT_FDCWD, work, 0700) != 0)
		return pst_fail_sys(err, "cannot make %s", upper);
	return PST_OK;
}

int pst_image_scratch_remove(const char *var_dir, const char *name, struct pst_err *err)
{
	char dir[280];
	snprintf(dir, sizeof dir, "%s/launch", var_dir);
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT ? PST_OK : pst_fail_sys(err, "cannot open %s", dir);
	return pst_io_remove_tree(fd, name, err);
}

#include "core/ociimage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/json.h"
#include "core/ociimage_priv.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define CTR_NAME "io.containerd.image.name"

static const struct {
	const char *media;
	enum pst_oci_kind kind;
} media_types[] = {
	{"application/vnd.oci.image.index.v1+json", PST_OCI_INDEX},
	{"application/vnd.docker.distribution.manifest.list.v2+json", PST_OCI_INDEX},
	{"application/vnd.oci.image.manifest.v1+json", PST_OCI_MANIFEST},
	{"application/vnd.docker.distribution.manifest.v2+json", PST_OCI_MANIFEST},
	{"application/vnd.oci.image.config.v1+json", PST_OCI_CONFIG},
	{"application/vnd.docker.container.image.v1+json", PST_OCI_CONFIG},
	{"application/vnd.oci.image.layer.v1.tar", PST_OCI_TAR},
	{"application/vnd.oci.image.layer.v1.tar+gzip", PST_OCI_TAR_GZIP},
	{"application/vnd.oci.image.layer.v1.tar+zstd", PST_OCI_TAR_ZSTD},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", PST_OCI_TAR},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", PST_OCI_TAR_GZIP},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", PST_OCI_TAR_ZSTD},
	{"application/vnd.docker.image.rootfs.diff.tar", PST_OCI_TAR},
	{"application/vnd.docker.image.rootfs.diff.tar.gzip", PST_OCI_TAR_GZIP},
	{"application/vnd.docker.image.rootfs.diff.tar.zstd", PST_OCI_TAR_ZSTD},
};

const struct pst_json_limits pst_ociimage_limits = {.bytes = PST_OCI_BLOB_MAX, .depth = 32};

int pst_ociimage_refuse(struct pst_err *err, const char *file, const char *pointer, const char *fmt,
			...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pst_fail(err, PST_E_SPEC, pointer, "%s", text);
	pst_err_file(err, file);
	pst_err_cure(err, "export the image again as an OCI image layout");
	return PST_E_SPEC;
}

int pst_ociimage_digest(const char *text, char hex[PST_OCI_HEX + 1], struct pst_err *err)
{
	const char *digits = text + strlen("sha256:");
	if (!pst_starts(text, "sha256:") || strlen(digits) != PST_OCI_HEX ||
	    strspn(digits, "0123456789abcdef") != PST_OCI_HEX)
		return pst_fail(err, PST_E_SPEC, "",
				"digest \"%.100s\" is not sha256: and 64 lower-case hexadecimal "
				"digits",
				text);
	memcpy(hex, digits, PST_OCI_HEX + 1);
	return PST_OK;
}

int pst_ociimage_parse(const char *text, size_t len, const char *name, json_t **ret,
		       struct pst_err *err)
{
	pst_auto_json *j = NULL;
	const int rc = pst_json_parse(text, len, name, &pst_ociimage_limits, &j, err);
	if (rc != PST_OK)
		return rc;
	if (!json_is_object(j))
		return pst_ociimage_refuse(err, name, "", "is not a JSON object");
	*ret = PST_TAKE(j);
	return PST_OK;
}

int pst_ociimage_layout(const char *text, size_t len, const char *name, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	const int rc = pst_ociimage_parse(text, len, name, &j, err);
	if (rc != PST_OK)
		return rc;
	const char *version = pst_json_str(json_object_get(j, "imageLayoutVersion"));
	if (!pst_streq(version, "1.0.0"))
		return pst_ociimage_refuse(err, name, "/imageLayoutVersion",
					   "image layout version \"%.20s\" is not 1.0.0",
					   version == NULL ? "" : version);
	return PST_OK;
}

static int read_kind(const json_t *j, const char *file, const char *pointer, enum pst_oci_kind *ret,
		     struct pst_err *err)
{
	const char *media = pst_json_str(json_object_get(j, "mediaType"));
	for (size_t i = 0; media != NULL && i < PST_NELEM(media_types); i++)
		if (strcmp(media, media_types[i].media) == 0) {
			*ret = media_types[i].kind;
			return PST_OK;
		}
	return pst_ociimage_refuse(err, file, pointer, "media type \"%.100s\" is not known",
				   media == NULL ? "" : media);
}

/* One descriptor; `at` is its pointer. */
static int read_desc(const json_t *j, const char *file, const char *at, struct pst_oci_desc *ret,
		     struct pst_err *err)
{
	struct pst_oci_desc d = {0};
	char pointer[128];
	snprintf(pointer, sizeof pointer, "%s/mediaType", at);
	int rc = read_kind(j, file, pointer, &d.kind, err);
	if (rc != PST_OK)
		return rc;
	const char *digest = pst_json_str(json_object_get(j, "digest"));
	snprintf(pointer, sizeof pointer, "%s/digest", at);
	rc = pst_ociimage_digest(digest == NULL ? "" : digest, d.hex, NULL);
	if (rc != PST_OK)
		return pst_ociimage_refuse(err, file, pointer,
					   "digest \"%.100s\" is not sha256: and 64 lower-case "
					   "hexadecimal digits",
					   digest == NULL ? "" : digest);
	snprintf(pointer, sizeof pointer, "%s/size", at);
	if (!pst_json_u64(json_object_get(j, "size"), &d.size) || d.size > INT64_MAX)
		return pst_ociimage_refuse(err, file, pointer, "size is not a number of bytes");
	if (d.kind <= PST_OCI_CONFIG && d.size > PST_OCI_BLOB_MAX)
		return pst_ociimage_refuse(err, file, pointer,
					   "document of %llu bytes is longer than %llu",
					   (unsigned long long)d.size,
					   (unsigned long long)PST_OCI_BLOB_MAX);
	*ret = d;
	return PST_OK;
}

/* Entries without a platform fit: a layout of one image need not name it. */
static bool platform_fits(const json_t *entry)
{
	const json_t *p = json_object_get(entry, "platform");
	return p == NULL ||
	       (pst_streq(pst_json_str(json_object_get(p, "os")), "linux") &&
		pst_streq(pst_json_str(json_object_get(p, "architecture")), PST_OCI_ARCH));
}

static const char *annotation(const json_t *entry, const char *key)
{
	return pst_json_str(json_object_get(json_object_get(entry, "annotations"), key));
}

static bool tag_fits(const json_t *entry, const char *tag)
{
	if (pst_streq(annotation(entry, REF_NAME), tag))
		return true;
	const char *name = annotation(entry, CTR_NAME);
	if (name == NULL)
		return false;
	const char *own = NULL;
	(void)!pst_ociimage_split(name, &own);
	return pst_streq(name, tag) || pst_streq(own, tag);
}

static int no_such_tag(const json_t *entries, const char *file, const char *tag,
		       struct pst_err *err)
{
	pst_auto_buf names = {0};
	size_t i;
	json_t *e;
	json_array_foreach(entries, i, e)
	{
		const char *name = annotation(e, REF_NAME);
		if (name != NULL && names.len < 200)
			pst_buf_fmt(&names, "%s%.60s", names.len == 0 ? "" : ", ", name);
	}
	pst_fail(err, PST_E_SPEC, "/manifests", "no image called \"%.100s\"", tag);
	pst_err_file(err, file);
	pst_err_cure(err, "name a tag of the layout as LAYOUT:TAG; it has: %s",
		     names.len == 0 ? "none with a name" : pst_buf_cstr(&names));
	return PST_E_SPEC;
}

/* Index of the wanted entry, or -1; several fit only when their digests agree. */
static int choose(const json_t *entries, const char *tag)
{
	int found = -1;
	size_t i;
	json_t *e;
	json_array_foreach(entries, i, e)
	{
		if ((tag != NULL && !tag_fits(e, tag)) || !platform_fits(e))
			continue;
		if (found < 0)
			found = (int)i;
		else if (tag == NULL &&
			 !json_equal(json_object_get(e, "digest"),
				     json_object_get(json_array_get(entries, (size_t)found),
						     "digest")))
			return -1;
	}
	return found;
}

static int read_chosen(const json_t *entries, const char *name, int n, struct pst_oci_desc *ret,
		       struct pst_err *err)
{
	char at[40];
	snprintf(at, sizeof at, "/manifests/%d", n);
	struct pst_oci_desc d;
	const int rc = read_desc(json_array_get(entries, (size_t)n), name, at, &d, err);
	if (rc != PST_OK)
		return rc;
	if (d.kind > PST_OCI_MANIFEST)
		return pst_ociimage_refuse(err, name, at, "names neither a manifest nor an index");
	*ret = d;
	return PST_OK;
}

static int entries_of(json_t *index, const char *name, json_t **ret, struct pst_err *err)
{
	json_t *entries = json_object_get(index, "manifests");
	if (!json_is_array(entries) || json_array_size(entries) == 0)
		return pst_ociimage_refuse(err, name, "/manifests", "names no image");
	*ret = entries;
	return PST_OK;
}

int pst_ociimage_index(const char *text, size_t len, const char *name, const char *tag,
		       struct pst_oci_desc *ret, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	json_t *entries = NULL; /* borrowed from j */
	int rc = pst_ociimage_parse(text, len, name, &j, err);
	if (rc == PST_OK)
		rc = entries_of(j, name, &entries, err);
	if (rc != PST_OK)
		return rc;
	int n = choose(entries, tag);
	if (n < 0 && tag == NULL)
		n = choose(entries, "latest");
	if (n < 0)
		return no_such_tag(entries, name, tag == NULL ? "latest" : tag, err);
	return read_chosen(entries, name, n, ret, err);
}

int pst_ociimage_platform(const char *text, size_t len, const char *name, struct pst_oci_desc *ret,
			  struct pst_err *err)
{
	pst_auto_json *j = NULL;
	json_t *entries = NULL; /* borrowed from j */
	int rc = pst_ociimage_parse(text, len, name, &j, err);
	if (rc == PST_OK)
		rc = entries_of(j, name, &entries, err);
	if (rc != PST_OK)
		return rc;
	size_t i;
	json_t *e;
	json_array_foreach(entries, i, e) if (platform_fits(e)) return read_chosen(
		entries, name, (int)i, ret, err);
	pst_fail(err, PST_E_SPEC, "/manifests", "image has nothing for linux/%s", PST_OCI_ARCH);
	pst_err_file(err, name);
	pst_err_cure(err, "pull the image for linux/%s", PST_OCI_ARCH);
	return PST_E_SPEC;
}

static int read_layers(const json_t *layers, const char *name, struct pst_oci_manifest *m,
		       struct pst_err *err)
{
	size_t i;
	json_t *l;
	json_array_foreach(layers, i, l)
	{
		char at[40];
		snprintf(at, sizeof at, "/layers/%zu", i);
		const int rc = read_desc(l, name, at, &m->layers[i], err);
		if (rc != PST_OK)
			return rc;
		if (m->layers[i].kind < PST_OCI_TAR)
			return pst_ociimage_refuse(err, name, at, "is not a layer");
		m->nlayers++;
	}
	return PST_OK;
}

int pst_ociimage_manifest(const char *text, size_t len, const char *name,
			  struct pst_oci_manifest *ret, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	int rc = pst_ociimage_parse(text, len, name, &j, err);
	if (rc != PST_OK)
		return rc;
	PST_CLEANUP(pst_oci_manifest_done) struct pst_oci_manifest m = {0};
	rc = read_desc(json_object_get(j, "config"), name, "/config", &m.config, err);
	if (rc != PST_OK)
		return rc;
	if (m.config.kind != PST_OCI_CONFIG)
		return pst_ociimage_refuse(err, name, "/config", "is not an image config");
	const json_t *layers = json_object_get(j, "layers");
	const size_t n = json_array_size(layers);
	if (!json_is_array(layers) || n == 0 || n > PST_OCI_LAYERS_MAX)
		return pst_ociimage_refuse(err, name, "/layers",
					   "has %zu layers; 1 to %d can be mounted", n,
					   PST_OCI_LAYERS_MAX);
	m.layers = calloc(n, sizeof *m.layers);
	if (m.layers == NULL)
		return pst_fail_nomem(err);
	rc = read_layers(layers, name, &m, err);
	if (rc != PST_OK)
		return rc;
	*ret = m;
	m = (struct pst_oci_manifest){0};
	return PST_OK;
}

void pst_oci_manifest_done(struct pst_oci_manifest *m)
{
	free(m->layers);
	*m = (struct pst_oci_manifest){0};
}

size_t pst_ociimage_split(const char *ref, const char **tag)
{
	const char *slash = strrchr(ref, '/');
	const char *colon = strrchr(slash == NULL ? ref : slash, ':');
	*tag = colon == NULL ? NULL : colon + 1;
	return colon == NULL ? strlen(ref) : (size_t)(colon - ref);
}

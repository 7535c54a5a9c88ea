#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/ociimage.h"
#include "core/ociimage_priv.h"

/* Longest list of an image config; a command line of the kernel has fewer words. */
#define LIST_MAX 4096

static void list_free(char **v)
{
	for (size_t i = 0; v != NULL && v[i] != NULL; i++)
		free(v[i]);
	free(v);
}

/* A JSON string that a C string can hold: JSON allows \u0000 inside one. */
static const char *c_text(const json_t *j)
{
	const char *s = pst_json_str(j);
	return s != NULL && strlen(s) == json_string_length(j) ? s : NULL;
}

/* Array of strings or null or absent; *ret is never NULL on success. */
static int read_list(const json_t *j, const char *file, const char *pointer, char ***ret,
		     struct pst_err *err)
{
	const size_t n = json_array_size(j);
	if ((j != NULL && !json_is_null(j) && !json_is_array(j)) || n > LIST_MAX)
		return pst_ociimage_refuse(err, file, pointer, "is not a list of at most %d texts",
					   LIST_MAX);
	char **v = calloc(n + 1, sizeof *v);
	if (v == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const char *s = c_text(json_array_get(j, i));
		if (s == NULL) {
			list_free(v);
			return pst_ociimage_refuse(err, file, pointer, "item %zu is not a text", i);
		}
		v[i] = strdup(s);
		if (v[i] == NULL) {
			list_free(v);
			return pst_fail_nomem(err);
		}
	}
	*ret = v;
	return PST_OK;
}

/* The keys of an object: config.Volumes is a set written so. */
static int read_keys(json_t *j, const char *file, const char *pointer, char ***ret,
		     struct pst_err *err)
{
	const size_t n = json_object_size(j);
	if ((j != NULL && !json_is_null(j) && !json_is_object(j)) || n > LIST_MAX)
		return pst_ociimage_refuse(err, file, pointer, "is not an object");
	char **v = calloc(n + 1, sizeof *v);
	if (v == NULL)
		return pst_fail_nomem(err);
	const char *key;
	json_t *value;
	size_t i = 0;
	json_object_foreach(j, key, value)
	{
		v[i] = strdup(key);
		if (v[i++] == NULL) {
			list_free(v);
			return pst_fail_nomem(err);
		}
	}
	*ret = v;
	return PST_OK;
}

static int read_text(const json_t *j, const char *file, const char *pointer, char **ret,
		     struct pst_err *err)
{
	if (j == NULL || json_is_null(j))
		return PST_OK;
	const char *s = c_text(j);
	if (s == NULL)
		return pst_ociimage_refuse(err, file, pointer, "is not a text");
	*ret = strdup(s);
	return *ret == NULL ? pst_fail_nomem(err) : PST_OK;
}

/* The object "config"; an image need not have one. */
static int read_process(const json_t *j, const char *name, struct pst_oci_config *c,
			struct pst_err *err)
{
	if (j != NULL && !json_is_null(j) && !json_is_object(j))
		return pst_ociimage_refuse(err, name, "/config", "is not an object");
	int rc = read_list(json_object_get(j, "Entrypoint"), name, "/config/Entrypoint",
			   &c->entrypoint, err);
	if (rc == PST_OK)
		rc = read_list(json_object_get(j, "Cmd"), name, "/config/Cmd", &c->cmd, err);
	if (rc == PST_OK)
		rc = read_list(json_object_get(j, "Env"), name, "/config/Env", &c->env, err);
	if (rc == PST_OK)
		rc = read_keys(json_object_get(j, "Volumes"), name, "/config/Volumes", &c->volumes,
			       err);
	if (rc == PST_OK)
		rc = read_text(json_object_get(j, "User"), name, "/config/User", &c->user, err);
	if (rc == PST_OK)
		rc = read_text(json_object_get(j, "WorkingDir"), name, "/config/WorkingDir",
			       &c->workdir, err);
	if (rc == PST_OK)
		rc = read_text(json_object_get(j, "StopSignal"), name, "/config/StopSignal",
			       &c->stop_signal, err);
	for (size_t i = 0; rc == PST_OK && c->env[i] != NULL; i++)
		if (strchr(c->env[i], '=') == NULL || c->env[i][0] == '=')
			return pst_ociimage_refuse(err, name, "/config/Env",
						   "item %zu is not NAME=VALUE", i);
	return rc;
}

static int read_diffids(const json_t *rootfs, const char *name, size_t nlayers,
			struct pst_oci_config *c, struct pst_err *err)
{
	const json_t *ids = json_object_get(rootfs, "diff_ids");
	if (!pst_streq(pst_json_str(json_object_get(rootfs, "type")), "layers"))
		return pst_ociimage_refuse(err, name, "/rootfs/type", "is not \"layers\"");
	if (!json_is_array(ids) || json_array_size(ids) != nlayers)
		return pst_ociimage_refuse(err, name, "/rootfs/diff_ids",
					   "has %zu entries for %zu layers", json_array_size(ids),
					   nlayers);
	c->diffids = calloc(nlayers + 1, sizeof *c->diffids);
	if (c->diffids == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < nlayers; i++) {
		const char *s = pst_json_str(json_array_get(ids, i));
		char pointer[48];
		snprintf(pointer, sizeof pointer, "/rootfs/diff_ids/%zu", i);
		if (pst_ociimage_digest(s == NULL ? "" : s, c->diffids[i], NULL) != PST_OK)
			return pst_ociimage_refuse(err, name, pointer, "is not a sha256 digest");
	}
	c->ndiffids = nlayers;
	return PST_OK;
}

int pst_ociimage_config(const char *text, size_t len, const char *name, size_t nlayers,
			struct pst_oci_config *ret, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	int rc = pst_ociimage_parse(text, len, name, &j, err);
	if (rc != PST_OK)
		return rc;
	const char *os = pst_json_str(json_object_get(j, "os"));
	const char *arch = pst_json_str(json_object_get(j, "architecture"));
	if ((os != NULL && strcmp(os, "linux") != 0) ||
	    (arch != NULL && strcmp(arch, PST_OCI_ARCH) != 0))
		return pst_ociimage_refuse(err, name, "/architecture",
					   "image is for %.20s/%.20s, this machine is linux/%s",
					   os == NULL ? "linux" : os, arch == NULL ? "?" : arch,
					   PST_OCI_ARCH);
	PST_CLEANUP(pst_oci_config_done) struct pst_oci_config c = {0};
	rc = read_process(json_object_get(j, "config"), name, &c, err);
	if (rc == PST_OK)
		rc = read_diffids(json_object_get(j, "rootfs"), name, nlayers, &c, err);
	if (rc != PST_OK)
		return rc;
	*ret = c;
	c = (struct pst_oci_config){0};
	return PST_OK;
}

void pst_oci_config_done(struct pst_oci_config *c)
{
	list_free(c->entrypoint);
	list_free(c->cmd);
	list_free(c->env);
	list_free(c->volumes);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	free(c->diffids);
	*c = (struct pst_oci_config){0};
}

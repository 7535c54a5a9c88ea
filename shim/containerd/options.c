#include "containerd/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "containerd/toml.h"
#include "proto/options.pb-c.h"

#define CONFIG_MAX 65536

void pst_options_done(struct pst_shim_options *o)
{
	free(o->binary_name);
	free(o->root);
	free(o->shim_cgroup);
	free(o->class_name);
	free(o->policy);
	*o = (struct pst_shim_options){0};
}

static int keep(char **at, const char *value, struct pst_err *err)
{
	if (value[0] == '\0')
		return PST_OK;
	if (strchr(value, '\n') != NULL)
		return pst_fail(err, PST_E_SPEC, "", "an option holds a line break");
	free(*at);
	*at = strdup(value);
	return *at == NULL ? pst_fail_nomem(err) : PST_OK;
}

int pst_options_set(struct pst_shim_options *o, const char *key, const char *value,
		    struct pst_err *err)
{
	const struct {
		const char *key;
		char **text;
		bool *on;
		uint32_t *number;
	} keys[] = {
		{"BinaryName", &o->binary_name, NULL, NULL},
		{"Root", &o->root, NULL, NULL},
		{"ShimCgroup", &o->shim_cgroup, NULL, NULL},
		{"Class", &o->class_name, NULL, NULL},
		{"Policy", &o->policy, NULL, NULL},
		{"SystemdCgroup", NULL, &o->systemd_cgroup, NULL},
		{"NoPivotRoot", NULL, &o->no_pivot_root, NULL},
		{"NoNewKeyring", NULL, &o->no_new_keyring, NULL},
		{"IoUid", NULL, NULL, &o->io_uid},
		{"IoGid", NULL, NULL, &o->io_gid},
	};
	for (size_t i = 0; i < PST_NELEM(keys); i++) {
		char *end;
		if (strcmp(keys[i].key, key) != 0)
			continue;
		if (keys[i].text != NULL)
			return keep(keys[i].text, value, err);
		if (keys[i].on != NULL && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
			*keys[i].on = value[0] == 't';
			return PST_OK;
		}
		const unsigned long n = strtoul(value, &end, 10);
		if (keys[i].number != NULL && *value >= '0' && *value <= '9' && *end == '\0' &&
		    n <= UINT32_MAX) {
			*keys[i].number = (uint32_t)n;
			return PST_OK;
		}
		return pst_fail(err, PST_E_SPEC, "", "runtime option %s cannot be %.60s", key, value);
	}
	pst_fail(err, PST_E_SPEC, "", "unknown runtime option %.60s", key);
	return pst_err_cure(err, "known: BinaryName, Root, SystemdCgroup, NoPivotRoot, NoNewKeyring, "
			    "IoUid, IoGid, ShimCgroup, Class, Policy");
}

static int set(void *ctx, const char *key, const char *value, struct pst_err *err)
{
	return pst_options_set(ctx, key, value, err);
}

static int from_runc(const Pst__RuncOptions *q, struct pst_shim_options *o, struct pst_err *err)
{
	int rc = keep(&o->binary_name, q->binary_name, err);
	if (rc == PST_OK)
		rc = keep(&o->root, q->root, err);
	if (rc == PST_OK)
		rc = keep(&o->shim_cgroup, q->shim_cgroup, err);
	o->systemd_cgroup = q->systemd_cgroup;
	o->no_pivot_root = q->no_pivot_root;
	o->no_new_keyring = q->no_new_keyring;
	o->io_uid = q->io_uid;
	o->io_gid = q->io_gid;
	return rc;
}

static int from_file(const char *path, struct pst_shim_options *o, struct pst_err *err)
{
	char text[CONFIG_MAX];
	pst_auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (n < 0)
		return pst_fail_sys(err, "cannot read the runtime's configuration %s", path);
	if (n == (ssize_t)sizeof text)
		return pst_fail(err, PST_E_SPEC, "", "%s is larger than 64 KiB", path);
	return pst_toml_read(text, (size_t)n, set, o, err);
}

static int from_generic(const Pst__RuntimeOptions *q, struct pst_shim_options *o,
			struct pst_err *err)
{
	if (q->config_path[0] != '\0')
		return from_file(q->config_path, o, err);
	return pst_toml_read((const char *)q->config_body.data, q->config_body.len, set, o, err);
}

int pst_options_decode(const char *type_url, const uint8_t *value, size_t len,
		       struct pst_shim_options *ret, struct pst_err *err)
{
	int rc;
	const char *slash = strrchr(type_url, '/');
	const char *type = slash != NULL ? slash + 1 : type_url;
	if (type[0] == '\0' && len == 0)
		return PST_OK;
	if (strcmp(type, "containerd.runc.v1.Options") == 0) {
		Pst__RuncOptions *q = pst__runc_options__unpack(NULL, len, value);
		rc = q == NULL ? pst_fail(err, PST_E_SPEC, "", "the runtime options are no valid message")
			       : from_runc(q, ret, err);
		if (q != NULL)
			pst__runc_options__free_unpacked(q, NULL);
	} else if (strcmp(type, "runtimeoptions.v1.Options") == 0) {
		Pst__RuntimeOptions *q = pst__runtime_options__unpack(NULL, len, value);
		rc = q == NULL ? pst_fail(err, PST_E_SPEC, "", "the runtime options are no valid message")
			       : from_generic(q, ret, err);
		if (q != NULL)
			pst__runtime_options__free_unpacked(q, NULL);
	} else {
		rc = pst_fail(err, PST_E_SPEC, "", "runtime options of type %.100s are not known", type_url);
	}
	if (rc != PST_OK)
		pst_options_done(ret);
	return rc;
}

int pst_options_store(const char *bundle, const struct pst_shim_options *o, const char *root,
		      struct pst_err *err)
{
	char path[512];
	pst_auto_buf b = {0};
	pst_buf_fmt(&b, "--root\n%s\n", root);
	if (o->policy != NULL)
		pst_buf_fmt(&b, "--policy\n%s\n", o->policy);
	if (o->class_name != NULL)
		pst_buf_fmt(&b, "--class\n%s\n", o->class_name);
	if (o->binary_name != NULL)
		pst_buf_fmt(&b, "--runtime\n%s\n", o->binary_name);
	if (o->systemd_cgroup)
		pst_buf_str(&b, "--systemd-cgroup\n");
	if (!pst_buf_ok(&b))
		return pst_fail_nomem(err);
	if (b.len >= PST_OPTIONS_MAX) {
		pst_fail(err, PST_E_SPEC, "", "the runtime options are longer than %d bytes", PST_OPTIONS_MAX - 1);
		return pst_err_cure(err, "shorten BinaryName, Root or Policy");
	}
	snprintf(path, sizeof path, "%s/postern.options", bundle);
	pst_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, b.data, b.len) != (ssize_t)b.len) {
		const int rc = pst_fail_sys(err, "cannot write %s", path);
		(void)unlink(path);
		return rc;
	}
	return PST_OK;
}

bool pst_options_deleted(const char *bundle)
{
	char path[512];
	snprintf(path, sizeof path, "%s/" PST_DELETED_NAME, bundle);
	return access(path, F_OK) == 0 || access(bundle, F_OK) != 0;
}

void pst_options_forget(const char *bundle)
{
	char path[512];
	snprintf(path, sizeof path, "%s/postern.options", bundle);
	(void)unlink(path);
}

#include "profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/policy.h"
#include "core/policytext.h"
#include "host/io.h"
#include "host/profileload.h"

void profile_doc_done(struct profile_doc *d)
{
	json_decref(d->tree);
	*d = (struct profile_doc){0};
}

static int read_tree(const char *what, json_t **ret, struct pst_err *err)
{
	pst_auto_buf text = {0};
	if (pst_policytext_profile(what)) {
		const int named = pst_profile_load(what, ret, NULL, err);
		if (named == PST_OK || err->sys != ENOENT)
			return named;
		*err = (struct pst_err){0};
	}
	const int rc = pst_io_read_file(AT_FDCWD, what, pst_json_oci.bytes, &text, err);
	if (rc == PST_E_HOST && err->sys == ENOENT) {
		pst_fail(err, PST_E_USAGE, "", "\"%s\" is neither the name of a profile nor a file",
			 what);
		return pst_err_cure(err, "see `postern profile list`");
	}
	return rc == PST_OK ? pst_json_parse(pst_buf_cstr(&text), text.len, what, &pst_json_oci,
					     ret, err)
			    : rc;
}

int profile_load(const char *what, struct profile_doc *ret, struct pst_err *err)
{
	json_t *tree = NULL;
	const int rc = read_tree(what, &tree, err);
	if (rc != PST_OK)
		return rc;
	const json_t *inner = pst_json_at(tree, "/linux/seccomp");
	*ret = (struct profile_doc){tree, inner != NULL ? inner : tree,
				    inner != NULL ? "/linux/seccomp" : ""};
	return PST_OK;
}

int profile_parse(const struct profile_doc *d, const char *what, struct pst_notes *notes,
		  struct pst_scprof **ret, struct pst_err *err)
{
	const int rc = pst_scprof_parse(d->obj, d->pointer, notes, ret, err);
	if (rc == PST_E_SPEC)
		(void)pst_err_file(err, what);
	return rc;
}

int profile_rules(const char *what, struct pst_notes *notes, struct pst_scprof **ret,
		  struct pst_err *err)
{
	profile_auto_doc d = {0};
	const int rc = profile_load(what, &d, err);
	return rc == PST_OK ? profile_parse(&d, what, notes, ret, err) : rc;
}

/* What Docker gives a container that asks for nothing (docs.docker.com, "Runtime privilege
 * and Linux capabilities"). */
static pst_capset docker_caps(void)
{
	static const char *const names[] = {
		"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE",     "FOWNER",     "FSETID",
		"KILL",        "MKNOD",   "NET_BIND_SERVICE", "NET_RAW",    "SETFCAP",
		"SETGID",      "SETPCAP", "SETUID",           "SYS_CHROOT",
	};
	pst_capset set = 0;
	for (size_t i = 0; i < PST_NELEM(names); i++)
		set |= UINT64_C(1) << pst_caps_number(names[i]);
	return set;
}

static int own_ceiling(pst_capset *ret, struct pst_err *err)
{
	struct pst_policy p;
	const int rc = pst_policy_build(NULL, NULL, 0, NULL, &p, err);
	if (rc != PST_OK)
		return rc;
	*ret = p.cap_ceiling;
	pst_policy_done(&p);
	return PST_OK;
}

int profile_caps(const char *text, pst_capset *ret, struct pst_err *err)
{
	if (text == NULL || strcmp(text, "default") == 0)
		return own_ceiling(ret, err);
	*ret = 0;
	if (strcmp(text, "none") == 0)
		return PST_OK;
	if (strcmp(text, "docker") == 0)
		*ret = docker_caps();
	else if (strcmp(text, "all") == 0)
		*ret = PST_CAPS_ALL;
	if (*ret != 0)
		return PST_OK;
	pst_auto_free char *copy = strdup(text);
	char *rest = copy;
	if (copy == NULL)
		return pst_fail_nomem(err);
	for (const char *word; (word = strsep(&rest, ",")) != NULL;) {
		const int n = pst_caps_number(word);
		if (n < 0) {
			pst_fail(err, PST_E_USAGE, "", "--caps: \"%s\" is no capability", word);
			return pst_err_cure(err,
					    "default, docker, all, none, or names with commas");
		}
		*ret |= UINT64_C(1) << n;
	}
	return PST_OK;
}

int profile_format(const char *format, bool *json, struct pst_err *err)
{
	*json = pst_streq(format, "json");
	if (format != NULL && !*json && strcmp(format, "text") != 0)
		return pst_fail(err, PST_E_USAGE, "", "--format is text or json, not \"%s\"",
				format);
	return PST_OK;
}

int profile_print(const json_t *j, struct pst_err *err)
{
	pst_auto_buf out = {0};
	const int rc =
		j == NULL ? pst_fail_nomem(err) : pst_json_dump(j, PST_JSON_PRETTY, &out, err);
	if (rc == PST_OK)
		fputs(pst_buf_cstr(&out), stdout);
	return rc;
}

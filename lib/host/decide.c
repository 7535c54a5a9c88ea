#include "host/decide.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "core/specfold.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/profileload.h"

void pst_bundle_done(struct pst_bundle *b)
{
	pst_spec_done(&b->spec);
	json_decref(b->tree);
	free(b->path);
	*b = (struct pst_bundle){0};
}

static int about(const struct pst_bundle *b, int rc, struct pst_err *err)
{
	char file[300];
	if (rc == PST_OK || rc == PST_E_NOMEM || (err != NULL && err->file[0] != '\0'))
		return rc;
	snprintf(file, sizeof file, "%s/config.json", b->path);
	(void)pst_err_file(err, file);
	return rc;
}

int pst_bundle_read(const char *dir, struct pst_bundle *ret, struct pst_err *err)
{
	char name[4200];
	pst_auto_bundle b = {.path = pst_ctx_canonical(dir)};
	pst_auto_buf text = {0};
	if (b.path == NULL)
		return pst_fail_nomem(err);
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, b.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0) {
		pst_fail_sys(err, "cannot open the bundle %s", b.path);
		(void)pst_err_cure(err, "name a directory that holds config.json with --bundle");
		return about(&b, PST_E_HOST, err);
	}
	int rc = pst_io_read_file(fd, "config.json", pst_json_oci.bytes, &text, err);
	if (rc == PST_E_HOST && err != NULL && err->sys == ENOENT) {
		rc = pst_fail(err, PST_E_SPEC, "", "JSON specification file config.json not found in %s",
			      b.path);
		(void)pst_err_cure(err, "name a directory that holds config.json with --bundle");
	}
	snprintf(name, sizeof name, "%s/config.json", b.path);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, name, &pst_json_oci, &b.tree, err);
	if (rc == PST_OK)
		rc = pst_specfold_check(b.tree, err);
	if (rc == PST_OK)
		rc = pst_spec_parse(b.tree, &b.spec, err);
	if (rc != PST_OK) {
		(void)pst_err_file(err, name);
		return rc;
	}
	*ret = b;
	b = (struct pst_bundle){0};
	return PST_OK;
}

bool pst_bundle_wants_ids(const struct pst_ctx *c, const struct pst_bundle *b)
{
	return c->full_root && c->policy.ids_mode == PST_IDS_MAP &&
	       !b->spec.ns[PST_NS_USER].present;
}

/* The profile asked for last, and why the one that could not be had was not. */
struct shelf {
	json_t *tree;
	struct pst_err err;
};

static const json_t *profile(const char *name, void *arg)
{
	struct shelf *s = arg;
	json_decref(s->tree);
	s->tree = NULL;
	return pst_profile_load(name, &s->tree, NULL, &s->err) == PST_OK ? s->tree : NULL;
}

int pst_decide(const struct pst_ctx *c, const struct pst_bundle *b, const json_t *facts,
	       struct pst_plan *ret, struct pst_err *err)
{
	struct pst_facts f;
	struct shelf shelf = {0};
	int rc = pst_facts_parse(facts, &f, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_plan_input in = {
		.spec = &b->spec,
		.policy = &c->policy,
		.facts = &f,
		.profile = profile,
		.profile_arg = &shelf,
	};
	rc = about(b, pst_plan_make(&in, ret, err), err);
	json_decref(shelf.tree);
	/* A file of the node that cannot be trusted or read says more than "no such name". */
	if (rc != PST_OK && shelf.err.code != PST_OK && shelf.err.sys != ENOENT && err != NULL) {
		*err = shelf.err;
		rc = shelf.err.code;
	}
	return rc;
}

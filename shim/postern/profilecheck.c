/* profile check and compile: what is wrong with a profile, and what becomes of one. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/oneline.h"
#include "core/scdisasm.h"
#include "core/sclint.h"
#include "host/scbuild.h"
#include "host/scknown.h"
#include "profiles.h"
#include "profileverbs.h"

static void line(const char *file, const struct pst_sclint_finding *f)
{
	pst_auto_buf out = {0};
	pst_oneline(&out, file);
	pst_buf_fmt(&out, " at %s: %s: ", f->pointer[0] != '\0' ? f->pointer : "the top",
		    pst_sclint_word(f->level));
	pst_oneline(&out, f->text);
	if (f->cure[0] != '\0') {
		pst_buf_str(&out, "; to do: ");
		pst_oneline(&out, f->cure);
	}
	printf("%s\n", pst_buf_cstr(&out));
}

static int as_json(const struct pst_sclint *l, struct pst_err *err)
{
	pst_auto_json *list = json_array();
	for (size_t i = 0; i < l->n; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "level",
							  pst_sclint_word(l->v[i].level), "pointer",
							  l->v[i].pointer, "text", l->v[i].text,
							  "cure", l->v[i].cure)) != 0)
			return pst_fail_nomem(err);
	return profile_print(list, err);
}

/* The profile it says it is inside of, else baseline. */
static const char *base_of(const struct profile_doc *d)
{
	const char *within = pst_json_str(pst_json_at(d->obj, "/postern/within"));
	return within != NULL ? within : "baseline";
}

static int run(const struct front *f, const char *file, struct pst_sclint *l, struct pst_err *err)
{
	profile_auto_doc d = {0};
	pst_auto_scprof *base = NULL;
	struct pst_sclint_in in = {.library = pst_scknown_name};
	int rc = profile_load(file, &d, err);
	if (rc != PST_OK)
		return rc;
	in.obj = d.obj;
	in.pointer = d.pointer;
	in.base_name = base_of(&d);
	pst_scknown_kernel(&in.major, &in.minor);
	rc = profile_caps(pst_argv_value(&f->args, "caps"), &in.caps, err);
	if (rc == PST_OK)
		rc = profile_rules(in.base_name, NULL, &base, err);
	if (rc == PST_E_USAGE && strcmp(in.base_name, "baseline") != 0)
		return pst_err_file(err, file);
	in.base = base;
	return rc == PST_OK ? pst_sclint_run(&in, l, err) : rc;
}

int profile_check(const struct front *f, const char *file)
{
	struct pst_err err = {0};
	struct pst_sclint l = {0};
	bool json = false;
	int rc = profile_format(pst_argv_value(&f->args, "format"), &json, &err);
	if (rc == PST_OK)
		rc = run(f, file, &l, &err);
	if (rc == PST_OK && json)
		rc = as_json(&l, &err);
	for (size_t i = 0; rc == PST_OK && !json && i < l.n; i++)
		line(file, &l.v[i]);
	const size_t errors = pst_sclint_count(&l, PST_LINT_ERROR);
	if (rc == PST_OK && !json)
		printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s",
		       pst_sclint_count(&l, PST_LINT_WARNING),
		       pst_sclint_count(&l, PST_LINT_WARNING) == 1 ? "" : "s");
	pst_sclint_done(&l);
	return rc != PST_OK ? front_report(f, &err) : errors > 0;
}

int profile_compile(const char *what, struct pst_err *err)
{
	pst_auto_scprof *p = NULL;
	pst_auto_scbuilt built = {0};
	pst_auto_buf out = {0};
	int rc = profile_rules(what, NULL, &p, err);
	if (rc == PST_OK)
		rc = pst_scbuild(p, PST_SCBUILD_MS, &built, err);
	if (rc != PST_OK)
		return rc;
	pst_scdisasm((struct pst_bpf){built.insn, built.n}, &out);
	if (!pst_buf_ok(&out))
		return pst_fail_nomem(err);
	printf("%s%zu instructions of at most %d\n", pst_buf_cstr(&out), built.n, BPF_MAXINSNS);
	return PST_OK;
}

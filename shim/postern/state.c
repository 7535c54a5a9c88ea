/* state and features: the runtime's own answer, with what the caller must see. */
#include <stdio.h>

#include "config.h"
#include "core/json.h"
#include "front.h"

static int print(const json_t *j, struct pst_err *err)
{
	pst_auto_buf out = {0};
	const int rc = pst_json_dump(j, PST_JSON_PRETTY, &out, err);
	if (rc == PST_OK)
		fputs(pst_buf_cstr(&out), stdout);
	return rc;
}

/* Ask the runtime and read its JSON; *status is its exit code. */
static int ask(struct front *f, const char *root, const char *const argv[], json_t **ret,
	       int *status, struct pst_err *err)
{
	pst_auto_buf text = {0};
	int rc = pst_container_capture(&f->g, root, argv, &text, status, err);
	if (rc == PST_OK && *status == 0)
		rc = pst_json_parse(pst_buf_cstr(&text), text.len, "the runtime's answer", &pst_json_oci,
				    ret, err);
	return rc;
}

int verb_state(struct front *f)
{
	struct pst_err err = {0};
	struct pst_container_info info = {0};
	pst_auto_json *j = NULL;
	int status = 0;
	int rc = pst_container_info(&f->g, f->args.args[0], &info, &err);
	if (rc == PST_OK && !info.ours)
		return verb_pass(f);
	const char *const argv[] = {"state", f->args.args[0], NULL};
	if (rc == PST_OK)
		rc = ask(f, info.runtime_root, argv, &j, &status, &err);
	if (rc == PST_OK && status == 0 && json_is_object(j)) {
		if (info.bundle != NULL && json_object_set_new(j, "bundle", json_string(info.bundle)) != 0)
			rc = pst_fail_nomem(&err);
		if (rc == PST_OK)
			rc = print(j, &err);
	}
	pst_container_info_done(&info);
	return rc == PST_OK ? status : front_report(f, &err);
}

int verb_features(struct front *f)
{
	struct pst_err err = {0};
	pst_auto_json *j = NULL;
	int status = 0;
	const char *const argv[] = {"features", NULL};
	int rc = ask(f, NULL, argv, &j, &status, &err);
	if (rc == PST_OK && status == 0 && json_is_object(j)) {
		if (!pst_json_put(j, "/annotations/io.postern.version", json_string(PST_VERSION)))
			rc = pst_fail_nomem(&err);
		if (rc == PST_OK)
			rc = print(j, &err);
	}
	return rc == PST_OK ? status : front_report(f, &err);
}

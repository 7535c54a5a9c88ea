/* plan, facts, doctor: look, explain, touch nothing (but what --repair clears). */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "front.h"
#include "host/inspect.h"

static const char *bundle_of(const struct front *f)
{
	const char *b = pst_argv_value(&f->args, "bundle");
	return b == NULL || b[0] == '\0' ? "." : b;
}

static int print_json(const json_t *j, struct pst_err *err)
{
	pst_auto_buf out = {0};
	const int rc = j == NULL ? pst_fail_nomem(err) : pst_json_dump(j, PST_JSON_PRETTY, &out, err);
	if (rc == PST_OK)
		fputs(pst_buf_cstr(&out), stdout);
	return rc;
}

int verb_plan(struct front *f)
{
	struct pst_err err = {0};
	struct pst_inspected i = {0};
	pst_auto_buf out = {0};
	const char *format = pst_argv_value(&f->args, "format");
	int rc = PST_OK;
	if (format != NULL && strcmp(format, "json") != 0 && strcmp(format, "text") != 0)
		rc = pst_fail(&err, PST_E_USAGE, "", "--format is text or json, not \"%s\"", format);
	if (rc == PST_OK)
		rc = pst_inspect_plan(&f->g, bundle_of(f), pst_argv_value(&f->args, "facts"), &i, &err);
	if (rc != PST_OK)
		return front_report(f, &err);
	if (pst_streq(format, "json")) {
		pst_auto_json *j = pst_plan_json(&i.plan);
		rc = print_json(j, &err);
	} else {
		rc = pst_plan_text(&i.plan, &out, &err);
		fputs(pst_buf_cstr(&out), stdout);
	}
	pst_inspected_done(&i);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

int verb_facts(struct front *f)
{
	struct pst_err err = {0};
	pst_auto_json *j = NULL;
	int rc = pst_inspect_facts(&f->g, pst_argv_value(&f->args, "bundle"), &j, &err);
	if (rc == PST_OK)
		rc = print_json(j, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

static const char *const words[] = {"ok", "warn", "BAD"};

int verb_doctor(struct front *f)
{
	struct pst_err err = {0};
	struct pst_notes notes = {0};
	struct pst_finding v[PST_FINDINGS_MAX];
	size_t n = 0;
	bool bad = false;
	const int rc = pst_inspect_doctor(&f->g, pst_argv_on(&f->args, "repair"), v, &n, &notes, &err);
	for (size_t i = 0; i < notes.n; i++)
		printf("repaired  %s\n", notes.v[i].text);
	for (size_t i = 0; i < n; i++) {
		printf("%-5s %-16s %s\n", words[v[i].health], v[i].what, v[i].text);
		if (v[i].cure[0] != '\0')
			printf("      %-16s -> %s\n", "", v[i].cure);
		bad = bad || v[i].health == PST_HEALTH_BAD;
	}
	pst_notes_done(&notes);
	if (rc != PST_OK)
		return front_report(f, &err);
	return bad ? 1 : 0;
}

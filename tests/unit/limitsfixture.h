/* limitsfixture.h - a document under a policy, and what it becomes. */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/rlimit.h"

static inline json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, &err), PST_OK, "%s: %s",
		     text, err.msg);
	return j;
}

static inline struct pst_policy policy(const char *limits)
{
	char text[512];
	snprintf(text, sizeof text, "{\"limits\":{%s}}", limits);
	pst_auto_json *doc = parse(text);
	json_t *const docs[] = {doc};
	const char *const names[] = {"p.json"};
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_build(docs, names, 1, NULL, &p, &err), PST_OK, "%s", err.msg);
	return p;
}

static const struct pst_tighten none;

/* A machine with huge pages of two sizes. */
static const char *machine = "{\"cgroup\":{\"hugepages\":[\"2MB\",\"1GB\"]}}";

static inline int run(const char *limits, const char *doc, const struct pst_tighten *t, bool update,
	       struct pst_buf *out, struct pst_err *err)
{
	struct pst_policy p = policy(limits);
	pst_auto_json *tree = parse(doc);
	pst_auto_json *facts = parse(machine);
	pst_auto_edits edits = {0}, again = {0};
	int rc = update ? pst_limits_update(tree, &p, t, &edits, err)
			: pst_limits_spec(tree, &p, t, facts, &edits, err);
	if (rc == PST_OK)
		rc = pst_edits_apply(&edits, tree, err);
	if (rc == PST_OK) {
		/* I-7: what was decided once needs no second decision. */
		const int second = update ? pst_limits_update(tree, &p, t, &again, err)
					  : pst_limits_spec(tree, &p, t, facts, &again, err);
		cr_expect_eq(second, PST_OK);
		cr_expect_eq(again.n, 0, "%s under %s is edited twice", doc, limits);
		cr_assert_eq(pst_json_dump(tree, PST_JSON_COMPACT, out, NULL), PST_OK);
	}
	pst_policy_done(&p);
	return rc;
}

static inline void becomes(const char *limits, const char *doc, const struct pst_tighten *t, bool update,
		    const char *want)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	cr_assert_eq(run(limits, doc, t, update, &out, &err), PST_OK, "%s: %s", doc, err.msg);
	cr_expect_str_eq(pst_buf_cstr(&out), want, "%s under %s:\n%s\n%s", doc, limits,
			 pst_buf_cstr(&out), want);
}

/* Resources in, resources out, of a spec. */
static inline void spec(const char *limits, const char *in, const char *want)
{
	char doc[512], full[512];
	snprintf(doc, sizeof doc, "{\"linux\":{\"resources\":%s}}", in);
	snprintf(full, sizeof full, "{\"linux\":{\"resources\":%s}}", want);
	becomes(limits, doc, &none, false, full);
}

static inline void update(const char *limits, const char *in, const char *want)
{
	becomes(limits, in, &none, true, want);
}

static inline struct pst_err refused(const char *limits, const char *doc, bool upd, int code)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	cr_assert_eq(run(limits, doc, &none, upd, &out, &err), code, "%s: %s", doc, pst_buf_cstr(&out));
	return err;
}

#define PIDS "\"pids\":{\"default\":100,\"max\":200}"
#define MEM "\"memory\":{\"max\":\"1Gi\"}"
#define CPU "\"cpu\":{\"max\":2}"
#define GI "1073741824"

#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/plan.h"
#include "core/planlimits.h"

static const char *const how_words[] = {"map", "join", "caller", "none"};

static json_t *expect_json(const struct pst_plan *p)
{
	char cap[24];
	snprintf(cap, sizeof cap, "%016llx", (unsigned long long)p->expect.bounding);
	return json_pack("{s:b, s:I, s:s, s:b, s:b, s:b}", "maps", (int)p->expect.maps, "base",
			 (json_int_t)p->expect.base, "capBnd", cap, "noNewPrivs",
			 (int)p->expect.no_new_privs, "seccomp", (int)p->expect.seccomp, "notHostRoot",
			 (int)p->expect.not_host_root);
}

json_t *pst_plan_json(const struct pst_plan *p)
{
	pst_auto_json *edits = pst_edits_json(&p->edits);
	pst_auto_json *notes = pst_notes_json(&p->notes);
	pst_auto_json *expect = expect_json(p);
	if (edits == NULL || notes == NULL || expect == NULL)
		return NULL;
	json_t *j = json_pack("{s:i, s:{s:s, s:I, s:i}, s:O, s:O, s:O, s:O, s:{s:b, s:b, s:s?}, s:{s:b, s:b}, s:O}", "version",
			 PST_PLAN_VERSION, "ids", "how", how_words[p->ids], "base", (json_int_t)p->base, "size",
			 (int)PST_BLOCK_SIZE, "edits", edits, "notes", notes, "steps", p->steps, "expect",
			 expect, "runtime", "enterNetns", (int)p->enter_netns, "safetyNet",
			 (int)p->safety_net, "netns", p->netns_path, "denials", "recorded", (int)p->keeper,
			 "complain", (int)p->complain, "spec", p->spec);
	if (j != NULL && p->expect.high.n > 0)
		(void)json_object_set_new(json_object_get(j, "ids"), "high",
					  pst_highids_json(&p->expect.high));
	return j;
}

static void ids_text(const struct pst_plan *p, struct pst_buf *out)
{
	switch (p->ids) {
	case PST_HOW_MAP:
	case PST_HOW_JOIN:
		pst_buf_fmt(out, "ids       container 0..65535 = host %u..%u%s\n", p->base,
			    p->base + PST_BLOCK_SIZE - 1,
			    p->ids == PST_HOW_JOIN ? " (shared with the container it joins)" : "");
		for (size_t i = 0; i < p->expect.high.n; i++)
			pst_buf_fmt(out, "          container %u = host %u\n", p->expect.high.v[i].container,
				    p->expect.high.v[i].host);
		break;
	case PST_HOW_CALLER:
		pst_buf_str(out, "ids       as the spec maps them\n");
		break;
	case PST_HOW_NONE:
		pst_buf_str(out, "ids       NOT moved: container ids are host ids\n");
		break;
	}
}

/* A value short enough to read; a long one by its size. */
static void value_text(const json_t *v, struct pst_buf *out)
{
	pst_auto_buf t = {0};
	if (pst_json_dump(v, PST_JSON_COMPACT, &t, NULL) != PST_OK || t.len > 160)
		pst_buf_fmt(out, "(%zu bytes)", t.len);
	else
		pst_buf_str(out, pst_buf_cstr(&t));
}

int pst_plan_text(const struct pst_plan *p, struct pst_buf *out, struct pst_err *err)
{
	ids_text(p, out);
	if (p->complain)
		pst_buf_str(out, "COMPLAIN  the profile is NOT enforced: what only it would deny is let "
				 "through and recorded\n");
	pst_buf_fmt(out, "changes   %zu\n", p->edits.n);
	for (size_t i = 0; i < p->edits.n; i++) {
		const struct pst_edit *e = &p->edits.v[i];
		pst_buf_fmt(out, "  %c %s", e->value == NULL ? '-' : '+', e->pointer);
		if (e->value != NULL) {
			pst_buf_str(out, " = ");
			value_text(e->value, out);
		}
		pst_buf_fmt(out, "\n      because %s  [%s]\n", e->reason, e->source);
	}
	pst_planlimits_text(p->spec, &p->edits, out);
	pst_buf_str(out, "steps     ");
	for (size_t i = 0; i < json_array_size(p->steps); i++)
		pst_buf_fmt(out, "%s%s", i == 0 ? "" : ", ",
			    json_string_value(json_object_get(json_array_get(p->steps, i), "step")));
	pst_buf_fmt(out, "\nremarks   %zu\n", p->notes.n);
	for (size_t i = 0; i < p->notes.n; i++)
		pst_buf_fmt(out, "  * %s%s%s  [%s]\n", p->notes.v[i].pointer,
			    p->notes.v[i].pointer[0] == '\0' ? "" : ": ", p->notes.v[i].text,
			    p->notes.v[i].source);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

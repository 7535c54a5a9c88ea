/* The process object of `exec --process`: the other half of core/execspec.h. */
#include "core/execspec.h"

#include <stdio.h>

#include "base/str.h"
#include "core/json.h"
#include "core/keyfold.h"
#include "core/limits.h"

/* Every key that is read here: another spelling must not carry a second value past us. */
static const char *const judged_keys[] = {
	"user", "uid", "gid", "additionalGids", "capabilities", "bounding", "effective",
	"inheritable", "permitted", "ambient", "noNewPrivileges", "rlimits", "type", "soft",
	"hard", NULL,
};
static const char *const no_maps[] = {NULL};

static const char *const cap_sets[] = {"bounding", "effective", "inheritable", "permitted",
				       "ambient"};

struct confine {
	const struct pst_exec_limits *lim;
	struct pst_notes *notes;
	bool changed;
	struct pst_err *err;
};

static bool absent(const json_t *j)
{
	return j == NULL || json_is_null(j);
}

static int fail_type(const struct confine *c, const char *pointer, const char *what)
{
	return pst_fail(c->err, PST_E_SPEC, pointer, "the process file's %s is not %s",
			pointer + 1, what);
}

static int check_id(const struct confine *c, const json_t *j, const char *pointer)
{
	uint64_t id;
	if (absent(j))
		return PST_OK;
	if (!pst_json_u64(j, &id))
		return fail_type(c, pointer, "an id");
	if (c->lim->nids == 0 || id < c->lim->nids)
		return PST_OK;
	for (size_t i = 0; i < c->lim->nextra; i++)
		if (c->lim->extra_ids[i] == id)
			return PST_OK;
	pst_fail(c->err, PST_E_SPEC, pointer, "the container has no id %llu",
		 (unsigned long long)id);
	return pst_err_cure(c->err, "use an id below %u", (unsigned)c->lim->nids);
}

static int confine_user(struct confine *c, const json_t *process)
{
	const json_t *user = json_object_get(process, "user");
	if (absent(user))
		return PST_OK;
	if (!json_is_object(user))
		return fail_type(c, "/user", "an object");
	int rc = check_id(c, json_object_get(user, "uid"), "/user/uid");
	if (rc == PST_OK)
		rc = check_id(c, json_object_get(user, "gid"), "/user/gid");
	const json_t *more = json_object_get(user, "additionalGids");
	if (rc != PST_OK || absent(more))
		return rc;
	if (!json_is_array(more))
		return fail_type(c, "/user/additionalGids", "an array");
	for (size_t i = 0; rc == PST_OK && i < json_array_size(more); i++) {
		char at[64];
		snprintf(at, sizeof at, "/user/additionalGids/%zu", i);
		rc = check_id(c, json_array_get(more, i), at);
	}
	return rc;
}

static int confine_set(struct confine *c, json_t *set, const char *pointer)
{
	if (absent(set))
		return PST_OK;
	if (!json_is_array(set))
		return fail_type(c, pointer, "an array of names");
	for (size_t i = 0; i < json_array_size(set);) {
		const char *name = pst_json_str(json_array_get(set, i));
		if (name == NULL)
			return fail_type(c, pointer, "an array of names");
		const int nr = pst_caps_number(name);
		if (nr >= 0 && (c->lim->caps >> nr & 1) != 0) {
			i++;
			continue;
		}
		pst_note_add(c->notes, pointer, "capability ceiling of the container",
			     "%.64s left out: the container does not have it", name);
		(void)json_array_remove(set, i);
		c->changed = true;
	}
	return PST_OK;
}

static int confine_caps(struct confine *c, const json_t *process)
{
	const json_t *caps = json_object_get(process, "capabilities");
	if (absent(caps))
		return PST_OK; /* the runtime then takes the container's own */
	if (!json_is_object(caps))
		return fail_type(c, "/capabilities", "an object");
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < PST_NELEM(cap_sets); i++) {
		char at[64];
		snprintf(at, sizeof at, "/capabilities/%s", cap_sets[i]);
		rc = confine_set(c, json_object_get(caps, cap_sets[i]), at);
	}
	return rc;
}

static int confine_nnp(struct confine *c, json_t *process)
{
	const json_t *nnp = json_object_get(process, "noNewPrivileges");
	if (!absent(nnp) && !json_is_boolean(nnp))
		return fail_type(c, "/noNewPrivileges", "true or false");
	if (!c->lim->no_new_privs || json_is_true(nnp))
		return PST_OK;
	pst_note_add(c->notes, "/noNewPrivileges", "no_new_privs of the container",
		     "set: the container runs with it");
	c->changed = true;
	return pst_json_put(process, "/noNewPrivileges", json_true()) ? PST_OK
								      : pst_fail_nomem(c->err);
}

static bool names(const json_t *list, const char *type)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (pst_streq(pst_json_str(json_object_get(json_array_get(list, i), "type")), type))
			return true;
	return false;
}

/* The runtime takes the container's limits only when none are named: one alone, and the others
 * would be those of whoever runs us. */
static int add_own(struct confine *c, json_t *process)
{
	const bool none = json_array_size(json_object_get(process, "rlimits")) == 0;
	for (size_t i = 0; i < json_array_size(c->lim->rlimits); i++) {
		const json_t *own = json_array_get(c->lim->rlimits, i);
		const char *type = pst_json_str(json_object_get(own, "type"));
		json_t *list = json_object_get(process, "rlimits");
		if (names(list, type))
			continue;
		if (!json_is_array(list)) {
			list = json_array();
			if (json_object_set_new(process, "rlimits", list) != 0)
				return pst_fail_nomem(c->err);
		}
		if (json_array_append_new(list, pst_json_copy(own)) != 0)
			return pst_fail_nomem(c->err);
		pst_note_add(c->notes, "/rlimits", "limits of the container", "%s as the container has it%s",
			     type == NULL ? "a limit" : type, none ? "" : ", since others are named");
		c->changed = true;
	}
	return PST_OK;
}

static int judge_rlimits(struct confine *c, json_t *process, bool missing)
{
	pst_auto_edits edits = {0};
	const struct pst_tighten own = {.has_nofile = c->lim->has_nofile, .nofile = c->lim->nofile};
	int rc = pst_limits_exec(process, missing, c->lim->policy, &own, &edits, c->err);
	if (rc == PST_OK)
		rc = pst_edits_apply(&edits, process, c->err);
	for (size_t i = 0; rc == PST_OK && i < edits.n; i++)
		pst_note_add(c->notes, edits.v[i].pointer, edits.v[i].source, "%s", edits.v[i].reason);
	c->changed = c->changed || edits.n > 0;
	return rc;
}

/* What it names first: that alone can be refused. */
static int confine_rlimits(struct confine *c, json_t *process)
{
	int rc = judge_rlimits(c, process, false);
	if (rc == PST_OK)
		rc = add_own(c, process);
	return rc == PST_OK ? judge_rlimits(c, process, true) : rc;
}

int pst_execspec_confine(json_t *process, const struct pst_exec_limits *lim,
			 struct pst_notes *notes, bool *changed, struct pst_err *err)
{
	struct confine c = {.lim = lim, .notes = notes, .err = err};

	if (!json_is_object(process))
		return pst_fail(err, PST_E_SPEC, "", "the process file is not a JSON object");
	int rc = pst_keyfold_check(process, judged_keys, no_maps, err);
	if (rc == PST_OK)
		rc = confine_user(&c, process);
	if (rc == PST_OK)
		rc = confine_caps(&c, process);
	if (rc == PST_OK)
		rc = confine_nnp(&c, process);
	if (rc == PST_OK)
		rc = confine_rlimits(&c, process);
	if (rc == PST_OK && c.changed)
		*changed = true;
	return rc;
}

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/plan_priv.h"
#include "core/scmeet.h"
#include "core/scnotify.h"

static void say_missing(struct pst_work *w, pst_capset gone)
{
	char names[512];
	if (gone == 0)
		return;
	pst_note_add(&w->plan->notes, "/process/capabilities", pst_work_source(w, "/capabilities/ceiling"),
		     "taken away: %s", pst_caps_text(gone, names, sizeof names));
}

static void trim(struct pst_work *w)
{
	const struct pst_spec *s = w->spec;
	const pst_capset ceiling = w->policy->cap_ceiling;
	pst_capset out[PST_CAPS_KINDS];

	for (int k = 0; k < PST_CAPS_KINDS; k++)
		out[k] = s->caps[k] & ceiling;
	/* capabilities(7): ambient is a part of permitted and inheritable. */
	out[PST_CAPS_AMBIENT] &= out[PST_CAPS_PERMITTED] & out[PST_CAPS_INHERITABLE];

	for (int k = 0; k < PST_CAPS_KINDS; k++) {
		char p[64];
		if (out[k] == s->caps[k])
			continue;
		snprintf(p, sizeof p, "/process/capabilities/%s", pst_capkind_word((enum pst_capkind)k));
		pst_edit_set(&w->plan->edits, p, pst_caps_json(out[k]),
			     pst_work_source(w, "/capabilities/ceiling"),
			     "only what the ceiling allows");
	}
	say_missing(w, s->caps[PST_CAPS_BOUNDING] & ~ceiling);
	w->plan->expect.bounding = out[PST_CAPS_BOUNDING];
}

int pst_plan_caps(struct pst_work *w, struct pst_err *err)
{
	(void)err;
	struct pst_plan *p = w->plan;
	p->expect.bounding = w->spec->caps[PST_CAPS_BOUNDING];
	if (!w->spec->has_process)
		return PST_OK;
	if (!w->privileged)
		trim(w);

	p->expect.no_new_privs = w->spec->no_new_privs;
	if (w->policy->nnp_force && !w->spec->no_new_privs) {
		p->expect.no_new_privs = true;
		pst_edit_set(&p->edits, "/process/noNewPrivileges", json_true(),
			     pst_work_source(w, "/noNewPrivileges"),
			     "setuid programs and file capabilities give nothing");
		pst_note_add(&p->notes, "/process/noNewPrivileges", pst_work_source(w, "/noNewPrivileges"),
			     "sudo and other setuid programs do not work inside");
	}
	return PST_OK;
}

/* Our profile for this container, parsed, and its reasons (a new reference, or NULL). */
static int our_profile(struct pst_work *w, struct pst_scprof **ret, json_t **ret_reasons,
		       struct pst_err *err)
{
	const json_t *tree = w->in->profile(w->profile_name, w->in->profile_arg);
	if (tree == NULL) {
		pst_fail(err, PST_E_POLICY, "/profile/default", "there is no syscall profile named \"%s\"",
			 w->profile_name);
		pst_err_rule(err, pst_work_source(w, "/profile/default"));
		return pst_err_cure(err, "name one that `postern profile list` shows");
	}
	*ret_reasons = pst_json_copy(json_object_get(tree, "postern"));
	return pst_scprof_parse(tree, "", NULL, ret, err);
}

static int callers_profile(struct pst_work *w, struct pst_scprof **ret, struct pst_err *err)
{
	if (w->spec->seccomp == NULL)
		return PST_OK;
	const int rc = pst_scprof_parse(w->spec->seccomp, "/linux/seccomp", &w->plan->notes, ret, err);
	if (rc == PST_OK && (*ret)->listener_path != NULL &&
	    pst_streq((*ret)->listener_path, w->facts->listener))
		pst_scnotify_undo(*ret);
	return rc;
}

/*
 * Without no_new_privs a runtime puts the filter on while it is still root, and becomes the
 * container's user under it; with it, last of all (runc standard_init_linux.go). A
 * profile that leaves those calls out would end in the runtime's own obscure failure.
 */
static int check_runtime_calls(const struct pst_work *w, const struct pst_scprof *ours,
			       struct pst_err *err)
{
	static const char *const runc[] = {"capset", "setgroups", "setgid", "setuid", NULL};
	static const char *const crun[] = {"capset", "setresgid", "setresuid", NULL};
	static const uint64_t args[PST_NARGS];
	const char *const *names = pst_streq(w->facts->rt_name, "runc")	  ? runc
				   : pst_streq(w->facts->rt_name, "crun") ? crun
									   : NULL;
	if (w->plan->expect.no_new_privs || !w->spec->has_process)
		return PST_OK;
	for (; names != NULL && *names != NULL; names++) {
		const struct pst_sc *sc = pst_sctable_name(*names);
		if (!pst_scret_denies(pst_sceval(ours, (uint32_t)sc->nr, args)))
			continue;
		pst_fail(err, PST_E_POLICY, "/process/noNewPrivileges",
			 "profile %s leaves out %s, which the runtime needs without no_new_privs",
			 w->profile_name, *names);
		return pst_err_cure(err, "set noNewPrivileges in the spec (allowPrivilegeEscalation: false "
				    "in a pod), or /noNewPrivileges to force in the policy or class");
	}
	return PST_OK;
}

int pst_plan_syscalls(struct pst_work *w, struct pst_err *err)
{
	struct pst_plan *p = w->plan;
	if (w->policy->profile_mode == PST_MODE_OFF || w->privileged) {
		pst_note_add(&p->notes, "/linux/seccomp",
			     pst_work_source(w, w->privileged ? "/grants/privileged" : "/profile/mode"),
			     "the syscall profile is the caller's own, or none");
		return PST_OK;
	}
	pst_auto_scprof *ours = NULL;
	pst_auto_scprof *caller = NULL;
	pst_auto_json *reasons = NULL;
	int rc = our_profile(w, &ours, &reasons, err);
	if (rc == PST_OK)
		rc = check_runtime_calls(w, ours, err);
	if (rc == PST_OK)
		rc = pst_plan_disk_filter(w, ours, reasons, err);
	if (rc == PST_OK)
		rc = callers_profile(w, &caller, err);
	if (rc != PST_OK)
		return rc;

	const struct pst_scmeet_opts o = {
		.compat_abi = pst_work_grant(w, PST_G_COMPAT_ABI) == PST_PASS,
		.no_flags = !w->facts->rt_seccomp_flags,
		.allow_userns = pst_work_grant(w, PST_G_USERNS) != PST_REFUSE,
	};
	rc = pst_scmeet(caller, ours, &o, &p->notes, &p->filter, err);
	p->profile = strdup(w->profile_name);
	if (rc == PST_OK && p->profile == NULL)
		rc = pst_fail_nomem(err);
	if (rc == PST_OK)
		rc = pst_plan_denials(w, caller, ours, reasons, err);
	if (rc == PST_OK)
		rc = pst_scprof_check_x86(p->filter, err);
	if (rc != PST_OK)
		return rc;
	p->expect.seccomp = true;

	pst_auto_json *tree = pst_scprof_emit(p->filter);
	if (tree == NULL)
		return pst_fail_nomem(err);
	if (w->spec->seccomp == NULL || !json_equal((json_t *)(uintptr_t)w->spec->seccomp, tree))
		pst_edit_set(&p->edits, "/linux/seccomp", PST_TAKE(tree),
			     pst_work_source(w, "/profile/default"),
			     caller == NULL ? "the caller asked for no syscall filter: profile %s"
					    : "the caller's syscall filter and profile %s, what both allow",
			     w->profile_name);
	return PST_OK;
}

static bool array_has(const json_t *a, const char *s)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (pst_streq(pst_json_str(json_array_get(a, i)), s))
			return true;
	return false;
}

static void add_paths(struct pst_work *w, const char *pointer, const struct pst_strv *want,
		      const char *rule, const char *why)
{
	const json_t *have = pst_json_at(w->spec->tree, pointer);
	json_t *out = have == NULL || json_is_null(have) ? json_array() : pst_json_copy(have);
	bool more = false;
	for (size_t i = 0; out != NULL && i < want->n; i++) {
		if (array_has(out, want->v[i]) ||
		    array_has(pst_json_at(w->spec->tree, "/linux/maskedPaths"), want->v[i]))
			continue;
		more = true;
		(void)json_array_append_new(out, json_string(want->v[i]));
	}
	if (more || out == NULL)
		pst_edit_set(&w->plan->edits, pointer, out, pst_work_source(w, rule), "%s", why);
	else
		json_decref(out);
}

int pst_plan_paths(struct pst_work *w, struct pst_err *err)
{
	(void)err;
	if (w->privileged)
		return PST_OK;
	add_paths(w, "/linux/maskedPaths", &w->policy->mask_paths, "/paths/masked",
		  "these tell of the kernel and the host");
	add_paths(w, "/linux/readonlyPaths", &w->policy->readonly_paths, "/paths/readOnly",
		  "these steer the kernel");
	return PST_OK;
}

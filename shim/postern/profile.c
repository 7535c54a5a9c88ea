/* profile list|show|explain|diff|intersect|test|check|compile: work on syscall profiles
 * without a container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/scmeet.h"
#include "core/sctable.h"
#include "core/scview.h"
#include "front.h"
#include "host/profileload.h"
#include "host/scbuild.h"
#include "profiles.h"
#include "profileverbs.h"

/* How many calls get through, and what the profile is for. */
static int list_one(const char *name, json_t *all, struct pst_err *err)
{
	bool own = false;
	profile_auto_doc d = {0};
	pst_auto_scprof *p = NULL;
	size_t n[PST_SC_NSTATES];
	int rc = pst_profile_load(name, &d.tree, &own, err);
	d.obj = d.tree;
	d.pointer = "";
	if (rc == PST_OK)
		rc = profile_parse(&d, name, NULL, &p, err);
	if (rc != PST_OK)
		return rc;
	(void)pst_scview_count(p, n);
	const char *summary = pst_json_str(pst_json_at(d.obj, "/postern/summary"));
	json_t *o = json_pack("{s:s, s:I, s:s, s:b}", "name", name, "calls",
			      (json_int_t)(n[PST_SC_ALLOWED] + n[PST_SC_CONDITIONAL]), "summary",
			      summary != NULL ? summary : "", "own", (int)own);
	return json_array_append_new(all, o) == 0 ? PST_OK : pst_fail_nomem(err);
}

static int list(const struct front *f, struct pst_err *err)
{
	bool json = false;
	char **names = NULL;
	pst_auto_json *all = json_array();
	int rc = profile_format(pst_argv_value(&f->args, "format"), &json, err);
	if (rc == PST_OK)
		rc = pst_profile_names(&names, err);
	for (size_t i = 0; rc == PST_OK && names[i] != NULL; i++) {
		struct pst_err why = {0};
		/* One that cannot be used is told, and the others are listed. */
		if (list_one(names[i], all, &why) != PST_OK)
			fprintf(stderr, "postern: %s: %s%s%s\n", names[i], why.msg,
				why.cure[0] != '\0' ? "; to do: " : "", why.cure);
	}
	pst_profile_names_done(names);
	if (rc != PST_OK)
		return rc;
	if (json)
		return profile_print(all, err);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *o = json_array_get(all, i);
		printf("%-16s %3lld calls  %s%s\n", pst_json_str(json_object_get(o, "name")),
		       (long long)json_integer_value(json_object_get(o, "calls")),
		       json_is_true(json_object_get(o, "own")) ? "(this node's) " : "",
		       pst_json_str(json_object_get(o, "summary")));
	}
	return PST_OK;
}

static int show(const char *name, struct pst_err *err)
{
	profile_auto_doc d = {0};
	const int rc = profile_load(name, &d, err);
	return rc == PST_OK ? profile_print(d.tree, err) : rc;
}

static int intersect(const char *a, const char *b, struct pst_err *err)
{
	const struct pst_scmeet_opts o = {0};
	struct pst_notes notes = {0};
	pst_auto_scprof *pa = NULL;
	pst_auto_scprof *pb = NULL;
	pst_auto_scprof *m = NULL;
	int rc = profile_rules(a, &notes, &pa, err);
	if (rc == PST_OK)
		rc = profile_rules(b, &notes, &pb, err);
	if (rc == PST_OK)
		rc = pst_scmeet(pa, pb, &o, &notes, &m, err);
	if (rc == PST_OK) {
		pst_auto_json *j = pst_scprof_emit(m);
		rc = profile_print(j, err);
	}
	for (size_t i = 0; i < notes.n; i++)
		fprintf(stderr, "note: %s%s%s\n", notes.v[i].pointer,
			notes.v[i].pointer[0] != '\0' ? ": " : "", notes.v[i].text);
	pst_notes_done(&notes);
	return rc;
}

static const struct {
	uint32_t action;
	const char *word;
} actions[] = {
	{SECCOMP_RET_ALLOW, "allow"},
	{SECCOMP_RET_ERRNO, "errno"},
	{SECCOMP_RET_KILL_PROCESS, "kill-process"},
	{SECCOMP_RET_KILL_THREAD, "kill-thread"},
	{SECCOMP_RET_TRAP, "trap"},
	{SECCOMP_RET_TRACE, "trace"},
	{SECCOMP_RET_USER_NOTIF, "notify"},
	{SECCOMP_RET_LOG, "log"},
};

/* The kernel's __u64 and uint64_t are different types of one size. */
static bool number(const char *text, __u64 *ret)
{
	uint64_t v;
	if (!pst_num_parse(text, 0, UINT64_MAX, &v))
		return false;
	*ret = v;
	return true;
}

/* What the compiled filter answers for one call, as the kernel would run it. */
static int test(const char *what, size_t argc, const char *const argv[], struct pst_err *err)
{
	pst_auto_scprof *p = NULL;
	pst_auto_scbuilt built = {0};
	struct seccomp_data d = {.arch = 0xc000003e}; /* AUDIT_ARCH_X86_64, linux/audit.h */
	const struct pst_sc *sc = pst_sctable_name(argv[0]);
	if (sc == NULL || sc->nr < 0)
		return pst_fail(err, PST_E_USAGE, "",
				"no system call of this machine is called \"%s\"", argv[0]);
	d.nr = sc->nr;
	for (size_t i = 1; i < argc; i++)
		if (i > PST_NARGS || !number(argv[i], &d.args[i - 1]))
			return pst_fail(err, PST_E_USAGE, "",
					"arguments are up to six numbers, not \"%s\"", argv[i]);
	int rc = profile_rules(what, NULL, &p, err);
	if (rc == PST_OK)
		rc = pst_scbuild(p, PST_SCBUILD_MS, &built, err);
	if (rc != PST_OK)
		return rc;
	const uint32_t ret = pst_bpf_run((struct pst_bpf){built.insn, built.n}, &d);
	for (size_t i = 0; i < PST_NELEM(actions); i++)
		if (actions[i].action == (ret & SECCOMP_RET_ACTION_FULL))
			printf("%s", actions[i].word);
	if ((ret & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		printf(" %u (%s)", ret & SECCOMP_RET_DATA, strerror((int)(ret & SECCOMP_RET_DATA)));
	printf("\n");
	return PST_OK;
}

int verb_profile(struct front *f)
{
	struct pst_err err = {0};
	const char *const *a = f->args.args;
	const size_t n = f->args.nargs;
	int rc = PST_OK;
	if (strcmp(a[0], "diff") == 0 && n == 3)
		return profile_diff(f, a[1], a[2]);
	if (strcmp(a[0], "check") == 0 && n == 2)
		return profile_check(f, a[1]);
	if (strcmp(a[0], "list") == 0 && n == 1)
		rc = list(f, &err);
	else if (strcmp(a[0], "show") == 0 && n == 2)
		rc = show(a[1], &err);
	else if (strcmp(a[0], "explain") == 0 && n == 2)
		rc = profile_explain(f, a[1], &err);
	else if (strcmp(a[0], "intersect") == 0 && n == 3)
		rc = intersect(a[1], a[2], &err);
	else if (strcmp(a[0], "test") == 0 && n >= 3)
		rc = test(a[1], n - 2, a + 2, &err);
	else if (strcmp(a[0], "compile") == 0 && n == 2)
		rc = profile_compile(a[1], &err);
	else
		rc = pst_fail(&err, PST_E_USAGE, "", "usage: postern profile %s", f->verb->usage);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

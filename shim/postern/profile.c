/* profile list|show|intersect|test: work on syscall profiles without a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "core/profiles.h"
#include "core/sctable.h"
#include "core/scmeet.h"
#include "front.h"
#include "host/io.h"
#include "host/scbuild.h"

#define COMPILE_MS 5000

/* A built-in profile by name, or a file: an OCI seccomp object, or a config.json's. */
static int load(const char *what, json_t **ret, struct pst_err *err)
{
	size_t len;
	pst_auto_buf text = {0};
	const char *builtin = strchr(what, '/') == NULL ? pst_profile_builtin(what, &len) : NULL;
	if (builtin != NULL)
		return pst_json_parse(builtin, len, what, &pst_json_oci, ret, err);
	int rc = pst_io_read_file(AT_FDCWD, what, pst_json_oci.bytes, &text, err);
	if (rc == PST_E_HOST && err->sys == ENOENT) {
		pst_fail(err, PST_E_USAGE, "", "\"%s\" is neither a built-in profile nor a file", what);
		return pst_err_cure(err, "see `postern profile list`");
	}
	return rc == PST_OK ? pst_json_parse(pst_buf_cstr(&text), text.len, what, &pst_json_oci, ret, err) : rc;
}

static int parse(const char *what, struct pst_notes *notes, struct pst_scprof **ret, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	int rc = load(what, &j, err);
	if (rc == PST_OK) {
		const json_t *inner = pst_json_at(j, "/linux/seccomp");
		rc = pst_scprof_parse(inner != NULL ? inner : j, inner != NULL ? "/linux/seccomp" : "", notes, ret,
				      err);
		if (rc != PST_OK)
			(void)pst_err_file(err, what);
	}
	return rc;
}

static int print(const json_t *j, struct pst_err *err)
{
	pst_auto_buf out = {0};
	const int rc = j == NULL ? pst_fail_nomem(err) : pst_json_dump(j, PST_JSON_PRETTY, &out, err);
	if (rc == PST_OK)
		fputs(pst_buf_cstr(&out), stdout);
	return rc;
}

static int show(const char *name, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	const int rc = load(name, &j, err);
	return rc == PST_OK ? print(j, err) : rc;
}

static int intersect(const char *a, const char *b, struct pst_err *err)
{
	const struct pst_scmeet_opts o = {0};
	struct pst_notes notes = {0};
	pst_auto_scprof *pa = NULL;
	pst_auto_scprof *pb = NULL;
	pst_auto_scprof *m = NULL;
	int rc = parse(a, &notes, &pa, err);
	if (rc == PST_OK)
		rc = parse(b, &notes, &pb, err);
	if (rc == PST_OK)
		rc = pst_scmeet(pa, pb, &o, &notes, &m, err);
	if (rc == PST_OK) {
		pst_auto_json *j = pst_scprof_emit(m);
		rc = print(j, err);
	}
	for (size_t i = 0; i < notes.n; i++)
		fprintf(stderr, "note: %s%s%s\n", notes.v[i].pointer, notes.v[i].pointer[0] != '\0' ? ": " : "",
			notes.v[i].text);
	pst_notes_done(&notes);
	return rc;
}

static const struct {
	uint32_t action;
	const char *word;
} actions[] = {
	{SECCOMP_RET_ALLOW, "allow"},	      {SECCOMP_RET_ERRNO, "errno"},
	{SECCOMP_RET_KILL_PROCESS, "kill-process"}, {SECCOMP_RET_KILL_THREAD, "kill-thread"},
	{SECCOMP_RET_TRAP, "trap"},	      {SECCOMP_RET_TRACE, "trace"},
	{SECCOMP_RET_USER_NOTIF, "notify"},   {SECCOMP_RET_LOG, "log"},
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
static int test(const char *what, int argc, char **argv, struct pst_err *err)
{
	pst_auto_scprof *p = NULL;
	struct pst_scbuilt built = {0};
	struct seccomp_data d = {.arch = 0xc000003e}; /* AUDIT_ARCH_X86_64, linux/audit.h */
	const struct pst_sc *sc = pst_sctable_name(argv[0]);
	if (sc == NULL || sc->nr < 0)
		return pst_fail(err, PST_E_USAGE, "", "no system call of this machine is called \"%s\"", argv[0]);
	d.nr = sc->nr;
	for (int i = 1; i < argc; i++)
		if (i > 6 || !number(argv[i], &d.args[i - 1]))
			return pst_fail(err, PST_E_USAGE, "", "arguments are up to six numbers, not \"%s\"", argv[i]);
	int rc = parse(what, NULL, &p, err);
	if (rc == PST_OK)
		rc = pst_scbuild(p, COMPILE_MS, &built, err);
	if (rc != PST_OK)
		return rc;
	const uint32_t ret = pst_bpf_run((struct pst_bpf){built.insn, built.n}, &d);
	for (size_t i = 0; i < PST_NELEM(actions); i++)
		if (actions[i].action == (ret & SECCOMP_RET_ACTION_FULL))
			printf("%s", actions[i].word);
	if ((ret & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		printf(" %u (%s)", ret & SECCOMP_RET_DATA, strerror((int)(ret & SECCOMP_RET_DATA)));
	printf("\n");
	pst_scbuilt_done(&built);
	return PST_OK;
}

int verb_profile(struct front *f)
{
	struct pst_err err = {0};
	const char *verb = f->argv[0];
	int rc = PST_OK;
	if (strcmp(verb, "list") == 0 && f->argc == 1)
		for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++)
			printf("%s\n", pst_profile_builtin_name(i));
	else if (strcmp(verb, "show") == 0 && f->argc == 2)
		rc = show(f->argv[1], &err);
	else if (strcmp(verb, "intersect") == 0 && f->argc == 3)
		rc = intersect(f->argv[1], f->argv[2], &err);
	else if (strcmp(verb, "test") == 0 && f->argc >= 3)
		rc = test(f->argv[1], f->argc - 2, f->argv + 2, &err);
	else
		rc = pst_fail(&err, PST_E_USAGE, "", "usage: postern profile %s", f->verb->usage);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

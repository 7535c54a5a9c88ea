/* Every profile that is shipped: compiles, is inside baseline, and means what it says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/json.h"
#include "core/profiles.h"
#include "core/sccheck.h"
#include "core/scprof.h"
#include "host/scbuild.h"

static json_t *tree_of(const char *name)
{
	size_t len;
	struct pst_err err = {0};
	json_t *j = NULL;
	const char *text = pst_profile_builtin(name, &len);
	cr_assert_not_null(text, "%s", name);
	cr_assert_eq(pst_json_parse(text, len, name, &pst_json_oci, &j, &err), PST_OK, "%s", err.msg);
	return j;
}

static struct pst_scprof *profile(const char *name)
{
	struct pst_err err = {0};
	struct pst_scprof *p = NULL;
	pst_auto_json *j = tree_of(name);
	cr_assert_eq(pst_scprof_parse(j, "", NULL, &p, &err), PST_OK, "%s: %s", name, err.msg);
	return p;
}

static bool is_ours(const char *name)
{
	pst_auto_json *j = tree_of(name);
	return !json_is_true(pst_json_at(j, "/postern/reference"));
}

static bool allows_some(const struct pst_scprof *p, unsigned slot)
{
	const struct pst_scslot *s = &p->slot[slot];
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i].ret == SECCOMP_RET_ALLOW)
			return true;
	return s->n == 0 && p->def == SECCOMP_RET_ALLOW;
}

static size_t count(const struct pst_scprof *p)
{
	size_t n = 0;
	for (unsigned slot = 0; slot < PST_SC_NATIVE; slot++)
		n += pst_sctable_slot(slot) != NULL && allows_some(p, slot);
	return n;
}

struct pair {
	const struct pst_scprof *inner, *outer;
	const char *name;
	unsigned slot;
};

static bool inside(void *ctx, const uint64_t args[PST_NARGS])
{
	struct pair *w = ctx;
	if (pst_sceval_slot(w->inner, w->slot, args) == SECCOMP_RET_ALLOW)
		cr_expect_eq(pst_sceval_slot(w->outer, w->slot, args), SECCOMP_RET_ALLOW, "%s allows %s(%lx, %lx, %lx)",
			     w->name, pst_sctable_slot(w->slot)->name, args[0], args[1], args[2]);
	return true;
}

Test(profiles, each_class_is_inside_baseline)
{
	pst_auto_scprof *base = profile("baseline");
	size_t ours = 0;
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		const char *name = pst_profile_builtin_name(i);
		if (!is_ours(name))
			continue;
		pst_auto_scprof *p = profile(name);
		struct pair w = {.inner = p, .outer = base, .name = name};
		for (w.slot = 0; w.slot < PST_SC_NATIVE; w.slot++) {
			if (pst_sctable_slot(w.slot) == NULL)
				continue;
			cr_assert(pst_sccheck_corners(&p->slot[w.slot], inside, &w));
			cr_assert(pst_sccheck_corners(&base->slot[w.slot], inside, &w));
		}
		cr_expect_eq(p->archs, PST_SCARCH_X86_64, "%s: a compat ABI", name);
		ours++;
	}
	cr_expect_geq(ours, 8);
}

/* A high bit set in an argument the kernel cuts to 32 bits opens nothing. */
static bool high_bits(void *ctx, const uint64_t args[PST_NARGS])
{
	struct pair *w = ctx;
	const struct pst_sc *sc = pst_sctable_slot(w->slot);
	for (unsigned i = 0; i < PST_NARGS; i++) {
		uint64_t wide[PST_NARGS];
		if ((sc->ints >> i & 1) == 0)
			continue;
		memcpy(wide, args, sizeof wide);
		wide[i] |= UINT64_C(1) << 32;
		if (pst_sceval_slot(w->inner, w->slot, args) != SECCOMP_RET_ALLOW)
			cr_expect_neq(pst_sceval_slot(w->inner, w->slot, wide), SECCOMP_RET_ALLOW, "%s: %s argument %u",
				      w->name, sc->name, i);
	}
	return true;
}

Test(profiles, what_is_denied_is_denied_with_a_high_bit_too)
{
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		pst_auto_scprof *p = profile(pst_profile_builtin_name(i));
		struct pair w = {.inner = p, .name = pst_profile_builtin_name(i)};
		for (w.slot = 0; w.slot < PST_SC_NATIVE; w.slot++)
			if (pst_sctable_slot(w.slot) != NULL)
				cr_assert(pst_sccheck_corners(&p->slot[w.slot], high_bits, &w));
	}
}

Test(profiles, each_compiles_to_a_filter_that_does_what_it_says)
{
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		pst_auto_scprof *p = profile(pst_profile_builtin_name(i));
		pst_auto_scbuilt built = {0};
		struct pst_err err = {0};
		cr_assert_eq(pst_scbuild(p, PST_SCBUILD_MS, &built, &err), PST_OK, "%s", err.msg);
		const struct pst_bpf prog = {built.insn, built.n};
		cr_expect_eq(pst_sccheck(&prog, 1, p, NULL, &err), PST_OK, "%s: %s", pst_profile_builtin_name(i), err.msg);
		struct seccomp_data d = {.nr = 435, .arch = 0xc000003e};
		cr_expect_eq(pst_bpf_run(prog, &d), SECCOMP_RET_ERRNO | ENOSYS, "clone3");
		for (unsigned slot = 0; slot < PST_SC_NATIVE; slot++) {
			d = (struct seccomp_data){.nr = (int)slot, .arch = 0xc000003e};
			if (pst_sctable_slot(slot) != NULL && p->slot[slot].n == 0)
				cr_expect_neq(pst_bpf_run(prog, &d), SECCOMP_RET_ALLOW, "%u", slot);
		}
	}
}

Test(profiles, no_rule_is_shadowed_and_no_name_is_unknown)
{
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		const char *name = pst_profile_builtin_name(i);
		pst_auto_json *j = tree_of(name);
		pst_auto_scprof *p = profile(name);
		const json_t *rules = json_object_get(j, "syscalls");
		bool whole[PST_SC_SLOTS] = {false};
		for (size_t r = 0; r < json_array_size(rules); r++) {
			const json_t *rule = json_array_get(rules, r);
			const json_t *names = json_object_get(rule, "names");
			for (size_t k = 0; k < json_array_size(names); k++) {
				const char *call = json_string_value(json_array_get(names, k));
				const struct pst_sc *sc = pst_sctable_name(call);
				cr_assert_not_null(sc, "%s: %s", name, call);
				cr_expect_not(whole[sc->slot], "%s: %s stands again behind a rule for all of it", name, call);
				whole[sc->slot] = json_object_get(rule, "args") == NULL;
				cr_expect_gt(p->slot[sc->slot].n, 0, "%s: %s has a rule that says nothing", name, call);
			}
		}
	}
}

Test(profiles, sizes)
{
	static const struct {
		const char *name;
		size_t most;
	} goals[] = {{"baseline", 274},   {"web", 228},	      {"database", 232},   {"interpreter", 228},
		     {"go-service", 198}, {"batch", 211},     {"static-cli", 189}, {"strict", 124}};
	for (size_t i = 0; i < PST_NELEM(goals); i++) {
		pst_auto_scprof *p = profile(goals[i].name);
		cr_expect_leq(count(p), goals[i].most, "%s: %zu", goals[i].name, count(p));
	}
	pst_auto_scprof *docker = profile("docker-default");
	cr_expect_eq(count(docker), 309);
}

/* What the runtimes call after they put the filter on: with no_new_privs, and without. */
Test(profiles, the_runtime_can_become_the_program)
{
	static const char *const last[] = {"read",   "futex",  "close", "openat", "getpid", "epoll_ctl", "fstatfs", "getdents64",
					   "write", "execve", "wait4", "kill",	"munmap"};
	static const char *const early[] = {"fcntl",  "chdir",   "capget", "capset",   "prctl",	 "newfstatat", "fstat",
					    "setgroups", "setgid", "setuid", "getcwd", "getppid", "faccessat2", "setresgid",
					    "setresuid", "rt_sigprocmask", "rt_sigaction"};
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		const char *name = pst_profile_builtin_name(i);
		pst_auto_scprof *p = profile(name);
		for (size_t k = 0; k < PST_NELEM(last); k++)
			cr_expect(allows_some(p, (unsigned)pst_sctable_name(last[k])->slot), "%s: %s", name, last[k]);
		for (size_t k = 0; k < PST_NELEM(early) && strcmp(name, "strict") != 0; k++)
			cr_expect(allows_some(p, (unsigned)pst_sctable_name(early[k])->slot), "%s: %s", name, early[k]);
	}
}

Test(profiles, each_says_what_it_is_for_and_why)
{
	static const char *const texts[] = {"/postern/title", "/postern/summary", "/postern/leavesOut"};
	for (size_t i = 0; pst_profile_builtin_name(i) != NULL; i++) {
		pst_auto_json *j = tree_of(pst_profile_builtin_name(i));
		for (size_t k = 0; k < PST_NELEM(texts); k++)
			cr_expect_gt(json_string_length(pst_json_at(j, texts[k])), 2, "%s %s", pst_profile_builtin_name(i), texts[k]);
		cr_expect_gt(json_array_size(pst_json_at(j, "/postern/observed")), 0);
		const json_t *why = pst_json_at(j, "/postern/why");
		for (size_t k = 0; k < json_array_size(why); k++)
			cr_expect_gt(json_string_length(json_object_get(json_array_get(why, k), "why")), 5);
	}
}

/* I-1 for syscalls: 2,000 random pairs of profiles; their intersection, compiled with
 * libseccomp and simulated, is never weaker than either, and hardly ever stricter. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "core/json.h"
#include "core/sccheck.h"
#include "core/scmeet.h"
#include "host/scbuild.h"

#define PAIRS 2000

static const char *const names[] = {"read", "write", "socket", "clone", "personality", "ioctl", "chmod", "kill"};

/* What is denied for an `int` is denied whatever the high half: a value beyond 32
 * bits there would make its low half count as needlessly denied. */
static json_t *some_args(const char *name)
{
	static const char *const ops[] = {"SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT",
					  "SCMP_CMP_LE", "SCMP_CMP_GT", "SCMP_CMP_GE"};
	json_t *a = json_array();
	for (unsigned i = chance_below(3); i > 0; i--) {
		const unsigned index = chance_below(3);
		const bool is_int = (pst_sctable_name(name)->ints >> index & 1) != 0;
		const uint64_t v = !chance_one_in(6) ? chance_below(20) : is_int ? chance_next() >> 33 : chance_next();
		/* One choice a statement: the order of arguments is the compiler's. */
		const uint64_t two = chance_below(16);
		const unsigned many = chance_one_in(4) ? 7 : 2;
		const char *op = ops[chance_below(many)];
		json_array_append_new(a, json_pack("{s:i, s:o, s:o, s:s}", "index", (int)index, "value",
						   pst_json_from_u64(v), "valueTwo", pst_json_from_u64(two),
						   "op", op));
	}
	return a;
}

static json_t *some_profile(void)
{
	static const char *const actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS",
					      "SCMP_ACT_LOG", "SCMP_ACT_TRAP"};
	json_t *rules = json_array();
	const unsigned def = chance_one_in(4) ? 0 : 1;
	for (unsigned i = 1 + chance_below(5); i > 0; i--) {
		const char *name = names[chance_below(8)];
		const unsigned any = chance_below(5), usual = 1 - def;
		const char *action = actions[chance_one_in(3) ? any : usual];
		json_t *args = some_args(name);
		json_array_append_new(rules, json_pack("{s:[s], s:s, s:o}", "names", name, "action", action,
						       "args", args));
	}
	return json_pack("{s:s, s:o}", "defaultAction", actions[def], "syscalls", rules);
}

struct walk {
	const struct pst_scprof *a, *b;
	const struct pst_scprof *result;
	struct pst_bpf prog;
	uint32_t nr;
	unsigned pair;
	unsigned long points, stricter;
};

static uint32_t stronger(uint32_t x, uint32_t y)
{
	return pst_scret_stronger(y, x) ? y : x;
}

static bool look(void *ctx, const uint64_t args[PST_NARGS])
{
	struct walk *w = ctx;
	struct seccomp_data d = {.nr = (int)w->nr, .arch = 0xc000003e};
	memcpy(d.args, args, sizeof d.args);
	const uint32_t want = stronger(pst_sceval(w->a, w->nr, args), pst_sceval(w->b, w->nr, args));
	const uint32_t got = pst_bpf_run(w->prog, &d);
	cr_assert_not(pst_scret_stronger(want, got), "pair %u: call %u args %llx %llx %llx: wanted %08x, got %08x, model %08x",
		      w->pair, w->nr, (unsigned long long)args[0], (unsigned long long)args[1],
		      (unsigned long long)args[2], want, got, pst_sceval(w->result, w->nr, args));
	const bool high = (args[0] | args[1] | args[2]) >> 32 != 0;
	w->points += !high;
	w->stricter += !high && pst_scret_stronger(got, want);
	return true;
}

static void walk_pair(struct walk *w)
{
	const struct pst_scprof *const all[] = {w->a, w->b, w->result};
	for (size_t i = 0; i < PST_NELEM(names); i++) {
		const struct pst_sc *sc = pst_sctable_name(names[i]);
		w->nr = (uint32_t)sc->nr;
		for (size_t k = 0; k < 3; k++)
			(void)!pst_sccheck_corners(&all[k]->slot[sc->slot], look, w);
		for (unsigned r = 0; r < 20; r++) {
			const uint64_t first = chance_below(24), second = chance_below(24);
			const uint64_t args[PST_NARGS] = {first, second, chance_next()};
			look(w, args);
		}
	}
}

Test(scmeet, compiled_intersections_are_never_weaker, .timeout = 280)
{
	const struct pst_scmeet_opts o = {.no_flags = true};
	unsigned done = 0, slow = 0;
	unsigned long points = 0, stricter = 0;
	for (unsigned pair = 0; pair < PAIRS; pair++) {
		struct pst_err err = {0};
		pst_auto_scprof *a = NULL, *b = NULL, *m = NULL;
		struct pst_scbuilt built = {0};
		chance_seed(pair + 7);
		pst_auto_json *ja = some_profile();
		pst_auto_json *jb = some_profile();
		cr_assert_eq(pst_scprof_parse(ja, "", NULL, &a, &err), PST_OK, "pair %u: %s %s", pair, err.pointer,
			     err.msg);
		cr_assert_eq(pst_scprof_parse(jb, "", NULL, &b, &err), PST_OK, "pair %u: %s", pair, err.msg);
		if (pst_scmeet(a, b, &o, NULL, &m, &err) != PST_OK) {
			cr_assert_eq(err.code, PST_E_SPEC, "pair %u: %s", pair, err.msg);
			continue;
		}
		/* libseccomp itself may take minutes over some sets of conditions; what it did not
		 * build cannot be simulated, and a runtime would not start it either. */
		if (pst_scbuild(m, 3000, &built, &err) != PST_OK) {
			cr_assert(strstr(err.msg, "did not compile") != NULL, "pair %u: %s", pair, err.msg);
			slow++;
			continue;
		}
		struct walk w = {.a = a, .b = b, .result = m, .prog = {built.insn, built.n}, .pair = pair};
		walk_pair(&w);
		points += w.points;
		stricter += w.stricter;
		pst_scbuilt_done(&built);
		done++;
	}
	cr_assert(done > PAIRS * 9 / 10, "%u of %u", done, PAIRS);
	cr_assert(slow <= 4, "%u pairs took libseccomp too long", slow);
	cr_log_info("%u pairs, %lu points, %lu stricter than needed", done, points, stricter);
	cr_assert(stricter * 100 < points, "%lu of %lu points stricter than needed", stricter, points);
}

#include "core/sccheck.h"

#include <linux/audit.h>
#include <string.h>

#define X32_BIT 0x40000000u
#define KEPT 8 /* filters whose way to the arguments is kept; more are run whole */

struct walk {
	const struct pst_bpf *chain;
	size_t n;
	const struct pst_scprof *want;
	struct seccomp_data d;
	unsigned slot;
	bool closed; /* whatever the arguments, the answer must deny */
	struct pst_bpf_state at[KEPT];
	struct pst_scpoint bad;
};

/* Turn to another call: run the part of each filter that looks at its number. */
static void turn(struct walk *w, uint32_t arch, uint32_t nr, unsigned slot)
{
	w->d = (struct seccomp_data){.nr = (int)nr, .arch = arch};
	w->slot = slot;
	for (size_t i = 0; i < w->n && i < KEPT; i++)
		pst_bpf_enter(w->chain[i], &w->d, &w->at[i]);
}

static uint32_t answer(const struct walk *w)
{
	uint32_t ret = SECCOMP_RET_ALLOW;
	for (size_t i = 0; i < w->n; i++) {
		const uint32_t r = i < KEPT ? pst_bpf_resume(w->chain[i], &w->at[i], &w->d)
					    : pst_bpf_run(w->chain[i], &w->d);
		if (pst_scret_stronger(r, ret))
			ret = r;
	}
	return ret;
}

/* One point; false where the chain is weaker than wanted. */
static bool look(void *ctx, const uint64_t args[PST_NARGS])
{
	struct walk *w = ctx;
	memcpy(w->d.args, args, sizeof w->d.args);
	const uint32_t got = answer(w);
	const uint32_t want = w->closed ? (uint32_t)SECCOMP_RET_ERRNO
					: pst_sceval_slot(w->want, w->slot, args);
	if (!pst_scret_stronger(want, got))
		return true;
	w->bad = (struct pst_scpoint){.d = w->d, .got = got, .want = want};
	return false;
}

/* The box's own values, and each condition missed in a few ways. */
static bool see_box(const struct pst_box *b, pst_sccheck_see *see, void *ctx)
{
	uint64_t args[PST_NARGS];
	for (size_t i = 0; i < PST_NARGS; i++)
		args[i] = b->arg[i].value;
	if (!see(ctx, args))
		return false;
	for (size_t i = 0; i < PST_NARGS; i++) {
		const uint64_t mask = b->arg[i].mask;
		if (mask == 0)
			continue;
		const uint64_t low = mask & (~mask + 1);
		const uint64_t top32 = mask & 0xffffffff;
		const uint64_t top = top32 == 0 ? low : UINT64_C(1) << (63 - __builtin_clzll(top32));
		const uint64_t flips[] = {low, top, UINT64_C(1) << 32, UINT64_C(1) << 63};
		for (size_t f = 0; f < PST_NELEM(flips); f++) {
			args[i] = b->arg[i].value ^ flips[f];
			if (!see(ctx, args))
				return false;
		}
		args[i] = b->arg[i].value;
	}
	return true;
}

bool pst_sccheck_corners(const struct pst_scslot *s, pst_sccheck_see *see, void *ctx)
{
	static const uint64_t zero[PST_NARGS];
	if (!see(ctx, zero))
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (!see_box(&s->v[i].box, see, ctx))
			return false;
	return true;
}

static bool walk_native(struct walk *w)
{
	for (unsigned nr = 0; nr < PST_SC_NATIVE; nr++) {
		turn(w, AUDIT_ARCH_X86_64, nr, nr);
		if (!pst_sccheck_corners(&w->want->slot[nr], look, w))
			return false;
	}
	return true;
}

/* The other ABIs of this machine: shut, or no wider than the native one. */
static bool walk_compat(struct walk *w)
{
	static const uint64_t zero[PST_NARGS];
	w->closed = (w->want->archs & PST_SCARCH_X32) == 0;
	for (unsigned nr = 0; nr < PST_SC_NATIVE; nr++) {
		turn(w, AUDIT_ARCH_X86_64, nr | X32_BIT, nr);
		if (!look(w, zero))
			return false;
	}
	w->closed = (w->want->archs & PST_SCARCH_X86) == 0;
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++) {
		if (sc->i386 < 0)
			continue;
		turn(w, AUDIT_ARCH_I386, (uint32_t)sc->i386, (unsigned)sc->slot);
		/* libseccomp opens socketcall and ipc with any socket or ipc rule */
		const bool mux = strcmp(sc->name, "socketcall") == 0 || strcmp(sc->name, "ipc") == 0;
		if (!(mux && !w->closed) && !look(w, zero))
			return false;
	}
	return true;
}

/* A profile that lets everything pass is met by any chain, even an empty one. */
static bool denies_nothing(const struct pst_scprof *p)
{
	bool any = p->def != SECCOMP_RET_ALLOW;
	for (unsigned i = 0; i < PST_SC_SLOTS; i++)
		any = any || p->slot[i].n > 0;
	return !any;
}

int pst_sccheck(const struct pst_bpf chain[], size_t n, const struct pst_scprof *want,
		struct pst_scpoint *point, struct pst_err *err)
{
	struct walk w = {.chain = chain, .n = n, .want = want};
	for (size_t i = 0; i < n; i++) {
		const int r = pst_bpf_check(chain[i], err);
		if (r != PST_OK)
			return r;
	}
	if (denies_nothing(want) || (walk_native(&w) && walk_compat(&w)))
		return PST_OK;

	if (point != NULL)
		*point = w.bad;
	const struct pst_sc *sc = pst_sctable_slot(w.slot);
	const char *got = pst_scret_name(w.bad.got);
	pst_fail(err, PST_E_STATE, "",
		 "the loaded filter is weaker than planned: %s (number %d, arch %#x) with arguments "
		 "%#llx %#llx %#llx gives %s, not %s",
		 sc != NULL ? sc->name : "a call", w.bad.d.nr, w.bad.d.arch,
		 (unsigned long long)w.bad.d.args[0], (unsigned long long)w.bad.d.args[1],
		 (unsigned long long)w.bad.d.args[2], got != NULL ? got : "an unknown action",
		 pst_scret_name(w.bad.want));
	return pst_err_cure(err, "the OCI runtime did not load the profile it was given: check its "
				 "version with `postern doctor`");
}

#include "core/scwords.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/scprof.h"
#include "core/scwordnames.h"

#define LOW32 UINT64_C(0xffffffff)
#define SPREAD 8     /* values one cube is written out as */
#define SENTENCES 12 /* of one call; more are only counted */
#define SHORT_RUN 4  /* values a run is still listed as */

/* Values lo..hi, both in. */
struct run {
	uint64_t lo, hi;
};

struct runs {
	struct run *v;
	size_t n;
	bool bad;
};

static bool is_int(const struct pst_sc *sc, unsigned arg)
{
	return ((sc->ints >> arg) & 1) != 0;
}

/* The bits of a cube that say something: the high half of an int is left out, and so is a
 * high half that has to be zero. */
static struct pst_cube seen(const struct pst_sc *sc, unsigned arg, struct pst_cube c)
{
	const bool plain = (c.value & ~LOW32) == 0 && (c.mask & ~LOW32) == ~LOW32;
	if (c.mask != UINT64_MAX && (is_int(sc, arg) || plain) && (c.mask & LOW32) != 0)
		c = (struct pst_cube){c.value & LOW32, c.mask & LOW32};
	return c;
}

static void add_run(struct runs *l, uint64_t lo, uint64_t hi)
{
	struct run *v = reallocarray(l->v, l->n + 1, sizeof *v);
	if (v == NULL) {
		l->bad = true;
		return;
	}
	l->v = v;
	l->v[l->n++] = (struct run){lo, hi};
}

/* A cube as runs of values; false when it is no list of values but a test of bits. */
static bool runs_of(const struct pst_sc *sc, unsigned arg, struct pst_cube raw, uint64_t part,
		    struct runs *out)
{
	const struct pst_cube c = seen(sc, arg, raw);
	const uint64_t width = c.mask > LOW32 ? UINT64_MAX : LOW32;
	const uint64_t open = ~c.mask & width & part;
	if ((c.mask & ~part) != 0 && c.mask != UINT64_MAX)
		return false;
	if ((open & (open + 1)) == 0) { /* the low bits: a run */
		add_run(out, c.value, c.value | open);
		return true;
	}
	if ((1u << __builtin_popcountll(open)) > SPREAD)
		return false;
	uint64_t bits = 0;
	do {
		add_run(out, c.value | bits, c.value | bits);
		bits = (bits - open) & open; /* the next subset of the open bits */
	} while (bits != 0);
	return true;
}

static int by_lo(const void *a, const void *b)
{
	const struct run *x = a;
	const struct run *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sort and join what touches. */
static void join(struct runs *l)
{
	if (l->n < 2)
		return;
	qsort(l->v, l->n, sizeof *l->v, by_lo);
	size_t kept = 0;
	for (size_t i = 1; i < l->n; i++) {
		if (l->v[kept].hi == UINT64_MAX || l->v[i].lo <= l->v[kept].hi + 1)
			l->v[kept].hi = l->v[i].hi > l->v[kept].hi ? l->v[i].hi : l->v[kept].hi;
		else
			l->v[++kept] = l->v[i];
	}
	l->n = kept + 1;
}

static void put_value(const struct pst_scarg *a, uint64_t v, struct pst_buf *out)
{
	const char *name = a->name(v);
	if (name != NULL)
		pst_buf_str(out, name);
	else if (v < 1024 || v == LOW32)
		pst_buf_fmt(out, "%llu", (unsigned long long)v);
	else
		pst_buf_fmt(out, "%#llx", (unsigned long long)v);
}

static void put_runs(const struct pst_scarg *a, const struct runs *l, struct pst_buf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct run r = l->v[i];
		const bool whole = r.hi == r.lo || r.hi - r.lo >= SHORT_RUN;
		const char *sep = i == 0 ? "" : i + 1 == l->n && whole ? " or " : ", ";
		if (whole) {
			pst_buf_str(out, sep);
			put_value(a, r.lo, out);
			if (r.hi > r.lo && (r.hi == LOW32 || r.hi == UINT64_MAX))
				pst_buf_str(out, " and above");
			else if (r.hi > r.lo) {
				pst_buf_str(out, " to ");
				put_value(a, r.hi, out);
			}
			continue;
		}
		for (uint64_t v = r.lo; v <= r.hi; v++) {
			pst_buf_str(out,
				    v > r.lo ? (v == r.hi && i + 1 == l->n ? " or " : ", ") : sep);
			put_value(a, v, out);
		}
	}
}

static void put_flags(const struct pst_scarg *a, uint64_t bits, struct pst_buf *out)
{
	const char *sep = "";
	for (int i = 0; i < 64; i++) {
		const uint64_t bit = UINT64_C(1) << i;
		if ((bits & bit) == 0)
			continue;
		pst_buf_str(out, sep);
		put_value(a, bit, out);
		sep = ", ";
	}
}

/* A test of bits: which have to be set and which clear. */
static void put_bits(const struct pst_scarg *a, unsigned arg, struct pst_cube c,
		     struct pst_buf *out)
{
	if (a->kind != PST_SCARG_FLAGS) {
		if (a->label != NULL)
			pst_buf_str(out, a->label);
		else
			pst_buf_fmt(out, "argument %u", arg + 1);
		pst_buf_fmt(out, " & %#llx = %#llx", (unsigned long long)c.mask,
			    (unsigned long long)c.value);
		return;
	}
	if (c.value != 0) {
		pst_buf_fmt(out, "%s with ", a->label);
		put_flags(a, c.value, out);
	}
	if ((c.mask & ~c.value) != 0) {
		pst_buf_fmt(out, c.value != 0 ? " and without " : "%s without ", a->label);
		put_flags(a, c.mask & ~c.value, out);
	}
}

/* The family of a socket's box, for the names of its protocols. */
static int64_t family_of(const struct pst_sc *sc, const struct pst_box *b)
{
	const struct pst_cube c = seen(sc, 0, b->arg[0]);
	if ((c.mask & LOW32) == LOW32)
		return (int64_t)c.value;
	/* the one pair the shipped profiles write as one cube: AF_INET and AF_INET6 */
	return c.mask == (LOW32 ^ 8) && c.value == 2 ? 2 : -1;
}

static bool same_but(const struct pst_box *a, const struct pst_box *b, unsigned arg)
{
	for (unsigned i = 0; i < PST_NARGS; i++)
		if (i != arg &&
		    (a->arg[i].mask != b->arg[i].mask || a->arg[i].value != b->arg[i].value))
			return false;
	return true;
}

/* All boxes of v that differ from v[i] in the values of `arg` only; counted, and collected
 * and marked as told where `out` is not NULL. */
static size_t gather(const struct pst_sc *sc, const struct pst_box v[], size_t n, size_t i,
		     unsigned arg, bool *told, struct runs *out)
{
	const struct pst_scarg a = pst_scarg_of(sc, arg, family_of(sc, &v[i]));
	size_t found = 0;
	for (size_t k = i; k < n; k++) {
		struct runs one = {0};
		struct runs *to = out != NULL ? out : &one;
		if (!told[k] && v[k].arg[arg].mask != 0 && same_but(&v[i], &v[k], arg) &&
		    a.kind == PST_SCARG_VALUE && runs_of(sc, arg, v[k].arg[arg], a.part, to)) {
			found++;
			told[k] = told[k] || out != NULL;
		}
		free(one.v);
	}
	return found;
}

static void put_arg(const struct pst_sc *sc, unsigned arg, const struct pst_box *b,
		    const struct runs *given, struct pst_buf *out)
{
	const struct pst_scarg a = pst_scarg_of(sc, arg, family_of(sc, b));
	struct runs own = {0};
	const struct runs *l = given;
	if (l == NULL && a.kind == PST_SCARG_VALUE && runs_of(sc, arg, b->arg[arg], a.part, &own))
		l = &own;
	if (l == NULL) {
		put_bits(&a, arg, seen(sc, arg, b->arg[arg]), out);
	} else {
		if (a.label != NULL)
			pst_buf_fmt(out, "%s ", a.label);
		else
			pst_buf_fmt(out, "argument %u = ", arg + 1);
		put_runs(&a, l, out);
	}
	free(own.v);
}

/* Is this box one flag of the call's first argument, and nothing else? */
static bool one_flag(const struct pst_sc *sc, const struct pst_box *b)
{
	const struct pst_cube c = seen(sc, 0, b->arg[0]);
	struct pst_box rest = *b;
	rest.arg[0] = (struct pst_cube){0};
	return pst_scarg_of(sc, 0, -1).kind == PST_SCARG_FLAGS && c.mask == c.value &&
	       __builtin_popcountll(c.mask) == 1 && pst_box_is_all(&rest);
}

/* All boxes of one flag as one sentence; false if there are fewer than two. */
static bool put_any_flag(const struct pst_sc *sc, const struct pst_box v[], size_t n, bool *told,
			 struct pst_buf *out)
{
	const struct pst_scarg a = pst_scarg_of(sc, 0, -1);
	uint64_t bits = 0;
	for (size_t i = 0; i < n; i++)
		bits |= one_flag(sc, &v[i]) ? seen(sc, 0, v[i].arg[0]).mask : 0;
	if (__builtin_popcountll(bits) < 2)
		return false;
	for (size_t i = 0; i < n; i++)
		told[i] = told[i] || one_flag(sc, &v[i]);
	pst_buf_fmt(out, "%s with any of ", a.label);
	put_flags(&a, bits, out);
	return true;
}

/* Flags a box asks to be clear although the list covers it with them too: forgotten, so
 * that a list of disjoint pieces reads as what it is. The union stays the same. */
static void forget_clear(const struct pst_sc *sc, const struct pst_box v[], size_t n,
			 struct pst_boxes *out)
{
	const bool flags = pst_scarg_of(sc, 0, -1).kind == PST_SCARG_FLAGS;
	for (size_t i = 0; i < n; i++) {
		struct pst_box b = v[i];
		for (int k = 0; flags && k < 64; k++) {
			struct pst_box wide = b;
			wide.arg[0].mask &= ~(UINT64_C(1) << k) | b.arg[0].value;
			if (wide.arg[0].mask != b.arg[0].mask && pst_boxes_cover(v, n, &wide))
				b = wide;
		}
		pst_boxes_add(out, &b);
	}
	if (flags)
		pst_boxes_canon(out);
}

/* v[i] and every box that differs from it in one argument's values. */
static void put_group(const struct pst_sc *sc, const struct pst_box v[], size_t n, size_t i,
		      bool *told, struct pst_buf *out)
{
	struct runs merged = {0};
	unsigned at = PST_NARGS;
	size_t most = 1;
	for (unsigned arg = 0; arg < PST_NARGS; arg++) {
		const size_t found =
			v[i].arg[arg].mask != 0 ? gather(sc, v, n, i, arg, told, NULL) : 0;
		at = found > most ? arg : at;
		most = found > most ? found : most;
	}
	if (at < PST_NARGS)
		(void)gather(sc, v, n, i, at, told, &merged);
	told[i] = true;
	join(&merged);
	const char *sep = "";
	for (unsigned arg = 0; arg < PST_NARGS; arg++) {
		if (v[i].arg[arg].mask == 0)
			continue;
		pst_buf_str(out, sep);
		put_arg(sc, arg, &v[i], arg == at ? &merged : NULL, out);
		sep = ", ";
	}
	if (sep[0] == '\0')
		pst_buf_str(out, "any arguments");
	out->bad = out->bad || merged.bad;
	free(merged.v);
}

void pst_scwords_boxes(const struct pst_sc *sc, const struct pst_box v[], size_t n,
		       struct pst_buf *out)
{
	pst_auto_free bool *told = calloc(n + 1, sizeof *told);
	pst_auto_boxes l = {0};
	if (n == 0)
		pst_buf_str(out, "nothing");
	forget_clear(sc, v, n, &l);
	if (told == NULL || l.bad) {
		out->bad = true;
		return;
	}
	const char *sep = put_any_flag(sc, l.v, l.n, told, out) ? "; " : "";
	size_t said = 0;
	size_t more = 0;
	for (size_t i = 0; i < l.n; i++) {
		if (told[i])
			continue;
		if (said++ >= SENTENCES) {
			more++;
			continue;
		}
		pst_buf_str(out, sep);
		put_group(sc, l.v, l.n, i, told, out);
		sep = "; ";
	}
	if (more > 0)
		pst_buf_fmt(out, "; and %zu more conditions", more);
}

void pst_scwords_answer(uint32_t ret, struct pst_buf *out)
{
	const int data = (int)(ret & SECCOMP_RET_DATA);
	const char *name = strerrorname_np(data);
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
		if (name != NULL && data != 0)
			pst_buf_str(out, name);
		else
			pst_buf_fmt(out, "errno %d", data);
		break;
	case SECCOMP_RET_TRAP:
		pst_buf_str(out, "SIGSYS");
		break;
	case SECCOMP_RET_KILL_THREAD:
		pst_buf_str(out, "the thread is killed");
		break;
	case SECCOMP_RET_KILL_PROCESS:
		pst_buf_str(out, "the process is killed");
		break;
	case SECCOMP_RET_USER_NOTIF:
		pst_buf_str(out, "an agent decides");
		break;
	case SECCOMP_RET_TRACE:
		pst_buf_str(out, "a tracer decides");
		break;
	case SECCOMP_RET_LOG:
		pst_buf_str(out, "allowed and logged");
		break;
	default:
		pst_buf_str(out, "allowed");
	}
}

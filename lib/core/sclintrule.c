#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/nearest.h"
#include "core/sclint_priv.h"

#define MAXCLAIMS 20000 /* compared in pairs */

/* One name of one rule: what the rule says of that call alone. */
struct claim {
	size_t rule, name;
	const struct pst_sc *sc;
	uint32_t ret;
	struct pst_boxes boxes;
};

struct claims {
	struct claim *v;
	size_t n;
	bool bad;
};

/* Linux gives new calls numbers in order; the first number a release added
 * (arch/x86/entry/syscalls/syscall_64.tbl at each release). */
static const struct {
	int16_t from;
	unsigned major, minor;
} since[] = {
	{470, 6, 19}, {468, 6, 17}, {467, 6, 15}, {463, 6, 13}, {462, 6, 10}, {457, 6, 8},
	{454, 6, 7},  {452, 6, 6},  {451, 6, 5},  {450, 5, 17}, {449, 5, 16}, {448, 5, 15},
	{447, 5, 14}, {444, 5, 13}, {443, 5, 14}, {442, 5, 12}, {441, 5, 11}, {440, 5, 10},
	{439, 5, 8},  {437, 5, 6},  {436, 5, 9},  {434, 5, 3},  {428, 5, 2},  {424, 5, 1},
};

static bool newer(const struct pst_sc *sc, unsigned major, unsigned minor, unsigned *M, unsigned *m)
{
	for (size_t i = 0; i < PST_NELEM(since); i++) {
		if (sc->nr < since[i].from)
			continue;
		*M = since[i].major;
		*m = since[i].minor;
		return *M > major || (*M == major && *m > minor);
	}
	return false;
}

static const char *near_name(const char *name)
{
	const char *list[PST_SC_SLOTS];
	size_t n = 0;
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL && n < PST_NELEM(list); i++)
		list[n++] = sc->name;
	return pst_nearest(name, list, n);
}

/* Names that say which architecture they are for; an old libseccomp may not have them. */
static bool foreign_prefix(const char *name)
{
	static const char *const prefixes[] = {"arm_",  "mips_",  "ppc_", "riscv_",
					       "s390_", "sparc_", "spu_"};
	for (size_t i = 0; i < PST_NELEM(prefixes); i++)
		if (pst_starts(name, prefixes[i]))
			return true;
	return false;
}

/* A name no table of ours has. True if it belongs to another architecture. */
static bool stray_name(struct pst_sclint *l, const struct pst_sclint_in *in, const char *where,
		       const char *name)
{
	if (foreign_prefix(name) || (in->library != NULL && in->library(name)))
		return true;
	const char *near = near_name(name);
	pst_sclint_add(l, in, PST_LINT_ERROR, where,
		       "no system call is called \"%.64s\": the rule has no effect", name);
	if (near != NULL)
		pst_sclint_cure(l, "did you mean \"%s\"?", near);
	else
		pst_sclint_cure(l, "correct the name or take it out");
	return false;
}

/* A rule that denies what the default denies too: whoever does not know the call is as strict. */
static bool harmless(const struct pst_sclint_in *in, const json_t *rule)
{
	return pst_sclint_denies(rule, "action") && pst_sclint_denies(in->obj, "defaultAction");
}

static void known_name(struct pst_sclint *l, const struct pst_sclint_in *in, const json_t *rule,
		       const char *where, const struct pst_sc *sc)
{
	unsigned M = 0;
	unsigned m = 0;
	if (harmless(in, rule))
		return;
	if (in->library != NULL && !in->library(sc->name)) {
		pst_sclint_add(l, in, PST_LINT_WARNING, where,
			       "libseccomp of this machine does not know %s: the rule has no "
			       "effect here",
			       sc->name);
		pst_sclint_cure(l, "a newer libseccomp, or take the name out");
	} else if (sc->nr >= 0 && !sc->live) {
		pst_sclint_add(l, in, PST_LINT_NOTE, where,
			       "%s has no entry point in an ordinary kernel", sc->name);
		pst_sclint_cure(l, "take the name out, unless it is for a kernel built otherwise");
	} else if (in->major > 0 && newer(sc, in->major, in->minor, &M, &m)) {
		pst_sclint_add(
			l, in, PST_LINT_NOTE, where,
			"%s came with Linux %u.%u, this kernel is %u.%u: nothing to let through",
			sc->name, M, m, in->major, in->minor);
		pst_sclint_cure(l, "none is needed; the name is for newer kernels");
	}
}

/* What the parser makes of one rule for one name when it stands alone. */
static bool lone(const struct pst_sclint_in *in, const json_t *rule, const struct pst_sc *sc,
		 struct claim *c)
{
	pst_auto_json *alone = pst_json_copy(rule);
	pst_auto_json *obj = json_object();
	pst_auto_scprof *p = NULL;
	if (alone == NULL || obj == NULL ||
	    json_object_set_new(alone, "names", json_pack("[s]", sc->name)) != 0 ||
	    json_object_set(obj, "defaultAction", json_object_get(in->obj, "defaultAction")) != 0 ||
	    json_object_set_new(obj, "syscalls", json_pack("[O]", alone)) != 0)
		return false;
	json_t *ret = json_object_get(in->obj, "defaultErrnoRet");
	if (ret != NULL && json_object_set(obj, "defaultErrnoRet", ret) != 0)
		return false;
	if (pst_scprof_parse(obj, "", NULL, &p, NULL) != PST_OK)
		return false;
	const struct pst_scslot *s = &p->slot[sc->slot];
	c->ret = s->n > 0 ? s->v[0].ret : p->def;
	for (uint32_t i = 0; i < s->n; i++)
		pst_boxes_add(&c->boxes, &s->v[i].box);
	return !c->boxes.bad;
}

static void add_claim(struct claims *all, const struct claim *c)
{
	struct claim *v = reallocarray(all->v, all->n + 1, sizeof *v);
	if (v == NULL) {
		all->bad = true;
		return;
	}
	all->v = v;
	all->v[all->n++] = *c;
}

static void one_name(struct pst_sclint *l, const struct pst_sclint_in *in, const json_t *rule,
		     struct claim c, struct claims *all)
{
	char where[96];
	if (!lone(in, rule, c.sc, &c)) {
		pst_boxes_done(&c.boxes);
		all->bad = true;
		return;
	}
	if (c.boxes.n == 0 && json_array_size(json_object_get(rule, "args")) > 0) {
		snprintf(where, sizeof where, "/syscalls/%zu/args", c.rule);
		pst_sclint_add(
			l, in, PST_LINT_ERROR, where,
			"the conditions for %s can never be met together: the rule has no effect",
			c.sc->name);
		pst_sclint_cure(l, "one rule for each value; values of int arguments have 32 bits");
	}
	add_claim(all, &c);
}

/* Ranges, and bits that do not count. */
static void conditions(struct pst_sclint *l, const struct pst_sclint_in *in, const json_t *rule,
		       size_t index)
{
	const json_t *args = json_object_get(rule, "args");
	for (size_t k = 0; k < json_array_size(args); k++) {
		const json_t *arg = json_array_get(args, k);
		const char *op = pst_json_str(json_object_get(arg, "op"));
		uint64_t mask = 0;
		uint64_t two = 0;
		char where[96];
		snprintf(where, sizeof where, "/syscalls/%zu/args/%zu", index, k);
		if (pst_streq(op, "SCMP_CMP_MASKED_EQ")) {
			const bool ok = pst_json_u64(json_object_get(arg, "value"), &mask) &&
					pst_json_u64(json_object_get(arg, "valueTwo"), &two);
			if (!ok || (two & ~mask) == 0)
				continue;
			pst_sclint_add(
				l, in, PST_LINT_WARNING, where,
				"valueTwo %#llx has bits outside the mask %#llx: they do not count",
				(unsigned long long)two, (unsigned long long)mask);
			pst_sclint_cure(l, "value is the mask and valueTwo the wanted value; were "
					   "they swapped?");
		} else if (!pst_streq(op, "SCMP_CMP_EQ")) {
			pst_sclint_add(
				l, in, PST_LINT_WARNING, where,
				"%s is a range: postern writes it out as masks, a runtime without "
				"postern hands it on as it is",
				op);
			pst_sclint_cure(l,
					"write the values with SCMP_CMP_EQ or SCMP_CMP_MASKED_EQ");
		}
	}
}

static void same_as_default(struct pst_sclint *l, const struct pst_sclint_in *in,
			    const json_t *rule, size_t index)
{
	const char *def = pst_json_str(json_object_get(in->obj, "defaultAction"));
	const json_t *a = json_object_get(rule, "errnoRet");
	const json_t *b = json_object_get(in->obj, "defaultErrnoRet");
	uint64_t x = 1; /* EPERM, where nothing is written */
	uint64_t y = 1;
	char where[64];
	if (a != NULL && !pst_json_u64(a, &x))
		return;
	if (b != NULL && !pst_json_u64(b, &y))
		return;
	if (!pst_streq(def, pst_json_str(json_object_get(rule, "action"))) || x != y)
		return;
	snprintf(where, sizeof where, "/syscalls/%zu/action", index);
	pst_sclint_add(l, in, PST_LINT_WARNING, where,
		       "the rule says what the default says: runtimes leave it out");
	pst_sclint_cure(l, "take the rule out, or give it another action or errnoRet");
}

static void names(struct pst_sclint *l, const struct pst_sclint_in *in, const json_t *rule,
		  size_t index, struct claims *all)
{
	const json_t *list = json_object_get(rule, "names");
	size_t foreign = 0;
	char where[96];
	for (size_t k = 0; k < json_array_size(list); k++) {
		const char *name = pst_json_str(json_array_get(list, k));
		const struct pst_sc *sc = pst_sctable_name(name);
		snprintf(where, sizeof where, "/syscalls/%zu/names/%zu", index, k);
		if (sc == NULL) {
			foreign += stray_name(l, in, where, name);
			continue;
		}
		known_name(l, in, rule, where, sc);
		one_name(l, in, rule, (struct claim){.rule = index, .name = k, .sc = sc}, all);
	}
	if (foreign == 0)
		return;
	snprintf(where, sizeof where, "/syscalls/%zu/names", index);
	pst_sclint_add(l, in, PST_LINT_NOTE, where,
		       "%zu names are calls of other architectures only", foreign);
	pst_sclint_cure(l, "none is needed; they have no effect here");
}

/* Does `o` decide what `c` would: said earlier and as strong, or stronger wherever it stands? */
static bool outranks(const struct claim *o, const struct claim *c)
{
	if (pst_scret_stronger(o->ret, c->ret))
		return true;
	return !pst_scret_stronger(c->ret, o->ret) &&
	       (o->rule < c->rule || (o->rule == c->rule && o->name < c->name));
}

/* Claims that others leave nothing of. */
static void shadows(struct pst_sclint *l, const struct pst_sclint_in *in, const struct claims *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct claim *c = &all->v[i];
		const struct claim *by = NULL;
		pst_auto_boxes others = {0};
		for (size_t k = 0; k < all->n; k++) {
			if (k == i || all->v[k].sc != c->sc || !outranks(&all->v[k], c))
				continue;
			by = by == NULL ? &all->v[k] : by;
			for (size_t b = 0; b < all->v[k].boxes.n; b++)
				pst_boxes_add(&others, &all->v[k].boxes.v[b]);
		}
		bool gone = by != NULL && c->boxes.n > 0;
		for (size_t b = 0; gone && b < c->boxes.n; b++)
			gone = pst_boxes_cover(others.v, others.n, &c->boxes.v[b]);
		if (!gone)
			continue;
		char where[96];
		snprintf(where, sizeof where, "/syscalls/%zu/names/%zu", c->rule, c->name);
		pst_sclint_add(l, in, PST_LINT_WARNING, where,
			       "%s here has no effect: %s/syscalls/%zu/names/%zu decides it%s",
			       c->sc->name, in->pointer, by->rule, by->name,
			       pst_scret_stronger(by->ret, c->ret) ? ", and denies" : " already");
		pst_sclint_cure(l, "take one of the two out");
	}
}

void pst_sclint_rules(struct pst_sclint *l, const struct pst_sclint_in *in)
{
	const json_t *rules = json_object_get(in->obj, "syscalls");
	struct claims all = {0};
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		names(l, in, rule, i, &all);
		conditions(l, in, rule, i);
		same_as_default(l, in, rule, i);
	}
	if (all.n <= MAXCLAIMS) {
		shadows(l, in, &all);
	} else {
		pst_sclint_add(l, in, PST_LINT_NOTE, "/syscalls",
			       "%zu names: too many to look for rules without effect", all.n);
		pst_sclint_cure(l, "put calls with one action and no conditions into one rule");
	}
	l->bad = l->bad || all.bad;
	for (size_t i = 0; i < all.n; i++)
		pst_boxes_done(&all.v[i].boxes);
	free(all.v);
}

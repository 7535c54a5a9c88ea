#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/scprof.h"

#define ERRNO_MAX 4095 /* what a system call can return; include/linux/err.h */
#define MAXCOND 64     /* conditions of one rule; six indexes need no more */

struct parse {
	const char *base; /* pointer of the object */
	struct pst_notes *notes;
	struct pst_err *err;
	struct pst_scprof *p;
	size_t rule; /* index into /syscalls; counts where in_rule */
	size_t arg;  /* index into its /args; counts where in_arg */
	bool in_rule;
	bool in_arg;
	size_t strays;
	char stray[64]; /* first name that no table knows */
};

struct cond {
	unsigned index;
	size_t n;
	struct pst_cube cube[64];
};

struct name_bits {
	const char *name;
	uint32_t bits;
};

static const struct name_bits arch_names[] = {
	{"SCMP_ARCH_X86_64", PST_SCARCH_X86_64},
	{"SCMP_ARCH_X86", PST_SCARCH_X86},
	{"SCMP_ARCH_X32", PST_SCARCH_X32},
	{"SCMP_ARCH_ARM", PST_SCARCH_OTHER},
	{"SCMP_ARCH_AARCH64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_LOONGARCH64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_M68K", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPS", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPS64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPS64N32", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPSEL", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPSEL64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_MIPSEL64N32", PST_SCARCH_OTHER},
	{"SCMP_ARCH_PARISC", PST_SCARCH_OTHER},
	{"SCMP_ARCH_PARISC64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_PPC", PST_SCARCH_OTHER},
	{"SCMP_ARCH_PPC64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_PPC64LE", PST_SCARCH_OTHER},
	{"SCMP_ARCH_RISCV64", PST_SCARCH_OTHER},
	{"SCMP_ARCH_S390", PST_SCARCH_OTHER},
	{"SCMP_ARCH_S390X", PST_SCARCH_OTHER},
	{"SCMP_ARCH_SH", PST_SCARCH_OTHER},
	{"SCMP_ARCH_SHEB", PST_SCARCH_OTHER},
	{NULL, 0},
};

static const struct name_bits flag_names[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", PST_SCFLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_LOG", PST_SCFLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", PST_SCFLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", PST_SCFLAG_WAIT_KILLABLE},
	{NULL, 0},
};

static const struct name_bits action_names[] = {
	{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
	{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
	{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
	{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
	{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
	{"SCMP_ACT_LOG", SECCOMP_RET_LOG},
	{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
	{NULL, 0},
};

static const struct name_bits op_names[] = {
	{"SCMP_CMP_NE", PST_CMP_NE}, {"SCMP_CMP_LT", PST_CMP_LT}, {"SCMP_CMP_LE", PST_CMP_LE},
	{"SCMP_CMP_EQ", PST_CMP_EQ}, {"SCMP_CMP_GE", PST_CMP_GE}, {"SCMP_CMP_GT", PST_CMP_GT},
	{NULL, 0},
};

/* Fail at where, below the rule and the condition being read; with a cure. Paths
 * are put together here only: most profiles have no mistake. */
PST_PRINTF(4, 5)
static int wrong(struct parse *x, const char *where, const char *cure, const char *fmt, ...)
{
	char msg[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);

	char rule[48] = "";
	char arg[48] = "";
	char at[192];
	if (x->in_rule)
		snprintf(rule, sizeof rule, "/syscalls/%zu", x->rule);
	if (x->in_arg)
		snprintf(arg, sizeof arg, "/args/%zu", x->arg);
	snprintf(at, sizeof at, "%s%s%s%s", x->base, rule, arg, where);
	pst_fail(x->err, PST_E_SPEC, at, "%s", msg);
	return pst_err_cure(x->err, "%s", cure);
}

static bool lookup(const struct name_bits *t, const char *name, uint32_t *ret)
{
	for (; name != NULL && t->name != NULL; t++)
		if (pst_streq(t->name, name)) {
			*ret = t->bits;
			return true;
		}
	return false;
}

/* A list of names into the union of their bits; absent or null is empty. */
static int parse_names(struct parse *x, const json_t *list, const char *where,
		       const struct name_bits *t, unsigned *bits)
{
	if (list == NULL || json_is_null(list))
		return PST_OK;
	if (!json_is_array(list))
		return wrong(x, where, "write a list of strings", "not a list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = pst_json_str(json_array_get(list, i));
		char at[64];
		snprintf(at, sizeof at, "%s/%zu", where, i);
		uint32_t bit;
		if (!lookup(t, name, &bit))
			return wrong(x, at, "use a name of the OCI runtime specification",
				     "unknown value \"%s\"", name != NULL ? name : "(no string)");
		*bits |= bit;
	}
	return PST_OK;
}

static int parse_errno(struct parse *x, const json_t *j, const char *where, uint32_t act,
		       uint32_t *ret)
{
	uint64_t v = EPERM; /* runtimes' default */
	if (j != NULL && !json_is_null(j) && (!pst_json_u64(j, &v) || v > ERRNO_MAX))
		return wrong(x, where, "give an errno number from 0 to 4095", "not an errno");
	const bool data = act == SECCOMP_RET_ERRNO || act == SECCOMP_RET_TRACE;
	*ret = act | (data ? (uint32_t)v : 0);
	return PST_OK;
}

static int parse_action(struct parse *x, const json_t *j, const char *where, uint32_t *ret)
{
	const char *name = pst_json_str(j);
	if (lookup(action_names, name, ret))
		return PST_OK;
	return wrong(x, where,
		     "use one of SCMP_ACT_ALLOW, ERRNO, KILL, KILL_PROCESS, TRAP, TRACE, LOG, NOTIFY",
		     "unknown action \"%s\"", name != NULL ? name : "(no string)");
}

static int parse_string(struct parse *x, const json_t *j, const char *where, char **ret)
{
	if (j == NULL || json_is_null(j))
		return PST_OK;
	const char *s = pst_json_str(j);
	if (s == NULL)
		return wrong(x, where, "write a string", "not a string");
	if (*s == '\0')
		return PST_OK;
	*ret = strdup(s);
	return *ret == NULL ? pst_fail_nomem(x->err) : PST_OK;
}

static int parse_cond(struct parse *x, const json_t *j, struct cond *c)
{
	uint64_t index;
	uint64_t value = 0;
	uint64_t two = 0;
	if (!json_is_object(j))
		return wrong(x, "", "write index, value and op", "not an object");
	if (!pst_json_u64(json_object_get(j, "index"), &index) || index >= PST_NARGS)
		return wrong(x, "", "use an index from 0 to 5", "index is not an argument number");
	const json_t *jv = json_object_get(j, "value");
	const json_t *jt = json_object_get(j, "valueTwo");
	if (!pst_json_u64(jv, &value) || (jt != NULL && !pst_json_u64(jt, &two)))
		return wrong(x, "", "use whole numbers from 0 to 18446744073709551615",
			     "value or valueTwo is missing or no 64-bit number");

	c->index = (unsigned)index;
	const char *op = pst_json_str(json_object_get(j, "op"));
	uint32_t cmp;
	if (pst_streq(op, "SCMP_CMP_MASKED_EQ")) { /* value is the mask; bits of valueTwo
						      outside it do not count */
		c->cube[0] = (struct pst_cube){.value = two & value, .mask = value};
		c->n = 1;
	} else if (lookup(op_names, op, &cmp)) {
		c->n = pst_cube_cmp((enum pst_cmp)cmp, value, c->cube);
	} else {
		return wrong(x, "", "use SCMP_CMP_EQ, MASKED_EQ, NE, LT, LE, GE or GT",
			     "unknown operator \"%s\"", op != NULL ? op : "(no string)");
	}
	return PST_OK;
}

/* All boxes of l that also meet the condition. */
static void and_cond(struct pst_boxes *l, const struct cond *c)
{
	pst_auto_boxes out = {.bad = l->bad};
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < c->n; k++) {
			struct pst_box b = l->v[i];
			if (pst_cube_meet(b.arg[c->index], c->cube[k], &b.arg[c->index]))
				pst_boxes_add(&out, &b);
		}
	const struct pst_boxes old = *l;
	*l = out;
	out = old;
}

/* The boxes of one rule. See scprof.h for an index that stands twice. */
static int parse_args(struct parse *x, const json_t *args, bool opens, struct pst_boxes *out)
{
	static const struct pst_box all;
	const size_t n = json_array_size(args);
	if (args != NULL && !json_is_null(args) && !json_is_array(args))
		return wrong(x, "/args", "write a list", "not a list");
	if (n > MAXCOND)
		return wrong(x, "/args", "split the rule", "more than %d conditions",
			     MAXCOND);

	pst_boxes_add(out, &all);
	pst_auto_boxes any = {0};
	unsigned seen = 0;
	bool twice = false;
	for (size_t i = 0; i < n; i++) {
		struct cond c;
		x->arg = i;
		x->in_arg = true;
		const int r = parse_cond(x, json_array_get(args, i), &c);
		x->in_arg = false;
		if (r != PST_OK)
			return r;
		twice = twice || ((seen >> c.index) & 1) != 0;
		seen |= 1u << c.index;
		and_cond(out, &c);
		for (size_t k = 0; k < c.n; k++) {
			struct pst_box b = all;
			b.arg[c.index] = c.cube[k];
			pst_boxes_add(&any, &b);
		}
	}
	if (!twice)
		return PST_OK;

	if (x->notes != NULL) {
		char at[128];
		snprintf(at, sizeof at, "%s/syscalls/%zu/args", x->base, x->rule);
		pst_note_add(x->notes, at, "runtimes turn AND into OR here; the stricter is taken",
			     "one argument has several conditions: %s",
			     opens ? "all of them must hold" : "each of them denies");
	}
	if (!opens) {
		const struct pst_boxes old = *out;
		*out = any;
		any = old;
	}
	return PST_OK;
}

static int add_stray(struct parse *x, const char *name, uint32_t ret)
{
	if (x->strays++ == 0)
		snprintf(x->stray, sizeof x->stray, "%s", name);
	if (pst_scret_denies(x->p->def) || !pst_scret_denies(ret) || x->p->unknown != NULL)
		return PST_OK;
	x->p->unknown = strdup(name);
	return x->p->unknown == NULL ? pst_fail_nomem(x->err) : PST_OK;
}

static int add_call(struct parse *x, const struct pst_sc *sc, uint32_t ret,
		    const struct pst_boxes *boxes)
{
	if (ret == SECCOMP_RET_USER_NOTIF && pst_streq(sc->name, "write"))
		return wrong(x, "/action", "leave write out of the rule",
			     "SCMP_ACT_NOTIFY cannot be used for write: the runtime needs it to hand "
			     "the listener over");
	struct pst_scslot *s = &x->p->slot[sc->slot];
	static const struct pst_box all;
	if (boxes->bad || s->n + boxes->n > PST_BOXES_MAX) {
		/* cannot be held: close the call instead */
		const uint32_t deny = pst_scret_denies(ret) ? ret : SECCOMP_RET_ERRNO | EPERM;
		pst_scslot_done(s);
		return pst_scslot_add(s, &all, deny) ? PST_OK : pst_fail_nomem(x->err);
	}
	for (size_t i = 0; i < boxes->n; i++)
		if (!pst_scslot_add(s, &boxes->v[i], ret))
			return pst_fail_nomem(x->err);
	return PST_OK;
}

static int check_rule_keys(struct parse *x, const json_t *rule)
{
	/* keys of Docker's template format: conditions we would lose */
	static const char *const conditional[] = {"includes", "excludes", "minKernel"};
	if (!json_is_object(rule))
		return wrong(x, "", "write names and action", "not an object");
	for (size_t i = 0; i < PST_NELEM(conditional); i++) {
		const json_t *c = json_object_get(rule, conditional[i]);
		if (c != NULL && json_object_size(c) + json_array_size(c) > 0)
			return wrong(x, "",
				     "take linux.seccomp of a config.json the engine wrote",
				     "\"%s\" belongs to an engine's template, not to an OCI profile",
				     conditional[i]);
	}
	const json_t *names = json_object_get(rule, "names");
	if (!json_is_array(names) || json_array_size(names) == 0)
		return wrong(x, "/names", "list at least one call",
			     "names is missing, empty or not a list");
	return PST_OK;
}

static int parse_rule(struct parse *x, const json_t *rule)
{
	uint32_t ret = 0;
	int r = check_rule_keys(x, rule);
	if (r == PST_OK)
		r = parse_action(x, json_object_get(rule, "action"), "/action", &ret);
	if (r == PST_OK)
		r = parse_errno(x, json_object_get(rule, "errnoRet"), "/errnoRet", ret,
				&ret);
	if (r != PST_OK)
		return r;

	pst_auto_boxes boxes = {0};
	r = parse_args(x, json_object_get(rule, "args"), pst_scret_stronger(x->p->def, ret), &boxes);
	if (r != PST_OK)
		return r;
	const json_t *names = json_object_get(rule, "names");
	for (size_t i = 0; i < json_array_size(names) && r == PST_OK; i++) {
		const char *name = pst_json_str(json_array_get(names, i));
		if (name == NULL || *name == '\0') {
			char tail[48];
			snprintf(tail, sizeof tail, "/names/%zu", i);
			return wrong(x, tail, "write the name of a system call",
				     "not a name");
		}
		if (ret == x->p->def)
			continue; /* runtimes leave such a rule out */
		const struct pst_sc *sc = pst_sctable_name(name);
		r = sc == NULL ? add_stray(x, name, ret) : add_call(x, sc, ret, &boxes);
	}
	return r;
}

/* A denial inside an open call: libseccomp would lose it. Say that we keep it. */
static void note_swallowed(struct parse *x, unsigned slot)
{
	const struct pst_scslot *s = &x->p->slot[slot];
	bool open = false;
	bool strong = false;
	for (uint32_t i = 0; i < s->n; i++) {
		const bool all = pst_box_is_all(&s->v[i].box);
		open = open || (all && !pst_scret_denies(s->v[i].ret));
		strong = strong || pst_scret_denies(s->v[i].ret);
	}
	if (!open || !strong || x->notes == NULL)
		return;
	pst_note_add(x->notes, x->base, "libseccomp keeps only the unconditional rule",
		     "%s is allowed by one rule and denied by another: the denial counts",
		     pst_sctable_slot(slot)->name);
}

static int settle_all(struct parse *x)
{
	for (unsigned i = 0; i < PST_SC_SLOTS; i++) {
		if (x->p->slot[i].n == 0)
			continue;
		const struct pst_sc *sc = pst_sctable_slot(i);
		if (x->p->slot[i].n > 1)
			note_swallowed(x, i);
		const int r = pst_scslot_settle(&x->p->slot[i], x->p->def, sc->ints);
		if (r == PST_E_NOMEM)
			return pst_fail_nomem(x->err);
		if (r != PST_OK && x->notes != NULL)
			pst_note_add(x->notes, x->base, "size limit of a filter",
				     "%s has more than %d conditions: it is denied whole", sc->name,
				     PST_SC_MAXBOX);
	}
	if (x->strays > 0 && x->notes != NULL)
		pst_note_add(x->notes, x->base, "table of system calls",
			     "%zu names are no calls of this machine and have no effect, \"%s\" first",
			     x->strays, x->stray);
	return PST_OK;
}

static int parse_head(struct parse *x, const json_t *obj)
{
	if (!json_is_object(obj))
		return wrong(x, "", "write an OCI seccomp object", "not an object");
	uint32_t def = 0;
	int r = parse_action(x, json_object_get(obj, "defaultAction"), "/defaultAction", &def);
	if (r == PST_OK && def == SECCOMP_RET_USER_NOTIF)
		r = wrong(x, "/defaultAction", "name the calls to be notified in rules",
			  "SCMP_ACT_NOTIFY cannot be the default: runtimes refuse it");
	if (r == PST_OK)
		r = parse_errno(x, json_object_get(obj, "defaultErrnoRet"), "/defaultErrnoRet", def,
				&x->p->def);
	if (r == PST_OK)
		r = parse_names(x, json_object_get(obj, "architectures"), "/architectures", arch_names,
				&x->p->archs);
	if (r == PST_OK)
		r = parse_names(x, json_object_get(obj, "flags"), "/flags", flag_names, &x->p->flags);
	if (r == PST_OK)
		r = parse_string(x, json_object_get(obj, "listenerPath"), "/listenerPath",
				 &x->p->listener_path);
	if (r == PST_OK)
		r = parse_string(x, json_object_get(obj, "listenerMetadata"), "/listenerMetadata",
				 &x->p->listener_meta);
	x->p->archs |= PST_SCARCH_X86_64; /* runtimes always add the native one */
	return r;
}

int pst_scprof_parse(const json_t *obj, const char *pointer, struct pst_notes *notes,
		     struct pst_scprof **ret, struct pst_err *err)
{
	pst_auto_scprof *p = calloc(1, sizeof *p);
	if (p == NULL)
		return pst_fail_nomem(err);
	struct parse x = {.base = pointer, .notes = notes, .err = err, .p = p};

	int r = parse_head(&x, obj);
	if (r != PST_OK)
		return r;
	const json_t *rules = json_object_get(obj, "syscalls");
	if (rules != NULL && !json_is_null(rules) && !json_is_array(rules))
		return wrong(&x, "/syscalls", "write a list of rules", "not a list");
	x.in_rule = true;
	for (; x.rule < json_array_size(rules) && r == PST_OK; x.rule++)
		r = parse_rule(&x, json_array_get(rules, x.rule));
	if (r == PST_OK)
		r = settle_all(&x);
	if (r == PST_OK)
		*ret = PST_TAKE(p);
	return r;
}

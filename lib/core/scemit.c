#include <string.h>

#include "core/json.h"
#include "core/scprof.h"

struct word {
	uint32_t bit;
	const char *name;
};

static const struct word archs[] = {
	{PST_SCARCH_X86_64, "SCMP_ARCH_X86_64"},
	{PST_SCARCH_X86, "SCMP_ARCH_X86"},
	{PST_SCARCH_X32, "SCMP_ARCH_X32"},
	{0, NULL},
};

static const struct word flags[] = {
	{PST_SCFLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
	{PST_SCFLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
	{PST_SCFLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
	{PST_SCFLAG_WAIT_KILLABLE, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
	{0, NULL},
};

/* Set a member; `ok` collects failures so that the end checks once. */
static void put(json_t *o, const char *key, json_t *v, bool *ok)
{
	*ok = json_object_set_new(o, key, v) == 0 && *ok;
}

static json_t *words(const struct word *w, unsigned bits, bool *ok)
{
	json_t *a = json_array();
	for (; w->name != NULL; w++)
		if ((bits & w->bit) != 0)
			*ok = json_array_append_new(a, json_string(w->name)) == 0 && *ok;
	return a;
}

static void put_action(json_t *o, const char *key, const char *errno_key, uint32_t ret, bool *ok)
{
	const uint32_t act = ret & SECCOMP_RET_ACTION_FULL;
	put(o, key, json_string(pst_scret_name(ret)), ok);
	if (act == SECCOMP_RET_ERRNO || act == SECCOMP_RET_TRACE)
		put(o, errno_key, json_integer(ret & SECCOMP_RET_DATA), ok);
}

static json_t *args_of(const struct pst_box *b, bool *ok)
{
	json_t *a = json_array();
	for (size_t i = 0; i < PST_NARGS; i++) {
		const struct pst_cube c = b->arg[i];
		if (c.mask == 0)
			continue;
		const bool eq = c.mask == UINT64_MAX;
		json_t *o = json_object();
		put(o, "index", json_integer((json_int_t)i), ok);
		put(o, "value", pst_json_from_u64(eq ? c.value : c.mask), ok);
		if (!eq)
			put(o, "valueTwo", pst_json_from_u64(c.value), ok);
		put(o, "op", json_string(eq ? "SCMP_CMP_EQ" : "SCMP_CMP_MASKED_EQ"), ok);
		*ok = json_array_append_new(a, o) == 0 && *ok;
	}
	return a;
}

/* Steals names. */
static void add_rule(json_t *rules, json_t *names, uint32_t ret, const struct pst_box *b, bool *ok)
{
	json_t *o = json_object();
	put(o, "names", names, ok);
	put_action(o, "action", "errnoRet", ret, ok);
	if (b != NULL)
		put(o, "args", args_of(b, ok), ok);
	*ok = json_array_append_new(rules, o) == 0 && *ok;
}

static bool whole(const struct pst_scslot *s)
{
	return s->n == 1 && pst_box_is_all(&s->v[0].box);
}

/* Calls of i386 only mean nothing without that architecture. */
static const struct pst_scslot *slot_of(const struct pst_scprof *p, const struct pst_sc *sc)
{
	static const struct pst_scslot none;
	const bool shown = sc->slot < PST_SC_NATIVE || (p->archs & PST_SCARCH_X86) != 0;
	return shown ? &p->slot[sc->slot] : &none;
}

/* The largest action word of unconditional rules below `below`: ALLOW first. */
static uint32_t next_action(const struct pst_scprof *p, uint64_t below, bool *found)
{
	uint32_t best = 0;
	*found = false;
	for (unsigned i = 0; i < PST_SC_SLOTS; i++) {
		const struct pst_scslot *s = &p->slot[i];
		if (!whole(s) || s->v[0].ret >= below || (*found && s->v[0].ret <= best))
			continue;
		best = s->v[0].ret;
		*found = true;
	}
	return best;
}

static void emit_whole(const struct pst_scprof *p, json_t *rules, bool *ok)
{
	bool found;
	uint32_t ret = next_action(p, UINT64_C(1) << 32, &found);
	for (; found; ret = next_action(p, ret, &found)) {
		json_t *names = json_array();
		const struct pst_sc *sc;
		for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++) {
			const struct pst_scslot *s = slot_of(p, sc);
			if (whole(s) && s->v[0].ret == ret)
				*ok = json_array_append_new(names, json_string(sc->name)) == 0 && *ok;
		}
		if (json_array_size(names) > 0)
			add_rule(rules, names, ret, NULL, ok);
		else
			json_decref(names);
	}
}

static void emit_conditional(const struct pst_scprof *p, json_t *rules, bool *ok)
{
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++) {
		const struct pst_scslot *s = slot_of(p, sc);
		for (uint32_t k = 0; k < s->n && !whole(s); k++)
			add_rule(rules, json_pack("[s]", sc->name), s->v[k].ret, &s->v[k].box, ok);
	}
}

json_t *pst_scprof_emit(const struct pst_scprof *p)
{
	bool ok = true;
	json_t *o = json_object();
	json_t *rules = json_array();
	put_action(o, "defaultAction", "defaultErrnoRet", p->def, &ok);
	put(o, "architectures", words(archs, p->archs, &ok), &ok);
	put(o, "flags", words(flags, p->flags, &ok), &ok);
	if (p->listener_path != NULL)
		put(o, "listenerPath", json_string(p->listener_path), &ok);
	if (p->listener_meta != NULL)
		put(o, "listenerMetadata", json_string(p->listener_meta), &ok);
	emit_whole(p, rules, &ok);
	emit_conditional(p, rules, &ok);
	put(o, "syscalls", rules, &ok);
	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

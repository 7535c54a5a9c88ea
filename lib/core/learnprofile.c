/* The proposal: seen calls, their other spellings, what the runtime needs, with reasons. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/learn.h"
#include "core/profiles.h"
#include "core/scmeet.h"

struct variant {
	const char *calls[8];
	size_t bring; /* the first so many, when one of them was seen, bring all */
	const char *why;
};
#include "variants_data.h"

#define FAMILIES_MAX 24 /* rules for sockets; more of them are said by family alone */

/* What a runtime calls between its filter and the program: runc and crun, with
 * no_new_privs and without. */
static const char *const runtime[] = {
	"read", "write", "close", "openat", "getdents64", "fstatfs", "fcntl", "fstat", "newfstatat", "chdir",
	"getcwd", "capget", "capset", "prctl", "setgroups", "setgid", "setuid", "setresgid", "setresuid",
	"getpid", "getppid", "faccessat2", "futex", "epoll_ctl", "rt_sigprocmask", "rt_sigaction", "wait4",
	"kill", "munmap", "execve", "exit_group", "rt_sigreturn", "restart_syscall",
};

struct work {
	const json_t *rec;
	json_t *names; /* allowed whatever their arguments */
	json_t *why;
	json_t *rules;
	bool in[PST_SC_NATIVE];
	bool oom;
};

static bool seen(const struct work *w, const char *name)
{
	return json_object_get(json_object_get(w->rec, "calls"), name) != NULL;
}

static void add_why(struct work *w, const char *name, const char *text)
{
	w->oom = json_array_append_new(w->why, json_pack("{s:[s], s:s, s:s}", "calls", name, "action",
							 "allow", "why", text)) != 0 || w->oom;
}

/* Calls with rules of their own are added there. */
static bool has_rules(const char *name)
{
	return pst_streq(name, "socket") || pst_streq(name, "clone") || pst_streq(name, "personality") ||
	       pst_streq(name, "clone3");
}

static void add_name(struct work *w, const char *name, const char *why)
{
	const struct pst_sc *sc = pst_sctable_name(name);
	if (sc == NULL || sc->nr < 0 || w->in[sc->nr])
		return;
	w->in[sc->nr] = true;
	add_why(w, name, why);
	if (!has_rules(name))
		w->oom = json_array_append_new(w->names, json_string(name)) != 0 || w->oom;
}

static bool was_in(const json_t *call, enum pst_learn_phase p)
{
	uint64_t n;
	return pst_json_u64(json_object_get(call, pst_learn_phase_key(p)), &n) && n > 0;
}

static void add_seen(struct work *w)
{
	const char *name;
	json_t *call;
	json_object_foreach(json_object_get(w->rec, "calls"), name, call)
	{
		pst_auto_buf text = {0};
		const json_t *by = json_object_get(call, "by");
		pst_buf_str(&text, "seen in ");
		for (size_t i = 0; i < json_array_size(by) && i < PST_LEARN_PHASES; i++)
			pst_buf_fmt(&text, "%s%s", i == 0 ? "" : ", ", json_string_value(json_array_get(by, i)));
		for (unsigned i = 0; i < PST_LEARN_PHASES; i++)
			if (was_in(call, i))
				pst_buf_fmt(&text, ", %s", pst_learn_phase_words(i));
		add_name(w, name, pst_buf_cstr(&text));
		w->oom = w->oom || !pst_buf_ok(&text);
	}
}

static void add_variants(struct work *w)
{
	for (size_t i = 0; i < PST_NELEM(variants); i++) {
		const char *first = NULL;
		for (size_t k = 0; k < variants[i].bring; k++)
			if (first == NULL && seen(w, variants[i].calls[k]))
				first = variants[i].calls[k];
		for (size_t k = 0; first != NULL && k < PST_NELEM(variants[i].calls) && variants[i].calls[k] != NULL; k++) {
			char why[256];
			snprintf(why, sizeof why, "goes with %s: %s", first, variants[i].why);
			add_name(w, variants[i].calls[k], why);
		}
	}
}

static json_t *masked(int index, uint64_t mask, uint64_t value)
{
	return json_pack("{s:i, s:o, s:o, s:s}", "index", index, "value", pst_json_from_u64(mask), "valueTwo",
			 pst_json_from_u64(value), "op", "SCMP_CMP_MASKED_EQ");
}

static void add_rule(struct work *w, const char *name, json_t *args)
{
	w->oom = json_array_append_new(w->rules, json_pack("{s:[s], s:s, s:o}", "names", name, "action",
							   "SCMP_ACT_ALLOW", "args", args)) != 0 || w->oom;
}

static uint64_t arg_of(const json_t *set, size_t i)
{
	uint64_t v = 0;
	return pst_json_u64(json_array_get(set, i), &v) ? v : 0;
}

static void socket_rules(struct work *w)
{
	const json_t *sets = json_object_get(json_object_get(w->rec, "args"), "socket");
	const bool many = json_array_size(sets) > FAMILIES_MAX;
	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *set = json_array_get(sets, i);
		json_t *args = json_pack("[o]", masked(0, UINT32_MAX, arg_of(set, 0)));
		if (!many && (json_array_append_new(args, masked(1, 15, arg_of(set, 1) & 15)) != 0 ||
			      json_array_append_new(args, masked(2, UINT32_MAX, arg_of(set, 2))) != 0))
			w->oom = true;
		add_rule(w, "socket", args);
	}
}

/* What is allowed under conditions, by the conditions seen. */
static void add_rules(struct work *w)
{
	socket_rules(w);
	if (w->in[pst_sctable_name("clone")->nr])
		add_rule(w, "clone", json_pack("[o]", masked(0, 0x7e020000, 0)));
	const json_t *sets = json_object_get(json_object_get(w->rec, "args"), "personality");
	for (size_t i = 0; i < json_array_size(sets); i++)
		add_rule(w, "personality", json_pack("[o]", masked(0, UINT32_MAX, arg_of(json_array_get(sets, i), 0))));
}

/* Calls newer than the C libraries' oldest kernel that this one leaves out: ENOSYS, so that
 * libraries fall back, whatever profile it is made from. */
static int add_newer(struct work *w, struct pst_err *err)
{
	size_t len;
	pst_auto_json *base = NULL;
	const char *text = pst_profile_builtin("baseline", &len);
	const int rc = text == NULL ? pst_fail(err, PST_E_BUG, "", "the profile baseline is missing")
				    : pst_json_parse(text, len, "baseline", &pst_json_oci, &base, err);
	if (rc != PST_OK)
		return rc;
	const json_t *newer = pst_json_at(base, "/postern/newer");
	json_t *names = json_array();
	for (size_t i = 0; i < json_array_size(newer); i++) {
		const char *name = pst_json_str(json_array_get(newer, i));
		const struct pst_sc *sc = name == NULL ? NULL : pst_sctable_name(name);
		if (sc != NULL && sc->nr >= 0 && !w->in[sc->nr])
			w->oom = json_array_append_new(names, json_string(name)) != 0 || w->oom;
	}
	if (json_array_size(names) == 0)
		json_decref(names);
	else
		w->oom = json_array_append_new(w->rules, json_pack("{s:o, s:s, s:i}", "names", names, "action",
								   "SCMP_ACT_ERRNO", "errnoRet", ENOSYS)) != 0 || w->oom;
	return PST_OK;
}

static int inside(const json_t *profile, const json_t *outer, json_t **ret, struct pst_err *err)
{
	const struct pst_scmeet_opts o = {0};
	pst_auto_scprof *a = NULL;
	pst_auto_scprof *b = NULL;
	pst_auto_scprof *m = NULL;
	int rc = pst_scprof_parse(profile, "", NULL, &a, err);
	if (rc == PST_OK)
		rc = pst_scprof_parse(outer, "", NULL, &b, err);
	if (rc == PST_OK)
		rc = pst_scmeet(a, b, &o, NULL, &m, err);
	if (rc != PST_OK)
		return rc;
	*ret = pst_scprof_emit(m);
	return *ret != NULL ? PST_OK : pst_fail_nomem(err);
}

/* Reasons of calls that the outer profile keeps out anyway are no reasons. */
static json_t *kept_reasons(const json_t *why, const json_t *profile)
{
	json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(why); i++) {
		json_t *w = json_array_get(why, i);
		const char *name = json_string_value(json_array_get(json_object_get(w, "calls"), 0));
		const json_t *rules = json_object_get(profile, "syscalls");
		bool kept = false;
		for (size_t r = 0; !kept && r < json_array_size(rules); r++) {
			const json_t *rule = json_array_get(rules, r);
			const json_t *names = json_object_get(rule, "names");
			if (!pst_streq(pst_json_str(json_object_get(rule, "action")), "SCMP_ACT_ALLOW"))
				continue;
			for (size_t k = 0; !kept && k < json_array_size(names); k++)
				kept = pst_streq(pst_json_str(json_array_get(names, k)), name);
		}
		if (kept)
			(void)json_array_append(out, w);
	}
	return out;
}

static int assemble(struct work *w, const json_t *outer, const char *name, json_t **ret,
		    struct pst_err *err)
{
	pst_auto_json *whole = NULL;
	pst_auto_json *out = NULL;
	(void)json_array_append(w->rules, json_pack("{s:O, s:s}", "names", w->names, "action", "SCMP_ACT_ALLOW"));
	whole = json_pack("{s:s, s:i, s:[s], s:[], s:O}", "defaultAction", "SCMP_ACT_ERRNO", "defaultErrnoRet",
			  EPERM, "architectures", "SCMP_ARCH_X86_64", "flags", "syscalls", w->rules);
	if (w->oom || whole == NULL)
		return pst_fail_nomem(err);
	const int rc = inside(whole, outer, &out, err);
	if (rc != PST_OK)
		return rc;
	const char *title = pst_json_str(json_object_get(w->rec, "title"));
	json_t *meta = json_pack("{s:s, s:s, s:s, s:[s], s:b, s:o}", "title", name, "summary",
				 "learned: what this workload was seen to call, and other spellings of it", "leavesOut",
				 "everything else", "observed", title, "complete",
				 json_is_true(json_object_get(w->rec, "complete")), "why", kept_reasons(w->why, out));
	if (json_object_set_new(out, "postern", meta) != 0)
		return pst_fail_nomem(err);
	*ret = PST_TAKE(out);
	return PST_OK;
}

int pst_learn_propose(const json_t *rec, const json_t *outer, const char *name, json_t **ret,
		      struct pst_err *err)
{
	pst_auto_json *names = json_array();
	pst_auto_json *why = json_array();
	pst_auto_json *rules = json_array();
	struct work w = {.rec = rec, .names = names, .why = why, .rules = rules};
	int rc = pst_learn_check(rec, err);
	if (rc != PST_OK)
		return rc;
	add_seen(&w);
	add_variants(&w);
	for (size_t i = 0; i < PST_NELEM(runtime); i++)
		add_name(&w, runtime[i], "the runtime calls it between its filter and the program");
	add_rules(&w);
	rc = add_newer(&w, err);
	return rc == PST_OK ? assemble(&w, outer, name, ret, err) : rc;
}

static bool is_allowed(const json_t *profile, const char *name)
{
	const json_t *rules = json_object_get(profile, "syscalls");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *r = json_array_get(rules, i);
		const json_t *names = json_object_get(r, "names");
		if (!pst_streq(pst_json_str(json_object_get(r, "action")), "SCMP_ACT_ALLOW"))
			continue;
		for (size_t k = 0; k < json_array_size(names); k++)
			if (pst_streq(pst_json_str(json_array_get(names, k)), name))
				return true;
	}
	return false;
}

size_t pst_learn_count(const json_t *profile)
{
	size_t n = 0;
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++)
		n += sc->nr >= 0 && is_allowed(profile, sc->name);
	return n;
}

/* ", serving 12": how many calls a phase made. */
static void phase_text(json_t *calls, enum pst_learn_phase p, struct pst_buf *out)
{
	const char *name;
	json_t *call;
	size_t n = 0;
	json_object_foreach(calls, name, call)
		n += was_in(call, p);
	if (n > 0)
		pst_buf_fmt(out, ", %s %zu", pst_learn_phase_words(p), n);
}

/* Seen calls that `has` allows (none: any) and `lacks` does not, on one line. */
static void list_calls(json_t *calls, const json_t *has, const json_t *lacks, const char *head, struct pst_buf *out)
{
	const char *name;
	json_t *call;
	bool first = true;
	json_object_foreach(calls, name, call)
	{
		if ((has != NULL && !is_allowed(has, name)) || is_allowed(lacks, name))
			continue;
		pst_buf_fmt(out, "%s %s", first ? head : "", name);
		first = false;
	}
	pst_buf_str(out, first ? "" : "\n");
}

int pst_learn_text(const json_t *rec, const json_t *profile, const json_t *enforced,
		   struct pst_buf *out, struct pst_err *err)
{
	json_t *calls = json_object_get(rec, "calls");
	const json_t *lacks = json_object_get(rec, "incomplete");
	pst_buf_fmt(out, "seen       %zu calls", json_object_size(calls));
	for (unsigned i = 0; i < PST_LEARN_PHASES; i++)
		phase_text(calls, i, out);
	pst_buf_fmt(out, "\nproposed   %zu calls with other spellings and the runtime's own\n",
		    pst_learn_count(profile));
	list_calls(calls, NULL, profile, "kept out   seen, and denied by the node's profile:", out);
	list_calls(calls, profile, enforced, "wider      seen under complain mode, and denied by the profile in force:",
		   out);
	for (size_t i = 0; i < json_array_size(lacks); i++)
		pst_buf_fmt(out, "INCOMPLETE %s\n", json_string_value(json_array_get(lacks, i)));
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

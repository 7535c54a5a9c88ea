/* The recording: made, checked, merged. */
#include "core/learn.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/oneline.h"
#include "core/sctable.h"

#define VERSION 1
#define ARGS_MAX 4096 /* sets of arguments a recording keeps of one call */

static const struct {
	const char *key, *words;
} phases[PST_LEARN_PHASES] = {
	[PST_LEARN_START] = {"start", "start-up"},
	[PST_LEARN_SERVING] = {"serving", "serving"},
	[PST_LEARN_END] = {"end", "shutdown"},
	[PST_LEARN_EXEC] = {"exec", "by exec"},
};

const char *pst_learn_phase_key(enum pst_learn_phase p)
{
	return phases[p].key;
}

const char *pst_learn_phase_words(enum pst_learn_phase p)
{
	return phases[p].words;
}

json_t *pst_learn_new(const char *title)
{
	return json_pack("{s:i, s:s, s:i, s:b, s:[], s:{}, s:{}}", "version", VERSION, "title", title,
			 "runs", 1, "complete", 1, "incomplete", "calls", "args");
}

static json_t *call_of(json_t *rec, const char *name)
{
	json_t *calls = json_object_get(rec, "calls");
	json_t *c = json_object_get(calls, name);
	if (c != NULL)
		return c;
	c = json_pack("{s:I, s:I, s:I, s:I, s:[]}", phases[0].key, (json_int_t)0, phases[1].key, (json_int_t)0,
		      phases[2].key, (json_int_t)0, phases[3].key, (json_int_t)0, "by");
	return json_object_set_new(calls, name, c) == 0 ? c : NULL;
}

static bool has_text(const json_t *list, const char *s)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (pst_streq(pst_json_str(json_array_get(list, i)), s))
			return true;
	return false;
}

static bool add_text(json_t *list, const char *s)
{
	return has_text(list, s) || json_array_append_new(list, json_string(s)) == 0;
}

static uint64_t number(const json_t *o, const char *key)
{
	uint64_t v = 0;
	return pst_json_u64(json_object_get(o, key), &v) ? v : 0;
}

static bool add_count(json_t *call, const char *phase, uint64_t n)
{
	return json_object_set_new(call, phase, pst_json_from_u64(number(call, phase) + n)) == 0;
}

int pst_learn_call(json_t *rec, enum pst_learn_phase phase, unsigned nr, uint64_t n,
		   const char *comm, struct pst_err *err)
{
	const struct pst_sc *sc = pst_sctable_slot(nr);
	char unnamed[24];
	pst_auto_buf by = {0};
	snprintf(unnamed, sizeof unnamed, "%u", nr);
	json_t *c = call_of(rec, sc != NULL ? sc->name : unnamed);
	pst_oneline(&by, comm);
	if (c == NULL || !add_count(c, phases[phase].key, n) ||
	    !add_text(json_object_get(c, "by"), pst_buf_cstr(&by)))
		return pst_fail_nomem(err);
	return PST_OK;
}

static bool same_args(const json_t *a, const json_t *b)
{
	return json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b) != 0;
}

static int add_args(json_t *rec, const char *name, json_t *set, struct pst_err *err)
{
	json_t *all = json_object_get(rec, "args");
	json_t *list = json_object_get(all, name);
	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(all, name, list) != 0)
			return pst_fail_nomem(err);
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		if (same_args(json_array_get(list, i), set))
			return PST_OK;
	if (json_array_size(list) >= ARGS_MAX)
		return pst_learn_incomplete(rec, "a call had more different arguments than are kept", err);
	return json_array_append(list, set) == 0 ? PST_OK : pst_fail_nomem(err);
}

int pst_learn_args(json_t *rec, unsigned nr, const uint32_t args[3], struct pst_err *err)
{
	const struct pst_sc *sc = pst_sctable_slot(nr);
	if (sc == NULL)
		return PST_OK;
	pst_auto_json *set = json_pack("[I, I, I]", (json_int_t)args[0], (json_int_t)args[1],
				       (json_int_t)args[2]);
	return set == NULL ? pst_fail_nomem(err) : add_args(rec, sc->name, set, err);
}

int pst_learn_incomplete(json_t *rec, const char *why, struct pst_err *err)
{
	if (json_object_set_new(rec, "complete", json_false()) != 0 ||
	    !add_text(json_object_get(rec, "incomplete"), why))
		return pst_fail_nomem(err);
	return PST_OK;
}

static int not_ours(struct pst_err *err, const char *pointer)
{
	pst_fail(err, PST_E_SPEC, pointer, "this is no recording of `postern learn`");
	return pst_err_cure(err, "give a file that `postern learn --out FILE` wrote");
}

int pst_learn_check(const json_t *rec, struct pst_err *err)
{
	static const char *const objects[] = {"calls", "args"};
	const char *name;
	json_t *v;
	if (number(rec, "version") != VERSION)
		return not_ours(err, "/version");
	for (size_t i = 0; i < PST_NELEM(objects); i++)
		if (!json_is_object(json_object_get(rec, objects[i])))
			return not_ours(err, i == 0 ? "/calls" : "/args");
	if (!json_is_array(json_object_get(rec, "incomplete")) || pst_json_str(json_object_get(rec, "title")) == NULL)
		return not_ours(err, "/incomplete");
	json_object_foreach(json_object_get(rec, "calls"), name, v)
		if (!json_is_object(v) || !json_is_array(json_object_get(v, "by")))
			return not_ours(err, "/calls");
	json_object_foreach(json_object_get(rec, "args"), name, v)
		if (!json_is_array(v))
			return not_ours(err, "/args");
	return PST_OK;
}

static int merge_call(json_t *rec, const char *name, const json_t *more, struct pst_err *err)
{
	json_t *c = call_of(rec, name);
	const json_t *by = json_object_get(more, "by");
	for (size_t i = 0; c != NULL && i < PST_LEARN_PHASES; i++)
		if (!add_count(c, phases[i].key, number(more, phases[i].key)))
			return pst_fail_nomem(err);
	for (size_t i = 0; c != NULL && i < json_array_size(by); i++) {
		const char *s = pst_json_str(json_array_get(by, i));
		if (s != NULL && !add_text(json_object_get(c, "by"), s))
			return pst_fail_nomem(err);
	}
	return c == NULL ? pst_fail_nomem(err) : PST_OK;
}

int pst_learn_merge(json_t *rec, const json_t *more, struct pst_err *err)
{
	const char *name;
	json_t *v;
	int rc = pst_learn_check(more, err);
	json_t *calls = json_object_get(more, "calls");
	json_t *args = json_object_get(more, "args");
	json_object_foreach(calls, name, v)
		if (rc == PST_OK)
			rc = merge_call(rec, name, v, err);
	json_object_foreach(args, name, v)
		for (size_t i = 0; rc == PST_OK && i < json_array_size(v); i++)
			rc = add_args(rec, name, json_array_get(v, i), err);
	const json_t *lacks = json_object_get(more, "incomplete");
	for (size_t i = 0; rc == PST_OK && i < json_array_size(lacks); i++) {
		const char *why = pst_json_str(json_array_get(lacks, i));
		rc = pst_learn_incomplete(rec, why == NULL ? "not said" : why, err);
	}
	if (rc == PST_OK &&
	    json_object_set_new(rec, "runs", pst_json_from_u64(number(rec, "runs") + number(more, "runs"))) != 0)
		rc = pst_fail_nomem(err);
	return rc;
}

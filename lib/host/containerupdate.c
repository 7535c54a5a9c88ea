/* update: other limits for a running container, within the policy's. */
#include <string.h>

#include "core/argv.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/quantity.h"
#include "core/specfold.h"
#include "host/container.h"
#include "host/look.h"
#include "host/memdoc.h"
#include "host/runcall.h"
#include "host/runtime.h"
#include "base/str.h"

/* Flags of the runtime's update that one of our ceilings is about. */
static const struct {
	const char *flag, *pointer;
	bool bytes; /* written as Docker writes sizes */
} flags[] = {
	{"--cpu-period", "/cpu/period", false},	   {"--cpu-quota", "/cpu/quota", false},
	{"--memory", "/memory/limit", true},	   {"--memory-swap", "/memory/swap", true},
	{"--pids-limit", "/pids/limit", false},
};

static int add_flag(json_t *res, size_t i, const char *value, struct pst_err *err)
{
	uint64_t v = 0;
	json_t *n;
	if (value[0] == '-' && !flags[i].bytes) {
		n = json_integer(-1); /* any negative number means none */
	} else if (strcmp(value, "-1") == 0) {
		n = json_integer(-1);
	} else if (flags[i].bytes
			   ? pst_quantity_docker_bytes(value, &v, NULL) == PST_OK
			   : pst_num_parse(value, 10, INT64_MAX, &v)) {
		n = pst_json_from_u64(v);
	} else {
		return pst_fail(err, PST_E_USAGE, "", "invalid value for %s: %s", flags[i].flag, value);
	}
	return pst_json_put(res, flags[i].pointer, n) ? PST_OK : pst_fail_nomem(err);
}

/* The limits asked for, as the LinuxResources object the runtime would build. */
static int asked(const struct pst_argv *a, json_t **ret, struct pst_err *err)
{
	const char *file = pst_argv_value(a, "resources");
	pst_auto_json *res = NULL;
	int rc = PST_OK;
	if (file != NULL) /* the runtime then ignores the other flags */
		return pst_memdoc_read(file, ret, err);
	res = json_object();
	for (size_t i = 0; rc == PST_OK && i < PST_NELEM(flags); i++) {
		const char *v = pst_argv_value(a, flags[i].flag + 2);
		if (v != NULL)
			rc = add_flag(res, i, v, err);
	}
	if (rc == PST_OK)
		*ret = PST_TAKE(res);
	return rc;
}

/* Is this flag replaced by the document, or still the runtime's to read? */
static bool replaced(const struct pst_arg *a, bool file)
{
	if (a->flag == NULL)
		return false;
	for (size_t i = 0; i < PST_NELEM(flags); i++)
		if (strcmp(a->flag->name, flags[i].flag + 2) == 0)
			return true;
	return file && strcmp(a->flag->name, "resources") == 0;
}

static json_t *now(const json_t *res, const char *pointer)
{
	return json_incref(pst_json_at(res, pointer));
}

static int call(struct pst_ctx *ctx, const struct pst_seen *seen, const struct pst_argv *a,
		const json_t *res, struct pst_err *err)
{
	char path[64], num[PST_NELEM(flags)][32];
	const bool file = pst_argv_value(a, "resources") != NULL;
	pst_auto_runcall c;
	pst_runcall_begin(&c, ctx, seen->record.runtime_root);
	pst_runcall_add(&c, "update");
	int rc = PST_OK;
	if (file) {
		rc = pst_memdoc_write(res, path, err);
		pst_runcall_add2(&c, "--resources", path);
	}
	for (size_t i = 0; !file && i < PST_NELEM(flags); i++) {
		pst_auto_json *v = now(res, flags[i].pointer);
		pst_auto_buf t = {0};
		if (v == NULL || pst_json_dump(v, PST_JSON_COMPACT, &t, NULL) != PST_OK)
			continue;
		/* One word: a negative value must not look like a flag. */
		snprintf(num[i], sizeof num[i], "%.30s", pst_buf_cstr(&t));
		pst_runcall_add2(&c, flags[i].flag, num[i]);
	}
	for (size_t i = 0; i < a->nflags; i++)
		for (size_t w = 0; w < a->flags[i].nwords && !replaced(&a->flags[i], file); w++)
			pst_runcall_add(&c, a->flags[i].words[w]);
	pst_runcall_add(&c, a->args[0]);
	if (rc == PST_OK)
		rc = pst_runcall_ready(&c, err);
	return rc == PST_OK ? pst_runtime_exec(&c.spawn, err) : rc;
}

/* What the workload asked for itself still holds. */
static int judge(const struct pst_ctx *ctx, const struct pst_seen *seen, json_t *res,
		 struct pst_err *err)
{
	pst_auto_json *spec = NULL;
	pst_auto_edits edits = {0};
	struct pst_tighten own;
	int rc = pst_look_spec(seen, &spec, err);
	if (rc == PST_OK)
		rc = pst_annotations_read(pst_json_at(spec, "/annotations"), &ctx->policy, &own, err);
	if (rc == PST_OK)
		rc = pst_limits_update(res, &ctx->policy, &own, &edits, err);
	return rc == PST_OK ? pst_edits_apply(&edits, res, err) : rc;
}

int pst_container_update(const struct pst_global *g, int argc, char **argv, struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	pst_auto_argv a = {0};
	pst_auto_json *res = NULL;
	int rc = pst_argv_verb(pst_verb_find("update"), argc, argv, &a, err);
	if (rc == PST_OK)
		rc = pst_ctx_look(g, &ctx, err);
	if (rc == PST_OK && !ctx.transparent)
		rc = pst_look(&ctx, a.args[0], PST_LOCK_NONE, &seen, err);
	if (rc == PST_OK && !seen.found)
		return pst_container_pass(g, a.args[0], argc + 1, argv - 1, err);
	if (rc == PST_OK)
		rc = asked(&a, &res, err);
	if (rc == PST_OK)
		rc = pst_specfold_check(res, err);
	if (rc == PST_OK)
		rc = judge(&ctx, &seen, res, err);
	return rc == PST_OK ? call(&ctx, &seen, &a, res, err) : rc;
}

#include "core/annotations.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/quantity.h"

#define OURS "postern/"

static void pointer_of(const char *key, char *out, size_t size)
{
	pst_auto_buf b = {0};
	pst_buf_str(&b, "/annotations/");
	for (const char *p = key; *p != '\0'; p++)
		pst_buf_str(&b, *p == '~' ? "~0" : *p == '/' ? "~1" : (char[]){*p, '\0'});
	snprintf(out, size, "%s", pst_buf_cstr(&b));
}

PST_PRINTF(5, 6)
static int refuse(struct pst_err *err, const char *key, const char *rule, const char *cure,
		  const char *fmt, ...)
{
	char p[192], msg[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	pointer_of(key, p, sizeof p);
	pst_fail(err, PST_E_POLICY, p, "annotation %s: %s", key, msg);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "%s", cure);
}

static bool listed(const struct pst_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++) {
		const size_t n = strlen(l->v[i]);
		if (strcmp(l->v[i], s) == 0 ||
		    (n > 0 && l->v[i][n - 1] == '*' && strncmp(l->v[i], s, n - 1) == 0))
			return true;
	}
	return false;
}

static int check_steering(const char *key, const struct pst_policy *p, struct pst_err *err)
{
	static const char *const steering[] = {"run.oci.", "org.systemd.property.",
					       "org.criu.", "com.github.containers.crun."};
	for (size_t i = 0; i < PST_NELEM(steering); i++)
		if (pst_starts(key, steering[i]) && !listed(&p->pass_annotations, key))
			return refuse(err, key, "/passAnnotations",
				      "leave it out, or list it in \"passAnnotations\" of the policy",
				      "it steers the runtime behind postern's back");
	return PST_OK;
}

/* One amount: parsed, and not above the policy's own ceiling. */
static int amount(const char *key, const char *value,
		  enum pst_quantity_unit unit, const struct pst_limit *l,
		  const char *rule, bool *has, uint64_t *out, struct pst_err *err)
{
	struct pst_err why = {0};
	uint64_t v = 0;
	if (pst_quantity_parse(value, unit, &v, &why) != PST_OK)
		return refuse(err, key, rule, "write an amount such as 512, 500m or 256Mi", "%s", why.msg);
	if (v == 0)
		return refuse(err, key, rule, "give an amount above zero", "zero would mean no limit");
	if (l->has_max && v > l->max)
		return refuse(err, key, rule, "ask for less, or leave the annotation out",
			      "%s is above the node's ceiling", value);
	*has = true;
	*out = v;
	return PST_OK;
}

static int ours(const char *key, const char *value, const struct pst_policy *p,
		struct pst_tighten *t, struct pst_err *err)
{
	static const char *const later[] = {"disk-read", "disk-write", "disk-read-iops",
					    "disk-write-iops", "disk-size", "net-egress", "net-ingress",
					    "exec-gate", "ready", "phase-serve", "phase-exec"};
	const char *name = key + strlen(OURS);
	if (strcmp(name, "pids") == 0)
		return amount(key, value, PST_QUANTITY_COUNT, &p->pids, "/limits/pids/max", &t->has_pids,
			      &t->pids, err);
	if (strcmp(name, "memory") == 0)
		return amount(key, value, PST_QUANTITY_COUNT, &p->memory, "/limits/memory/max",
			      &t->has_memory, &t->memory, err);
	if (strcmp(name, "cpu") == 0)
		return amount(key, value, PST_QUANTITY_MILLI, &p->cpu, "/limits/cpu/max", &t->has_cpu,
			      &t->cpu, err);
	if (strcmp(name, "nofile") == 0)
		return amount(key, value, PST_QUANTITY_COUNT, &p->nofile, "/limits/nofile/max",
			      &t->has_nofile, &t->nofile, err);
	if (strcmp(name, "profile") == 0) {
		if (!listed(&p->profile_allow, value))
			return refuse(err, key, "/profile/allow", "choose one that the policy allows",
				      "profile \"%s\" is not one a workload may choose", value);
		t->profile = value;
		return PST_OK;
	}
	for (size_t i = 0; i < PST_NELEM(later); i++)
		if (strcmp(later[i], name) == 0)
			return refuse(err, key, "annotations", "leave it out",
				      "not supported by this version: what cannot be enforced is not taken");
	return refuse(err, key, "annotations", "see postern(1) for the ones there are", "unknown");
}

int pst_annotations_read(const json_t *annotations, const struct pst_policy *policy,
			 struct pst_tighten *ret, struct pst_err *err)
{
	struct pst_tighten t = {0};
	const char *key;
	json_t *v;
	int rc = PST_OK;
	json_object_foreach((json_t *)(uintptr_t)annotations, key, v)
	{
		char p[192];
		const char *value = pst_json_str(v);
		pointer_of(key, p, sizeof p);
		if (value == NULL)
			return pst_fail(err, PST_E_SPEC, p, "annotation %s must be a string", key);
		rc = pst_starts(key, OURS) ? ours(key, value, policy, &t, err)
					   : check_steering(key, policy, err);
		if (rc != PST_OK)
			return rc;
		if ((strcmp(key, "io.kubernetes.cri.sandbox-namespace") == 0 ||
		     strcmp(key, "io.kubernetes.pod.namespace") == 0) &&
		    listed(&policy->exempt_namespaces, value))
			t.exempt = true;
	}
	*ret = t;
	return PST_OK;
}

#include "core/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/nearest.h"
#include "core/policy_priv.h"
#include "core/policytext.h"

#define POINTER sizeof((struct pst_origin){0}.pointer)

/* The last setter of a key stands last, so that "who set something below
 * /limits" has the innermost answer. */
static bool record(struct pst_policy *p, const char *pointer, const char *file)
{
	for (size_t i = 0; i < p->norigins; i++)
		if (pst_streq(p->origins[i].pointer, pointer)) {
			memmove(&p->origins[i], &p->origins[i + 1],
				(p->norigins - i - 1) * sizeof p->origins[0]);
			p->norigins--;
			break;
		}
	struct pst_origin *v = reallocarray(p->origins, p->norigins + 1, sizeof *v);
	if (v == NULL)
		return false;
	p->origins = v;
	struct pst_origin *o = &v[p->norigins++];
	*o = (struct pst_origin){0};
	pst_policytext_show(file, o->file, sizeof o->file);
	memcpy(o->pointer, pointer, strnlen(pointer, POINTER - 1));
	return true;
}

/* `src` over `dst`, key by key; arrays and plain values replace. `file` NULL
 * records no origins (a class: they were recorded where the file has them). */
static bool merge(struct pst_policy *p, json_t *dst, const json_t *src, const char *pointer,
		  const char *file)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)src, key, v)
	{
		char at[POINTER] = "";
		memcpy(at, pointer, strlen(pointer) + 1);
		pst_json_pointer_push(at, sizeof at, key);
		if (!json_is_object(v)) {
			if (json_object_set_new_nocheck(dst, key, pst_json_copy(v)) != 0 ||
			    (file != NULL && !record(p, at, file)))
				return false;
			continue;
		}
		if (!json_is_object(json_object_get(dst, key)) &&
		    json_object_set_new_nocheck(dst, key, json_object()) != 0)
			return false;
		if (!merge(p, json_object_get(dst, key), v, at, file))
			return false;
	}
	return true;
}

static int add_doc(struct pst_policy *p, const json_t *doc, const char *name, struct pst_err *err)
{
	const int rc = pst_policy_check(doc, name, err);
	if (rc != PST_OK)
		return rc;
	return merge(p, p->tree, doc, "", name) ? PST_OK : pst_fail_nomem(err);
}

static int add_default(struct pst_policy *p, struct pst_err *err)
{
	pst_auto_json *doc = NULL;
	const int rc = pst_json_parse(pst_policy_default, pst_policy_default_len, "built-in policy",
				      &pst_json_oci, &doc, err);
	return rc != PST_OK ? rc : add_doc(p, doc, "", err);
}

static int no_such_class(const json_t *classes, const char *class_name, const char *file,
			 struct pst_err *err)
{
	const char *names[64];
	size_t n = 0;
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)classes, key, v)
	{
		if (n < PST_NELEM(names))
			names[n++] = key;
	}
	char shown[64];
	pst_fail(err, PST_E_POLICY, "/classes", "the policy has no class \"%s\"",
		 pst_policytext_show(class_name, shown, sizeof shown));
	pst_err_file(err, file);
	const char *near = pst_nearest(class_name, names, n);
	if (near != NULL)
		return pst_err_cure(err, "did you mean \"%s\"?", near);
	return pst_err_cure(err, "add it under \"classes\" of the policy, or choose none");
}

static int add_class(struct pst_policy *p, const char *class_name, const char *file,
		     struct pst_err *err)
{
	if (class_name == NULL || class_name[0] == '\0')
		return PST_OK;
	const json_t *classes = json_object_get(p->tree, "classes");
	const json_t *c = json_object_get(classes, class_name);
	if (c == NULL)
		return no_such_class(classes, class_name, file, err);

	p->class_name = strdup(class_name);
	return p->class_name != NULL && merge(p, p->tree, c, "", NULL) ? PST_OK
								       : pst_fail_nomem(err);
}

int pst_policy_build(json_t *const docs[], const char *const names[], size_t n,
		     const char *class_name, struct pst_policy *ret, struct pst_err *err)
{
	struct pst_policy p = {.tree = json_object()};
	int rc = p.tree == NULL ? pst_fail_nomem(err) : add_default(&p, err);
	for (size_t i = 0; rc == PST_OK && i < n; i++)
		rc = add_doc(&p, docs[i], names[i], err);
	if (rc == PST_OK)
		rc = add_class(&p, class_name, n > 0 ? names[0] : "", err);
	if (rc == PST_OK)
		rc = pst_policy_fill(&p, err);
	if (rc != PST_OK) {
		pst_policy_done(&p);
		return rc;
	}
	*ret = p;
	return PST_OK;
}

static void strv_done(struct pst_strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

void pst_policy_done(struct pst_policy *p)
{
	free(p->runtime_path);
	free(p->profile_default);
	free(p->class_name);
	strv_done(&p->profile_allow);
	strv_done(&p->volume_roots);
	strv_done(&p->exempt_namespaces);
	strv_done(&p->pass_annotations);
	strv_done(&p->mask_paths);
	strv_done(&p->readonly_paths);
	json_decref(p->tree);
	free(p->origins);
	*p = (struct pst_policy){0};
}

static const struct pst_origin *exactly(const struct pst_policy *p, const char *pointer)
{
	for (size_t i = 0; i < p->norigins; i++)
		if (pst_streq(p->origins[i].pointer, pointer))
			return &p->origins[i];
	return NULL;
}

static const struct pst_origin *last_below(const struct pst_policy *p, const char *pointer)
{
	const size_t len = strlen(pointer);
	for (size_t i = p->norigins; i-- > 0;) {
		const char *s = p->origins[i].pointer;
		if (strncmp(s, pointer, len) == 0 && s[len] == '/')
			return &p->origins[i];
	}
	return NULL;
}

const struct pst_origin *pst_policy_origin(const struct pst_policy *p, const char *pointer)
{
	char in_class[2 * POINTER + 16] = "", at[POINTER] = "";
	const struct pst_origin *o = NULL;
	memcpy(at, pointer, strnlen(pointer, sizeof at - 1));

	for (char *slash; o == NULL && at[0] != '\0'; *slash = '\0') {
		if (p->class_name != NULL) {
			snprintf(in_class, sizeof in_class, "/classes/%s%s", p->class_name, at);
			o = exactly(p, in_class);
		}
		if (o == NULL)
			o = exactly(p, at);
		slash = strrchr(at, '/');
		if (slash == NULL)
			break;
	}
	if (o != NULL)
		return o;
	if (p->class_name != NULL) {
		snprintf(in_class, sizeof in_class, "/classes/%s%.40s", p->class_name, pointer);
		o = last_below(p, in_class);
	}
	return o != NULL ? o : last_below(p, pointer);
}

const char *pst_policy_source(const struct pst_policy *p, const char *pointer, char *buf,
			      size_t size)
{
	const struct pst_origin *o = pst_policy_origin(p, pointer);
	const char *file = o == NULL || o->file[0] == '\0' ? "built-in policy" : o->file;
	/* A key asked for by its parent's name stays the parent. */
	const bool below = o == NULL || (pst_starts(o->pointer, pointer) &&
					 o->pointer[strlen(pointer)] == '/');
	snprintf(buf, size, "%s %s", file, below ? pointer : o->pointer);
	return buf;
}

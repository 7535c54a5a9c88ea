/* list: the caller's containers, wherever the runtime keeps them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "front.h"

/* Append what the runtime lists under `root`, bundles as the caller knows them. */
static int add_root(struct front *f, const char *root, json_t *all, int *status,
		    struct pst_err *err)
{
	static const char *const argv[] = {"list", "--format", "json", NULL};
	pst_auto_buf text = {0};
	pst_auto_json *j = NULL;
	int rc = pst_container_capture(&f->g, root, argv, &text, status, err);
	if (rc != PST_OK || *status != 0)
		return rc;
	rc = pst_json_parse(pst_buf_cstr(&text), text.len, "the runtime's list", &pst_json_oci, &j, err);
	for (size_t i = 0; rc == PST_OK && i < json_array_size(j); i++) {
		json_t *c = json_array_get(j, i);
		const char *id = pst_json_str(json_object_get(c, "id"));
		struct pst_container_info info = {0};
		if (id != NULL && pst_container_info(&f->g, id, &info, NULL) == PST_OK &&
		    info.bundle != NULL)
			(void)json_object_set_new(c, "bundle", json_string(info.bundle));
		pst_container_info_done(&info);
		if (json_array_append(all, c) != 0)
			rc = pst_fail_nomem(err);
	}
	return rc;
}

static int by_id(const void *a, const void *b)
{
	const char *x = pst_json_str(json_object_get(*(json_t *const *)a, "id"));
	const char *y = pst_json_str(json_object_get(*(json_t *const *)b, "id"));
	return strcmp(x == NULL ? "" : x, y == NULL ? "" : y);
}

/* In the order of ids, as the runtime lists one root. */
static int sort(json_t **all, struct pst_err *err)
{
	const size_t n = json_array_size(*all);
	pst_auto_free json_t **v = calloc(n + 1, sizeof(json_t *));
	pst_auto_json *sorted = json_array();
	if (v == NULL || sorted == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(*all, i);
	qsort(v, n, sizeof *v, by_id);
	for (size_t i = 0; i < n; i++)
		if (json_array_append(sorted, v[i]) != 0)
			return pst_fail_nomem(err);
	json_decref(*all);
	*all = PST_TAKE(sorted);
	return PST_OK;
}

static const char *text_of(const json_t *c, const char *key)
{
	const char *s = pst_json_str(json_object_get(c, key));
	return s == NULL ? "" : s;
}

/* Columns as wide as their widest cell and three spaces, at least 12: as runc's. */
static void table(const json_t *all)
{
	static const char *const heads[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
	static const char *const keys[] = {"id", NULL, "status", "bundle", "created", "owner"};
	size_t width[5] = {0};
	for (size_t k = 0; k < 5; k++) {
		width[k] = strlen(heads[k]);
		for (size_t i = 0; keys[k] != NULL && i < json_array_size(all); i++) {
			const size_t n = strlen(text_of(json_array_get(all, i), keys[k]));
			width[k] = n > width[k] ? n : width[k];
		}
		width[k] = width[k] + 3 < 12 ? 12 : width[k] + 3;
	}
	for (size_t k = 0; k < 6; k++)
		printf("%-*s", k < 5 ? (int)width[k] : 0, heads[k]);
	printf("\n");
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *c = json_array_get(all, i);
		char pid[24];
		snprintf(pid, sizeof pid, "%lld", (long long)json_integer_value(json_object_get(c, "pid")));
		for (size_t k = 0; k < 6; k++)
			printf("%-*s", k < 5 ? (int)width[k] : 0,
			       keys[k] == NULL ? pid : text_of(c, keys[k]));
		printf("\n");
	}
}

static int show(struct front *f, const json_t *all, struct pst_err *err)
{
	const char *format = pst_argv_value(&f->args, "format");
	if (pst_argv_on(&f->args, "quiet")) {
		for (size_t i = 0; i < json_array_size(all); i++)
			printf("%s\n", text_of(json_array_get(all, i), "id"));
		return PST_OK;
	}
	if (format == NULL || strcmp(format, "table") == 0) {
		table(all);
		return PST_OK;
	}
	if (strcmp(format, "json") != 0)
		return pst_fail(err, PST_E_USAGE, "", "invalid format option");
	pst_auto_buf out = {0};
	const int rc = json_array_size(all) == 0 ? PST_OK : pst_json_dump(all, PST_JSON_COMPACT, &out, err);
	printf("%s\n", out.len == 0 ? "null" : pst_buf_cstr(&out));
	return rc;
}

int verb_list(struct front *f)
{
	struct pst_err err = {0};
	pst_auto_json *all = json_array();
	char **roots = NULL;
	int status = 0;
	int rc = all == NULL ? pst_fail_nomem(&err) : add_root(f, NULL, all, &status, &err);
	if (rc == PST_OK && status == 0)
		rc = pst_container_private_roots(&f->g, &roots, &err);
	for (size_t i = 0; rc == PST_OK && status == 0 && roots != NULL && roots[i] != NULL; i++)
		rc = add_root(f, roots[i], all, &status, &err);
	if (rc == PST_OK && status == 0)
		rc = sort(&all, &err);
	if (rc == PST_OK && status == 0)
		rc = show(f, all, &err);
	pst_container_roots_free(roots);
	return rc == PST_OK ? status : front_report(f, &err);
}

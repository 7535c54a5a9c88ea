#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/plan_priv.h"

/* Nodes the runtime makes for every container anyway (config-linux.md "Default Devices"). */
static bool is_default(const char *path)
{
	static const char *const paths[] = {"/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
					    "/dev/urandom", "/dev/tty",	 "/dev/ptmx", "/dev/console"};
	for (size_t i = 0; i < PST_NELEM(paths); i++)
		if (strcmp(paths[i], path) == 0)
			return true;
	return false;
}

static int bad(struct pst_err *err, const char *pointer, const char *what)
{
	pst_fail(err, PST_E_SPEC, pointer, "device entry without a usable %s", what);
	return pst_err_cure(err, "see \"Devices\" of the OCI runtime specification");
}

static int confine(struct pst_work *w, size_t i, const json_t *d, const char *path, json_t *nodes,
		   struct pst_err *err)
{
	char p[64], source[512];
	uint64_t major = 0, minor = 0, mode = 0600, uid = 0, gid = 0;
	const char *type = pst_json_str(json_object_get(d, "type"));
	const json_t *j;
	snprintf(p, sizeof p, "/linux/devices/%zu", i);
	if (type == NULL || strlen(type) != 1 || strchr("cub", type[0]) == NULL)
		return bad(err, p, "type (\"c\", \"u\" or \"b\")");
	if (!pst_json_u64(json_object_get(d, "major"), &major) || major > 4095 ||
	    !pst_json_u64(json_object_get(d, "minor"), &minor) || minor > 1048575)
		return bad(err, p, "major and minor number");
	if (((j = json_object_get(d, "fileMode")) != NULL && (!pst_json_u64(j, &mode) || mode > 07777)) ||
	    ((j = json_object_get(d, "uid")) != NULL && (!pst_json_u64(j, &uid) || uid >= PST_BLOCK_SIZE)) ||
	    ((j = json_object_get(d, "gid")) != NULL && (!pst_json_u64(j, &gid) || gid >= PST_BLOCK_SIZE)))
		return bad(err, p, "fileMode, uid or gid");

	json_t *n = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "type", type, "major", (json_int_t)major,
			      "minor", (json_int_t)minor, "mode", (json_int_t)(mode & 0777), "uid",
			      (json_int_t)uid, "gid", (json_int_t)gid);
	if (json_array_append_new(nodes, n) != 0)
		return pst_fail_nomem(err);
	snprintf(source, sizeof source, "%s/dev/%zu", w->facts->stage, json_array_size(nodes) - 1);
	pst_edit_set(&w->plan->edits, "/mounts/-",
		     json_pack("{s:s, s:s, s:s, s:[s,s,s]}", "destination", path, "type", "bind",
			       "source", source, "options", "bind", "nosuid", "noexec"),
		     pst_work_source(w, "/grants/hostDevices"),
		     "the node is made outside with the owner asked for and bound");
	return PST_OK;
}

int pst_plan_devices(struct pst_work *w, struct pst_err *err)
{
	pst_auto_json *nodes = json_array();
	pst_auto_json *left = json_array();
	const json_t *a = w->spec->devices;
	int rc = PST_OK;
	if (nodes == NULL || left == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; rc == PST_OK && !w->privileged && i < json_array_size(a); i++) {
		char p[64], what[400];
		const json_t *d = json_array_get(a, i);
		const char *path = pst_json_str(json_object_get(d, "path"));
		snprintf(p, sizeof p, "/linux/devices/%zu", i);
		if (path == NULL || path[0] != '/' || pst_path_has_dotdot(path))
			return bad(err, p, "path");
		if (!is_default(path)) {
			snprintf(what, sizeof what, "gets the device %s", path);
			rc = pst_work_need(w, PST_G_HOST_DEVICES, p, what, "leave the device out", err);
		}
		if (rc == PST_OK && w->moved && !is_default(path) &&
		    pst_work_grant(w, PST_G_HOST_DEVICES) == PST_CONFINE)
			rc = confine(w, i, d, path, nodes, err);
		else if (rc == PST_OK)
			(void)json_array_append(left, (json_t *)(uintptr_t)d);
	}
	if (rc != PST_OK || json_array_size(nodes) == 0)
		return rc;
	pst_edit_set(&w->plan->edits, "/linux/devices", PST_TAKE(left),
		     pst_work_source(w, "/grants/hostDevices"), "bound instead of made by the runtime");
	return pst_work_step(w, "devices", json_pack("{s:O}", "nodes", nodes), err);
}

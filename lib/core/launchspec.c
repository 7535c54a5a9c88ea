#include "core/launchspec.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/quantity.h"
#include "core/userdb.h"

/* The fixed part: what an engine writes for every container. */
static const char skeleton[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":false,\"user\":{},\"args\":[],\"env\":[],"
	"\"cwd\":\"/\",\"capabilities\":{},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,"
	"\"soft\":1024}],\"noNewPrivileges\":false},\"root\":{},\"hostname\":\"postern\",\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\","
	"\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\","
	"\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\","
	"\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\","
	"\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":["
	"\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\","
	"\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
	"{\"type\":\"mount\"}],\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
	"\"maskedPaths\":[\"/proc/asound\",\"/proc/acpi\",\"/proc/kcore\",\"/proc/keys\","
	"\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\","
	"\"/proc/scsi\",\"/sys/firmware\"],\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\","
	"\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

static const char *const caps[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
	"CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
};

static int usage(struct pst_err *err, const char *flag, const char *why)
{
	return pst_fail(err, PST_E_USAGE, "", "invalid value for --%s: %s", flag, why);
}

static int put(json_t *spec, const char *pointer, json_t *v, struct pst_err *err)
{
	return v != NULL && pst_json_put(spec, pointer, v) ? PST_OK : pst_fail_nomem(err);
}

static int user(const struct pst_launch *l, json_t *spec, struct pst_user *u, struct pst_err *err)
{
	const char *who = l->user != NULL ? l->user
			  : l->image != NULL && l->image->user != NULL ? l->image->user : "";
	int rc = pst_userdb_resolve(who, l->passwd, l->group, u, err);
	json_t *groups = json_array();
	for (size_t i = 0; rc == PST_OK && i < u->ngroups; i++)
		(void)json_array_append_new(groups, json_integer(u->groups[i]));
	if (rc == PST_OK)
		rc = put(spec, "/process/user",
			 json_pack("{s:I, s:I, s:O}", "uid", (json_int_t)u->uid, "gid", (json_int_t)u->gid,
				   "additionalGids", groups),
			 err);
	json_decref(groups);
	/* As engines do: a process that is not root starts without effective ones. */
	for (size_t k = 0; rc == PST_OK && k < 3; k++) {
		static const char *const kinds[] = {"bounding", "effective", "permitted"};
		char p[64];
		json_t *a = json_array();
		for (size_t i = 0; (k == 0 || u->uid == 0) && i < PST_NELEM(caps); i++)
			(void)json_array_append_new(a, json_string(caps[i]));
		snprintf(p, sizeof p, "/process/capabilities/%s", kinds[k]);
		rc = put(spec, p, a, err);
	}
	return rc;
}

/* Set K=V in the list, replacing an earlier K. */
static int set_env(json_t *list, const char *kv, struct pst_err *err)
{
	const size_t n = strcspn(kv, "=");
	json_t *s = json_string(kv);
	if (s == NULL)
		return usage(err, "env", "not UTF-8");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *have = json_string_value(json_array_get(list, i));
		if (strncmp(have, kv, n + 1) == 0)
			return json_array_set_new(list, i, s) == 0 ? PST_OK : pst_fail_nomem(err);
	}
	return json_array_append_new(list, s) == 0 ? PST_OK : pst_fail_nomem(err);
}

static int environment(const struct pst_launch *l, json_t *spec, const struct pst_user *u,
		       struct pst_err *err)
{
	char home[300];
	json_t *list = pst_json_at(spec, "/process/env");
	int rc = set_env(list, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", err);
	snprintf(home, sizeof home, "HOME=%s", u->home);
	if (rc == PST_OK)
		rc = set_env(list, home, err);
	if (rc == PST_OK && l->tty)
		rc = set_env(list, "TERM=xterm", err);
	for (size_t i = 0; rc == PST_OK && l->image != NULL && l->image->env[i] != NULL; i++)
		rc = set_env(list, l->image->env[i], err);
	for (size_t i = 0; rc == PST_OK && i < l->nenv; i++) {
		const char *e = l->env[i];
		if (e[0] == '\0' || e[0] == '=')
			return usage(err, "env", "a variable needs a name");
		if (strchr(e, '=') != NULL) {
			rc = set_env(list, e, err);
			continue;
		}
		const char *v = l->getenv(e);
		pst_auto_buf b = {0};
		pst_buf_fmt(&b, "%s=%s", e, v == NULL ? "" : v);
		if (v != NULL)
			rc = set_env(list, pst_buf_cstr(&b), err);
	}
	return rc;
}

static int command(const struct pst_launch *l, json_t *spec, struct pst_err *err)
{
	json_t *args = pst_json_at(spec, "/process/args");
	for (size_t i = 0; l->image != NULL && l->image->entrypoint[i] != NULL; i++)
		(void)json_array_append_new(args, json_string(l->image->entrypoint[i]));
	for (size_t i = 0; i < l->ncmd; i++)
		if (json_array_append_new(args, json_string(l->cmd[i])) != 0)
			return pst_fail(err, PST_E_USAGE, "", "an argument of the command is not UTF-8");
	for (size_t i = 0; l->ncmd == 0 && l->image != NULL && l->image->cmd[i] != NULL; i++)
		(void)json_array_append_new(args, json_string(l->image->cmd[i]));
	if (json_array_size(args) == 0) {
		pst_fail(err, PST_E_USAGE, "", "no command specified");
		return pst_err_cure(err, "name one after \"--\"");
	}
	const char *cwd = l->workdir != NULL ? l->workdir
			  : l->image != NULL && l->image->workdir != NULL ? l->image->workdir : "/";
	if (cwd[0] != '/')
		return usage(err, "workdir", "the path must be absolute");
	return put(spec, "/process/cwd", json_string(cwd), err);
}

static int volume(json_t *spec, const char *v, struct pst_err *err)
{
	char src[1024], dst[1024];
	const char *c = strchr(v, ':');
	const char *opt = c == NULL ? NULL : strchr(c + 1, ':');
	if (c == NULL || c == v || c[1] != '/' || v[0] != '/')
		return usage(err, "volume", "write /SOURCE:/DESTINATION[:ro|rw], both absolute");
	if (opt != NULL && strcmp(opt, ":ro") != 0 && strcmp(opt, ":rw") != 0)
		return usage(err, "volume", "the mode is ro or rw");
	snprintf(src, sizeof src, "%.*s", (int)(c - v), v);
	snprintf(dst, sizeof dst, "%.*s", opt == NULL ? (int)strlen(c + 1) : (int)(opt - c - 1), c + 1);
	return put(spec, "/mounts/-",
		   json_pack("{s:s, s:s, s:s, s:[s,s,s]}", "destination", dst, "type", "bind", "source", src,
			     "options", "rbind", "rprivate",
			     opt != NULL && strcmp(opt, ":ro") == 0 ? "ro" : "rw"),
		   err);
}

static int mounts(const struct pst_launch *l, json_t *spec, struct pst_err *err)
{
	int rc = put(spec, "/root",
		     json_pack("{s:s, s:b}", "path", l->rootfs, "readonly", (int)l->read_only), err);
	for (size_t i = 0; rc == PST_OK && i < l->nvolumes; i++)
		rc = volume(spec, l->volumes[i], err);
	if (rc != PST_OK)
		return rc;
	if (l->net == NULL || strcmp(l->net, "none") == 0)
		return put(spec, "/linux/namespaces/-", json_pack("{s:s}", "type", "network"), err);
	return strcmp(l->net, "host") == 0 ? PST_OK : usage(err, "net", "none or host");
}

static int limits(const struct pst_launch *l, json_t *spec, struct pst_err *err)
{
	uint64_t v;
	int rc = PST_OK;
	if (l->memory != NULL) {
		if (pst_quantity_docker_bytes(l->memory, &v, NULL) != PST_OK || v == 0)
			return usage(err, "memory", "an amount such as 256m or 1Gi");
		rc = put(spec, "/linux/resources/memory/limit", pst_json_from_u64(v), err);
	}
	if (rc == PST_OK && l->cpus != NULL) {
		if (pst_quantity_parse(l->cpus, PST_QUANTITY_MILLI, &v, NULL) != PST_OK || v < 10 ||
		    v > 1000000000)
			return usage(err, "cpus", "a number of cores such as 0.5 or 2");
		rc = put(spec, "/linux/resources/cpu",
			 json_pack("{s:I, s:I}", "quota", (json_int_t)v * 100, "period",
				   (json_int_t)100000),
			 err);
	}
	if (rc == PST_OK && l->pids != NULL) {
		if (!pst_num_parse(l->pids, 10, INT32_MAX, &v) || v == 0)
			return usage(err, "pids", "a number above zero");
		rc = put(spec, "/linux/resources/pids/limit", pst_json_from_u64(v), err);
	}
	return rc;
}

static int annotations(const struct pst_launch *l, json_t *spec, struct pst_err *err)
{
	json_t *o = json_object();
	int rc = put(spec, "/annotations", o, err);
	if (rc == PST_OK && l->profile != NULL &&
	    json_object_set_new(o, "postern/profile", json_string(l->profile)) != 0)
		rc = usage(err, "profile", "not UTF-8");
	/* OCI has no field for it: the same words as a workload's own wish. */
	if (rc == PST_OK && l->disk != NULL &&
	    json_object_set_new(o, "postern/disk-size", json_string(l->disk)) != 0)
		rc = usage(err, "disk", "not UTF-8");
	for (size_t i = 0; rc == PST_OK && i < l->nannotations; i++) {
		char key[256];
		const char *eq = strchr(l->annotations[i], '=');
		if (eq == NULL || eq == l->annotations[i] || (size_t)(eq - l->annotations[i]) >= sizeof key)
			return usage(err, "annotation", "write KEY=VALUE");
		snprintf(key, sizeof key, "%.*s", (int)(eq - l->annotations[i]), l->annotations[i]);
		if (json_object_set_new(o, key, json_string(eq + 1)) != 0)
			rc = usage(err, "annotation", "not UTF-8");
	}
	return rc;
}

int pst_launchspec_make(const struct pst_launch *l, json_t **ret, struct pst_err *err)
{
	struct pst_user u = {0};
	pst_auto_json *spec = NULL;
	int rc = pst_json_parse(skeleton, sizeof skeleton - 1, "skeleton", &pst_json_oci, &spec, err);
	if (rc == PST_OK)
		rc = user(l, spec, &u, err);
	if (rc == PST_OK)
		rc = environment(l, spec, &u, err);
	if (rc == PST_OK)
		rc = command(l, spec, err);
	if (rc == PST_OK)
		rc = mounts(l, spec, err);
	if (rc == PST_OK)
		rc = limits(l, spec, err);
	if (rc == PST_OK)
		rc = annotations(l, spec, err);
	if (rc == PST_OK && l->seccomp != NULL)
		rc = put(spec, "/linux/seccomp", pst_json_copy(l->seccomp), err);
	if (rc == PST_OK && l->tty)
		rc = put(spec, "/process/terminal", json_true(), err);
	if (rc == PST_OK && l->hostname != NULL)
		rc = put(spec, "/hostname", json_string(l->hostname), err);
	if (rc == PST_OK)
		*ret = PST_TAKE(spec);
	return rc;
}

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "core/oneline.h"
#include "host/apply_priv.h"
#include "host/devnode.h"
#include "host/hostops.h"
#include "host/keeper.h"
#include "host/netside.h"
#include "host/stdfd.h"

static int open_ns(const char *path, int *ret, struct pst_err *err)
{
	*ret = -1;
	if (path[0] == '\0')
		return PST_OK;
	*ret = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	return *ret >= 0 ? PST_OK : pst_fail_sys(err, "cannot open the network namespace %s", path);
}

int pst_step_sysfs(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)note;
	pst_auto_fd ns = -1;
	const int rc = open_ns(pst_step_text(arg, "netns"), &ns, err);
	return rc != PST_OK ? rc : pst_netside_sysfs(ns, a->stage, "sys", err);
}

int pst_step_devices(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)note;
	const json_t *nodes = json_object_get(arg, "nodes");
	const size_t n = json_array_size(nodes);
	pst_auto_free struct pst_devnode *v = calloc(n, sizeof *v);
	pst_auto_free char(*names)[24] = calloc(n, sizeof *names);
	if (v == NULL || names == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const json_t *d = json_array_get(nodes, i);
		snprintf(names[i], sizeof names[i], "%zu", i);
		v[i] = (struct pst_devnode){
			.name = names[i],
			.type = pst_step_text(d, "type")[0],
			.major = (uint32_t)json_integer_value(json_object_get(d, "major")),
			.minor = (uint32_t)json_integer_value(json_object_get(d, "minor")),
			.mode = (uint32_t)json_integer_value(json_object_get(d, "mode")),
			.uid = a->plan->base + (uint32_t)json_integer_value(json_object_get(d, "uid")),
			.gid = a->plan->base + (uint32_t)json_integer_value(json_object_get(d, "gid")),
		};
	}
	return pst_devnode_make(a->stage, "dev", a->plan->base, v, n, err);
}

#define MAX_SYSCTLS 16

static size_t read_values(const json_t *values, struct pst_sysctl v[MAX_SYSCTLS])
{
	const char *key;
	json_t *val;
	size_t n = 0;
	json_object_foreach((json_t *)(uintptr_t)values, key, val)
	{
		if (n < MAX_SYSCTLS)
			v[n++] = (struct pst_sysctl){.key = key, .value = json_string_value(val)};
	}
	return n;
}

int pst_step_netsysctl(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)a;
	struct pst_sysctl v[MAX_SYSCTLS];
	const json_t *values = json_object_get(arg, "values");
	if (json_object_size(values) > MAX_SYSCTLS)
		return pst_fail(err, PST_E_SPEC, "/linux/sysctl",
				"more than %d net.* sysctls for a network namespace of the host's",
				MAX_SYSCTLS);
	const size_t n = read_values(values, v);
	pst_auto_fd ns = -1;
	int rc = open_ns(pst_step_text(arg, "netns"), &ns, err);
	if (rc == PST_OK)
		rc = pst_netside_sysctl(ns, v, n, err);
	if (rc != PST_OK)
		return rc;
	json_t *old = json_object();
	for (size_t i = 0; old != NULL && i < n; i++)
		if (json_object_set_new(old, v[i].key, json_string(v[i].old)) != 0) {
			json_decref(old);
			old = NULL;
		}
	*note = old;
	return old == NULL ? pst_fail_nomem(err) : PST_OK;
}

/* The namespace is the caller's and may serve other containers by now: values go
 * back only when this container never came to be. */
int pst_step_netsysctl_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			    struct pst_err *err)
{
	struct pst_sysctl v[MAX_SYSCTLS];
	if (!u->failed || note == NULL)
		return PST_OK;
	const size_t n = read_values(note, v);
	pst_auto_fd ns = -1;
	if (open_ns(pst_step_text(arg, "netns"), &ns, NULL) != PST_OK)
		return PST_OK; /* gone, and the values with it */
	return pst_netside_sysctl(ns, v, n, err);
}

static const int std_fds[] = {0, 1, 2};

int pst_step_stdio(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)arg;
	(void)note;
	/* With `run` the runtime relays stdio through pipes of its own. */
	if (a->attached)
		return PST_OK;
	const int rc = pst_stdfd_give(std_fds, 3, a->plan->base, a->plan->base, a->std_old, err);
	a->std_given = rc == PST_OK;
	return rc;
}

void pst_step_stdio_restore(struct pst_apply *a)
{
	if (a->std_given)
		(void)!pst_stdfd_restore(std_fds, 3, a->std_old, NULL);
	a->std_given = false;
}

/* What the plan could not know: the container's name, and containerd's log of its bundle. */
static void keeper_headers(const struct pst_apply *a, struct pst_buf *out)
{
	char log[512];
	struct stat st;
	pst_buf_str(out, "id\t");
	pst_oneline(out, a->record->id);
	pst_buf_char(out, '\n');
	snprintf(log, sizeof log, "%s/log", a->record->bundle);
	if (pst_host->fstatat(AT_FDCWD, log, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(st.st_mode) &&
	    st.st_uid == 0)
		pst_buf_fmt(out, "log\t%s\n", log);
}

int pst_step_keeper(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)arg;
	(void)note;
	pst_auto_buf text = {0};
	keeper_headers(a, &text);
	pst_buf_str(&text, a->plan->denials != NULL ? a->plan->denials : a->plan->headers);
	return pst_buf_ok(&text) ? pst_keeper_start(&a->ctx->sd, a->state, pst_buf_cstr(&text),
						    a->hostns, err)
				 : pst_fail_nomem(err);
}

int pst_step_keeper_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			 struct pst_err *err)
{
	(void)arg;
	(void)note;
	return pst_keeper_stop(u->state, err);
}

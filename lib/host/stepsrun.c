#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/apply_priv.h"
#include "host/gate.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/lease.h"
#include "host/runcall.h"
#include "host/runloop.h"
#include "host/stray.h"
#include "host/verify.h"

/* The hook that holds `runc run` until verification, before the caller's own. */
static int add_gate(const struct pst_apply *a, json_t *spec, struct pst_err *err)
{
	char dir[300], path[320];
	pst_auto_free char *program = pst_gate_program();
	if (program == NULL)
		return pst_fail(err, PST_E_HOST, "", "the program postern-gate is not installed, or not "
				"root's alone to write");
	snprintf(path, sizeof path, "%s/gate", pst_ctx_dir(a->ctx, a->state->key, dir, sizeof dir));
	json_t *hooks = pst_json_at(spec, "/hooks/poststart");
	json_t *list = json_pack("[{s:s, s:[s,s]}]", "path", program, "args", "postern-gate", path);
	if (list == NULL || (hooks != NULL && json_array_extend(list, hooks) != 0) ||
	    !pst_json_put(spec, "/hooks/poststart", json_incref(list))) {
		json_decref(list);
		return pst_fail_nomem(err);
	}
	json_decref(list);
	return PST_OK;
}

int pst_step_bundle(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)arg;
	(void)note;
	pst_auto_buf text = {0};
	pst_auto_json *spec = NULL;
	int rc = PST_OK;
	if (a->run) {
		spec = pst_json_copy(a->plan->spec);
		rc = spec == NULL ? pst_fail_nomem(err) : add_gate(a, spec, err);
	}
	if (rc == PST_OK)
		rc = pst_json_dump(spec != NULL ? spec : a->plan->spec, PST_JSON_COMPACT, &text, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->mkdirat(a->state->fd, "bundle", 0700) != 0)
		return pst_fail_sys(err, "cannot make the bundle directory");
	pst_auto_fd dir = pst_host->openat(a->state->fd, "bundle",
					   O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return pst_fail_sys(err, "cannot open the bundle directory");
	return pst_io_replace(dir, "config.json", text.data, text.len, 0600, err);
}

static void command(struct pst_apply *a, struct pst_runcall *c, const char *bundle,
		    const char *pid_file, const char *fds)
{
	const struct pst_create *q = a->create;
	pst_runcall_begin(c, a->ctx, a->record->runtime_root);
	pst_runcall_add(c, a->run ? "run" : "create");
	pst_runcall_add2(c, "--bundle", bundle);
	pst_runcall_add2(c, "--pid-file", a->run ? (q->hold ? NULL : q->pid_file) : pid_file);
	pst_runcall_add2(c, "--console-socket", q->console_socket);
	if (q->preserve_fds > 0)
		pst_runcall_add2(c, "--preserve-fds", fds);
	if (a->run && (q->detach || q->hold))
		pst_runcall_add(c, "--detach");
	if (a->run && q->keep)
		pst_runcall_add(c, "--keep");
	for (size_t i = 0; i < q->npass; i++)
		pst_runcall_add(c, q->pass[i]);
	pst_runcall_add(c, q->id);
	c->safety_net = a->plan->safety_net;
}

static int read_pid(struct pst_apply *a, struct pst_err *err)
{
	char text[32];
	uint64_t pid;
	const ssize_t n = pst_io_read_small(a->state->fd, "pid", text, sizeof text);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (n <= 0 || !pst_num_parse(text, 10, INT_MAX, &pid) || pid == 0)
		return pst_fail(err, PST_E_RUNTIME, "", "the runtime wrote no process id");
	a->init = (pid_t)pid;
	return PST_OK;
}

/* The runtime's own words are on stderr and in its log already: an empty message
 * tells the front end to add none. */
int pst_apply_runtime_failed(struct pst_err *err)
{
	return pst_fail(err, PST_E_RUNTIME, "", "%s", "");
}

/* crun gives every stdio descriptor to the container's root, the host's own device
 * nodes included (seen with 1.8.1, gone in 1.28): it never gets one. */
static int check_crun_stdio(const struct pst_apply *a, struct pst_err *err)
{
	if (strcmp(a->ctx->rt.name, "crun") != 0 || !a->plan->expect.maps ||
	    pst_runver_at_least(&a->ctx->rt, "crun", 1, 28, 0))
		return PST_OK;
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;
		if (pst_host->fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode) || pst_stdfd_takes(fd))
			continue;
		pst_fail(err, PST_E_RUNTIME, "",
			 "this crun would give the host's device on descriptor %d to the container", fd);
		return pst_err_cure(err, "use crun 1.28 or newer, runc, or pipes in place of /dev/null");
	}
	return PST_OK;
}

int pst_step_runtime(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)arg;
	(void)note;
	char dir[300], bundle[320], pid_file[320], fds[16];
	pst_ctx_dir(a->ctx, a->state->key, dir, sizeof dir);
	snprintf(bundle, sizeof bundle, "%s/bundle", dir);
	snprintf(pid_file, sizeof pid_file, "%s/pid", dir);
	snprintf(fds, sizeof fds, "%d", a->create->preserve_fds);

	pst_auto_runcall c;
	command(a, &c, bundle, pid_file, fds);
	int rc = check_crun_stdio(a, err);
	if (rc == PST_OK && a->plan->enter_netns)
		rc = pst_runcall_netns(&c, a->plan->netns_path, err);
	if (rc == PST_OK)
		rc = pst_runcall_ready(&c, err);
	if (rc != PST_OK)
		return rc;
	/* Alone it would go on making a container in a block that a sweep gave away. */
	/* Held, it is to outlive us; with us dead, its hook fails and it kills what it made. */
	c.spawn.die_with_us = !a->create->hold;
	if (a->run)
		return pst_runloop_start(a, &c, err);
	rc = pst_runtime_run(&c.spawn, &a->status, err);
	if (rc == PST_OK && a->status != 0)
		rc = pst_apply_runtime_failed(err);
	return rc == PST_OK ? read_pid(a, err) : rc;
}

int pst_step_verify(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)arg;
	(void)note;
	/* crun sets capabilities, no_new_privs and the filter when the container starts:
	 * its start is followed by a second look (host/drive.h). */
	const int rc = pst_gate_works(&a->ctx->rt) || strcmp(a->ctx->rt.name, "crun") != 0
			       ? pst_verify(a->init, a->plan, err)
			       : pst_verify_ids(a->init, a->plan, err);
	return rc == PST_OK ? pst_keeper_name(a->state, "init", a->init, err) : rc;
}

static int runtime_has(const struct pst_undo *u, bool *ret, struct pst_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s",
		 u->record->runtime_root != NULL ? u->record->runtime_root : u->record->root,
		 u->record->id);
	if (pst_host->fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*ret = true;
	else if (errno == ENOENT || errno == ENOTDIR)
		*ret = false;
	else
		return pst_fail_sys(err, "cannot look at %s", path);
	return PST_OK;
}

/* What a runtime killed half-way leaves is nobody's: processes by their ids,
 * cgroups by their name. */
static int sweep_strays(const struct pst_undo *u, struct pst_err *err)
{
	pst_auto_json *spec = NULL;
	pst_auto_buf text = {0};
	int rc = PST_OK;
	if (u->record->block.len != 0 && u->record->sandbox == NULL)
		rc = pst_stray_kill(u->record->block.first, err);
	if (rc != PST_OK)
		return rc;
	if (pst_io_read_file(u->state->fd, "bundle/config.json", PST_BUF_CAP / 2, &text, NULL) != PST_OK ||
	    pst_json_parse(text.data, text.len, "config.json", &pst_json_oci, &spec, NULL) != PST_OK)
		return PST_OK; /* no bundle was written: the runtime never ran */
	return pst_stray_cgroups(pst_json_str(pst_json_at(spec, "/linux/cgroupsPath")), u->record->id,
				 err);
}

int pst_step_runtime_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			  struct pst_err *err)
{
	(void)arg;
	(void)note;
	bool there = false;
	int rc = runtime_has(u, &there, err);
	if (rc != PST_OK)
		return rc;
	if (there) {
		int status = 0;
		pst_auto_runcall c;
		pst_runcall_begin(&c, u->ctx, u->record->runtime_root != NULL ? u->record->runtime_root
									      : u->record->root);
		pst_runcall_add(&c, "delete");
		pst_runcall_add(&c, "--force");
		pst_runcall_add(&c, u->record->id);
		rc = pst_runcall_ready(&c, err);
		c.spawn.quiet = true;
		c.spawn.die_with_us = true;
		if (rc == PST_OK)
			rc = pst_runtime_run(&c.spawn, &status, err);
		if (rc != PST_OK)
			return rc;
	}
	rc = sweep_strays(u, err);
	if (rc == PST_OK)
		rc = runtime_has(u, &there, err);
	if (rc != PST_OK || !there)
		return rc;
	/* Half of the runtime's own state: it cannot read it, so it cannot remove it. */
	pst_auto_fd root = pst_host->openat(
		AT_FDCWD, u->record->runtime_root != NULL ? u->record->runtime_root : u->record->root,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	return root < 0 ? PST_OK : pst_io_remove_tree(root, u->record->id, err);
}

int pst_step_lease_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			struct pst_err *err)
{
	(void)note;
	uint64_t first;
	pst_auto_leases l = PST_LEASES_NONE;
	if (!pst_json_u64(json_object_get(arg, "first"), &first) || first > UINT32_MAX)
		return PST_OK;
	const int rc = pst_leases_lock(&u->ctx->sd, &l, err);
	if (rc != PST_OK)
		return rc;
	const struct pst_idspan block = {.first = (uint32_t)first, .len = PST_BLOCK_SIZE};
	return pst_lease_release(&l, block, u->state->key, err);
}

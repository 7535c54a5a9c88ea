#include "host/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/create.h"
#include "host/drive.h"
#include "host/gate.h"
#include "host/hostops.h"
#include "host/hold.h"
#include "host/io.h"
#include "host/keeper.h"
#include "host/look.h"
#include "host/netguard.h"
#include "host/rootmount.h"
#include "host/runcall.h"
#include "host/runloop.h"
#include "host/runtime.h"

/* With a policy that asks for nothing, the runtime is called as the caller called us. */
static int pass_create(const struct pst_ctx *ctx, const struct pst_create *c, const char *verb,
		       struct pst_err *err)
{
	char fds[16];
	pst_auto_runcall call;
	pst_runcall_begin(&call, ctx, NULL);
	pst_runcall_add(&call, verb);
	pst_runcall_add2(&call, "--bundle", c->bundle);
	pst_runcall_add2(&call, "--pid-file", c->pid_file);
	pst_runcall_add2(&call, "--console-socket", c->console_socket);
	snprintf(fds, sizeof fds, "%d", c->preserve_fds);
	if (c->preserve_fds > 0)
		pst_runcall_add2(&call, "--preserve-fds", fds);
	if (c->detach)
		pst_runcall_add(&call, "--detach");
	if (c->keep)
		pst_runcall_add(&call, "--keep");
	for (size_t i = 0; i < c->npass; i++)
		pst_runcall_add(&call, c->pass[i]);
	pst_runcall_add(&call, c->id);
	const int rc = pst_runcall_ready(&call, err);
	return rc != PST_OK ? rc : pst_runtime_exec(&call.spawn, err);
}

/* Open the context; a policy that asks for nothing makes us the runtime. */
static int open_or_pass(const struct pst_global *g, const struct pst_create *c, const char *verb,
			struct pst_ctx *ctx, struct pst_err *err)
{
	const int rc = pst_ctx_open(g, ctx, err);
	if (rc != PST_OK || !ctx->transparent)
		return rc;
	if (c->nrootfs > 0) {
		pst_auto_bundle b = {0};
		int mounted = pst_bundle_read(c->bundle, &b, err);
		if (mounted == PST_OK)
			mounted = pst_rootmount_mount(b.path, &b.spec, c->rootfs, c->nrootfs, err);
		if (mounted != PST_OK)
			return mounted;
	}
	if (c->nlayers == 0)
		return pass_create(ctx, c, verb, err);
	return pst_fail(err, PST_E_POLICY, "", "an image needs a policy that maps ids");
}

/* The engine reads its pid file once we return: it appears only now, verified. */
static int give_pid(const struct pst_making *m, const struct pst_create *c, struct pst_err *err)
{
	char text[16];
	if (c->pid_file == NULL)
		return PST_OK;
	const int n = snprintf(text, sizeof text, "%ld", (long)m->apply.init);
	return pst_io_replace(AT_FDCWD, c->pid_file, text, (size_t)n, 0666, err);
}

int pst_container_create(const struct pst_global *g, const struct pst_create *c, struct pst_err *err)
{
	pst_auto_making m = PST_MAKING_NONE;
	int rc = open_or_pass(g, c, "create", &m.ctx, err);
	if (rc == PST_OK)
		rc = pst_making_make(&m, c, c->hold && pst_gate_works(&m.ctx.rt), err);
	if (rc != PST_OK)
		return rc;
	rc = give_pid(&m, c, err);
	if (rc == PST_OK) {
		m.record.phase = PST_PHASE_VERIFIED;
		rc = pst_state_write(&m.ctx.sd, &m.state, &m.record, err);
	}
	if (rc == PST_OK && c->hold)
		rc = pst_hold_give(&m, c->hold_fd, err);
	if (rc != PST_OK) {
		if (c->pid_file != NULL)
			(void)pst_host->unlinkat(AT_FDCWD, c->pid_file, 0);
		(void)!pst_making_unmake(&m, true, NULL);
	}
	return rc;
}

/* The runtime's run deletes the container itself; whatever it did not delete, or was
 * killed before deleting, the undo of the step does. */
static int end_run(struct pst_making *m, const struct pst_create *c, struct pst_err *err)
{
	if (c->keep)
		return pst_state_write(&m->ctx.sd, &m->state, &m->record, err);
	/* Killed (137), it may have left something; ended, it has not. */
	int rc = m->apply.status < 128 ? pst_drive_settle(m, err) : PST_OK;
	return rc == PST_OK ? pst_making_unmake(m, false, err) : rc;
}

static int run_gated(struct pst_making *m, const struct pst_create *c, int *ret_status,
		     struct pst_err *err)
{
	int rc = PST_OK;
	m->record.phase = PST_PHASE_VERIFIED;
	if (c->detach)
		rc = pst_state_write(&m->ctx.sd, &m->state, &m->record, err);
	/* While it runs, others may delete it; what they removed is not there to undo. */
	(void)pst_host->flock(m->state.fd, LOCK_UN);
	if (rc == PST_OK)
		rc = pst_runloop_wait(&m->apply, err);
	(void)pst_host->flock(m->state.fd, LOCK_EX);
	*ret_status = m->apply.status;
	if (rc == PST_OK && c->detach && *ret_status == 0)
		return PST_OK;
	if (rc == PST_OK)
		return end_run(m, c, err);
	(void)!pst_making_unmake(m, true, NULL);
	return rc;
}

int pst_container_run(const struct pst_global *g, const struct pst_create *c, int *ret_status,
		      struct pst_err *err)
{
	pst_auto_making m = PST_MAKING_NONE;
	int rc = open_or_pass(g, c, "run", &m.ctx, err);
	if (rc != PST_OK)
		return rc;
	if (!pst_gate_works(&m.ctx.rt))
		return pst_drive_run(&m, c, ret_status, err);
	rc = pst_making_make(&m, c, true, err);
	if (rc != PST_OK) {
		*ret_status = m.apply.status;
		return rc;
	}
	rc = c->made == NULL ? PST_OK : c->made(c->made_ctx, m.apply.init, err);
	if (rc == PST_OK)
		return run_gated(&m, c, ret_status, err);
	(void)!pst_making_unmake(&m, true, NULL);
	return rc;
}

int pst_container_start(const struct pst_global *g, const char *id, bool held, int *ret_status,
			struct pst_err *err)
{
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_seen seen = PST_SEEN_NONE;
	int rc = pst_ctx_look(g, &ctx, err);
	if (rc == PST_OK && !ctx.transparent)
		rc = pst_look(&ctx, id, PST_LOCK_NONE, &seen, err);
	if (rc == PST_OK && seen.found)
		rc = pst_look_verified(&seen, err);
	if (rc == PST_OK && seen.found)
		rc = pst_netguard_start(&ctx.sd, &seen.state, err);
	if (rc == PST_OK && held && !seen.found)
		rc = pst_fail(err, PST_E_STATE, "", "container %s is not ours: none of its waits", id);
	if (rc != PST_OK || held)
		return rc;
	pst_auto_runcall c;
	pst_runcall_begin(&c, &ctx, seen.record.runtime_root);
	pst_runcall_add(&c, "start");
	pst_runcall_add(&c, id);
	rc = pst_runcall_ready(&c, err);
	if (rc == PST_OK && seen.found && !pst_gate_works(&ctx.rt))
		return pst_drive_start(&seen, &c, ret_status, err);
	return rc == PST_OK ? pst_runtime_exec(&c.spawn, err) : rc;
}

/* A directory without a record and without a step to undo is the rest of a delete that was cut
 * short, or a runtime has made it that was called meanwhile. */
static int remove_rest(struct pst_making *m, struct pst_state *st, struct pst_err *err)
{
	pst_auto_jview v = {0};
	struct pst_err why = {0};
	if (pst_journal_read(st->fd, &v, &why) != PST_OK || v.nopen != 0)
		return PST_E_STATE;
	return pst_state_remove(&m->ctx.sd, st, err);
}

/* The record, moved into a making so that the undo finds it. */
static int open_for_delete(struct pst_making *m, const char *id, bool *ours, struct pst_err *err)
{
	struct pst_seen seen = PST_SEEN_NONE;
	struct pst_err why = {0};
	int rc = m->ctx.transparent ? PST_OK : pst_look(&m->ctx, id, PST_LOCK_WAIT, &seen, &why);
	if (rc == PST_E_STATE && why.sys == ENOENT)
		rc = remove_rest(m, &seen.state, &why);
	if (rc != PST_OK && err != NULL)
		*err = why;
	m->state = seen.state;
	m->record = seen.record;
	m->begun = *ours = seen.found;
	m->apply.state = &m->state;
	m->apply.record = &m->record;
	if (rc == PST_OK && seen.found)
		rc = pst_journal_open(m->state.fd, &m->apply.journal, err);
	return rc;
}

int pst_container_delete(const struct pst_global *g, const char *id, bool force, int *ret_status,
			 struct pst_err *err)
{
	pst_auto_making m = PST_MAKING_NONE;
	bool ours = false;
	int rc = pst_ctx_end(g, &m.ctx, err);
	if (rc == PST_OK)
		rc = open_for_delete(&m, id, &ours, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_runcall c;
	pst_runcall_begin(&c, &m.ctx, m.record.runtime_root);
	pst_runcall_add(&c, "delete");
	if (force)
		pst_runcall_add(&c, "--force");
	pst_runcall_add(&c, id);
	rc = pst_runcall_ready(&c, err);
	if (rc == PST_OK && !ours)
		return pst_runtime_exec(&c.spawn, err);
	/* Announced first: killed behind the runtime's delete, we are found and finished. */
	const enum pst_phase was = m.record.phase;
	m.record.phase = PST_PHASE_DELETING;
	if (rc == PST_OK)
		rc = pst_state_write(&m.ctx.sd, &m.state, &m.record, err);
	/* Gone on without us, it would make its --root again in a directory that a sweep removed. */
	c.spawn.die_with_us = true;
	/* The runtime removes the cgroup, and with it what it counted. */
	(void)!pst_keeper_ask(&m.state, PST_KEEPER_FLUSH, NULL);
	if (rc == PST_OK)
		rc = pst_runtime_run(&c.spawn, ret_status, err);
	return rc == PST_OK ? pst_drive_deleted(&m, was, *ret_status, err) : rc;
}

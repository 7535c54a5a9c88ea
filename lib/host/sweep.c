#include "host/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/ctrid.h"
#include "host/apply.h"
#include "host/dirents.h"
#include "host/drive.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/lease.h"
#include "host/mounttab.h"
#include "host/netshape.h"
#include "host/stage.h"
#include "host/state.h"

/* Undo one dead container; its lock is held. */
static int undo_dead(struct pst_ctx *c, const char *key, struct pst_state *st,
		     struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_record rec = {0};
	pst_auto_journal j = PST_JOURNAL_NONE;
	struct pst_err why = {0};
	int rc = st->fd >= 0 ? pst_state_read(st, &rec, &why) : PST_E_STATE;
	/* Its journal would not be understood: it is for the postern that wrote it. */
	if (rc == PST_E_STATE && why.sys == EPROTONOSUPPORT)
		return PST_OK;
	/* Killed before the record was written: then no step was begun either. */
	const bool begun = rc == PST_OK;
	rc = PST_OK;
	if (begun) {
		if (rec.phase == PST_PHASE_DELETING && pst_drive_knows(&rec)) {
			/* Killed before the runtime removed it: it lives, and is its caller's. */
			rec.phase = PST_PHASE_VERIFIED;
			return pst_state_write(&c->sd, st, &rec, err);
		}
		rc = pst_journal_open(st->fd, &j, err);
		struct pst_undo u = {
			.ctx = c, .state = st, .record = &rec, .journal = &j, .failed = true};
		if (rc == PST_OK)
			rc = pst_apply_undo(&u, err);
	}
	if (rc == PST_OK)
		rc = pst_state_remove(&c->sd, st, err);
	if (rc == PST_OK && notes != NULL)
		pst_note_add(notes, "", "journal", "removed what was left of container %s",
			     rec.id != NULL ? rec.id : key);
	return rc;
}

static int judge(struct pst_ctx *c, const char *key, struct pst_notes *notes, struct pst_err *err)
{
	enum pst_fate fate;
	pst_auto_state st = PST_STATE_NONE;
	const int rc = pst_state_dead(&c->sd, key, &fate, &st, err);
	if (rc != PST_OK || fate != PST_FATE_DEAD)
		return rc;
	return undo_dead(c, key, &st, notes, err);
}

int pst_sweep_making(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_dirnames l = {0};
	int first = pst_state_making(&c->sd, &l, err);
	for (size_t i = 0; i < l.n; i++) {
		struct pst_err e = {0};
		const int rc = judge(c, l.v[i], notes, &e);
		if (rc != PST_OK && first == PST_OK) {
			first = rc;
			if (err != NULL)
				*err = e;
		}
	}
	return first;
}

static bool known(struct pst_ctx *c, const char *key)
{
	struct stat st;
	int dir;
	return !pst_ctrid_is_key(key) || pst_statedir_sub(&c->sd, PST_DIR_C, &dir, NULL) != PST_OK ||
	       pst_host->fstatat(dir, key, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Staging directories without a container. */
static int sweep_stage(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err)
{
	char parent[300];
	int dir;
	pst_auto_dirnames l = {0};
	int rc = pst_statedir_sub(&c->sd, PST_DIR_STAGE, &dir, err);
	if (rc == PST_OK)
		rc = pst_dirnames_read(dir, &l, err);
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		if (known(c, l.v[i]))
			continue;
		rc = pst_stage_remove(pst_ctx_stage(c, parent, sizeof parent), l.v[i], err);
		if (rc == PST_OK && notes != NULL)
			pst_note_add(notes, "", "stage", "removed the staging directory %s", l.v[i]);
	}
	return rc;
}

/* Overlays of ours over somebody's rootfs, whose container is gone. */
static int sweep_covers(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_mounttab tab = {0};
	int rc = pst_mounttab_read(&tab, err);
	for (size_t i = 0; rc == PST_OK && i < tab.n; i++) {
		const struct pst_mountinfo *m = &tab.v[i];
		if (strcmp(m->fstype, "overlay") != 0 || !pst_starts(m->source, "postern-") ||
		    known(c, m->source + 8))
			continue;
		struct pst_cover mark = {.major = m->major, .minor = m->minor};
		bool removed = false;
		snprintf(mark.source, sizeof mark.source, "%s", m->source);
		rc = pst_stage_uncover(m->point, &mark, &removed, err);
		if (rc == PST_OK && removed && notes != NULL)
			pst_note_add(notes, "", "mount table", "took the cover off %s", m->point);
	}
	return rc;
}

int pst_sweep_all(struct pst_ctx *c, struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_leases l = PST_LEASES_NONE;
	struct pst_lease_swept swept = {0};
	int rc = pst_sweep_making(c, notes, err);
	if (rc == PST_OK)
		rc = sweep_covers(c, notes, err);
	if (rc == PST_OK)
		rc = sweep_stage(c, notes, err);
	if (rc == PST_OK)
		rc = pst_netshape_sweep(&c->sd, notes, err);
	if (rc == PST_OK)
		rc = pst_leases_lock(&c->sd, &l, err);
	return rc == PST_OK ? pst_lease_sweep(&l, &swept, notes, err) : rc;
}

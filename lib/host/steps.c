#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/json.h"
#include "core/ovl.h"
#include "host/apply_priv.h"
#include "host/hostops.h"
#include "host/idmap.h"
#include "host/overlay.h"
#include "host/rootfs.h"
#include "host/stage.h"
#include "host/volume.h"

int pst_step_stage(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	char parent[300];
	(void)arg;
	(void)note;
	int rc = pst_stage_make(pst_ctx_stage(a->ctx, parent, sizeof parent), a->state->key,
				a->plan->base, &a->stage, err);
	/* Seen from the host too: `exec` of runc starts in root.path. */
	if (rc == PST_OK)
		rc = pst_stage_slot(a->stage, "root", true, err);
	return rc;
}

int pst_step_stage_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			struct pst_err *err)
{
	char parent[300];
	(void)arg;
	(void)note;
	return pst_stage_remove(pst_ctx_stage(u->ctx, parent, sizeof parent), u->state->key, err);
}

/* From here on mounts of ours are seen by us and by what we start, by nobody else. */
static int go_private(struct pst_apply *a, struct pst_err *err)
{
	char parent[300];
	int rc = pst_apply_mark(a, err);
	if (rc == PST_OK)
		rc = pst_stage_private(err);
	if (rc != PST_OK)
		return rc;
	pst_fd_close(PST_TAKE_FD(a->stage));
	return pst_stage_open(pst_ctx_stage(a->ctx, parent, sizeof parent), a->state->key, &a->stage,
			      err);
}

static int build_overlay(struct pst_apply *a, const json_t *arg, bool live, int *ret,
			 struct pst_err *err)
{
	pst_auto_ovl layout = {0};
	pst_auto_fd scratch = -1;
	char source[64];
	struct pst_overlay_how how = {.base = a->plan->base, .userns = a->userns, .scratch = -1,
				      .source = source, .live = live};
	const json_t *facts_form = json_object_get(arg, "form");
	int rc = pst_ovl_from_json(json_object_get(arg, "layout"), &layout, err);
	if (rc != PST_OK)
		return rc;
	if (!pst_overlay_form_parse(json_string_value(facts_form), &how.form))
		return pst_fail(err, PST_E_BUG, "", "the plan does not say how layers are handed over");
	if (how.form == PST_OVERLAY_ATTACHED) {
		rc = pst_stage_slot(a->stage, "scratch", true, err);
		scratch = rc != PST_OK ? -1
				       : pst_host->openat(a->stage, "scratch",
							  O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (rc != PST_OK)
			return rc;
		if (scratch < 0)
			return pst_fail_sys(err, "cannot open the scratch directory");
		how.scratch = scratch;
	}
	pst_apply_source(a->state->key, source);
	return pst_overlay_build(&layout, &how, ret, err);
}

/* Somebody else's overlay is covered at its own path, in the host's mount
 * namespace, so that the engine's tools see what the container sees. */
static int overlay_root(struct pst_apply *a, const json_t *arg, int *ret, struct pst_err *err)
{
	const bool cover = strcmp(pst_step_text(arg, "kind"), "overlay") == 0;
	const char *path = pst_step_text(arg, "path");
	pst_auto_fd mnt = -1;
	int rc = build_overlay(a, arg, cover, &mnt, err);
	if (rc != PST_OK || !cover) {
		*ret = PST_TAKE_FD(mnt);
		return rc;
	}
	struct pst_cover mark;
	pst_auto_fd under = pst_host->openat(AT_FDCWD, path,
					     O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (under < 0)
		return pst_fail_sys(err, "cannot open the rootfs %s", path);
	return pst_stage_cover(path, under, mnt, &mark, ret, err);
}

static int plain_root(struct pst_apply *a, const json_t *arg, int *ret, struct pst_err *err)
{
	enum pst_idmap_kind kind;
	const char *path = pst_step_text(arg, "path");
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path,
					  O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the rootfs %s", path);
	return pst_rootfs_clone(fd, a->userns, &kind, ret, err);
}

int pst_step_rootfs(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)note;
	pst_auto_fd mnt = -1;
	const bool plain = strcmp(pst_step_text(arg, "kind"), "dir") == 0;
	int rc = plain ? plain_root(a, arg, &mnt, err) : overlay_root(a, arg, &mnt, err);
	if (rc == PST_OK)
		rc = go_private(a, err);
	if (rc == PST_OK)
		rc = pst_stage_attach(a->stage, "root", mnt, err);
	return rc;
}

int pst_step_rootfs_undo(struct pst_undo *u, const json_t *arg, const json_t *note,
			 struct pst_err *err)
{
	(void)note;
	if (strcmp(pst_step_text(arg, "kind"), "overlay") != 0)
		return PST_OK; /* it hung in the private namespace, which is gone */
	struct pst_cover mark = {0};
	pst_apply_source(u->state->key, mark.source);
	pst_auto_ovl layout = {0};
	int rc = pst_stage_uncover(pst_step_text(arg, "path"), &mark, NULL, err);
	/* The work directory of the cover lies beside the engine's own. */
	if (rc == PST_OK)
		rc = pst_ovl_from_json(json_object_get(arg, "layout"), &layout, err);
	return rc == PST_OK ? pst_overlay_forget(&layout, err) : rc;
}

int pst_step_volume(struct pst_apply *a, const json_t *arg, json_t **note, struct pst_err *err)
{
	(void)note;
	pst_auto_fd bundle = pst_host->openat(AT_FDCWD, a->record->bundle,
					      O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (bundle < 0)
		return pst_fail_sys(err, "cannot open the bundle %s", a->record->bundle);
	pst_auto_volume v = PST_VOLUME_EMPTY;
	int rc = pst_volume_open(bundle, pst_step_text(arg, "source"), &v, err);
	if (rc != PST_OK)
		return rc;
	/* Policy judged the path it was then: a link swapped since must not pass. */
	if (strcmp(v.path, pst_step_text(arg, "canonical")) != 0)
		return pst_fail(err, PST_E_STATE, "", "%s led to %s and now leads to %s",
				pst_step_text(arg, "source"), pst_step_text(arg, "canonical"), v.path);

	char name[32];
	pst_auto_fd mnt = -1;
	const struct pst_idmap_how how = {
		.userns = a->userns,
		.recursive = json_is_true(json_object_get(arg, "recursive")),
		.slave = json_is_true(json_object_get(arg, "slave")),
	};
	rc = pst_idmap_clone(v.fd, &how, &mnt, err);
	if (rc != PST_OK) {
		(void)pst_err_prefix(err, "volume %s", v.path);
		return rc;
	}
	snprintf(name, sizeof name, "v%lld", (long long)json_integer_value(json_object_get(arg, "index")));
	return pst_stage_attach(a->stage, name, mnt, err);
}

/* How much a container may write into its own layer. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/oneline.h"
#include "core/plan_priv.h"

/* What the facts say of the root file system's writable directory. */
static const json_t *root_place(const struct pst_work *w)
{
	const json_t *list = pst_json_at(w->facts->tree, "/bundle/disks");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		if (pst_streq(pst_json_str(json_object_get(p, "pointer")), "/root/path"))
			return p;
	}
	return NULL;
}

static const char *text(const json_t *place, const char *key)
{
	const char *s = pst_json_str(json_object_get(place, key));
	return s == NULL ? "" : s;
}

static int not_enforced(struct pst_work *w, const char *why, struct pst_err *err)
{
	char rule[320];
	pst_fail(err, PST_E_POLICY, "/root/path", "the size of the container's own layer cannot be enforced: %s",
		 why);
	pst_policy_source(w->policy, "/limits/disk/quota", rule, sizeof rule);
	pst_err_rule(err, rule);
	return pst_err_cure(err, "keep the engine's storage on btrfs, a subvolume a container, with quotas on; or "
				 "set /limits/disk/quota to \"advisory\"");
}

/* Does the policy or the workload limit the layer? */
static bool limited(const struct pst_work *w)
{
	return (w->policy->disk[PST_DISK_SIZE].has_max || w->tighten.has_disk[PST_DISK_SIZE]) &&
	       !w->spec->root_readonly;
}

/*
 * Whoever may write into a directory of btrfs may make a subvolume there, which has a quota
 * group of its own: its size would not count. An overlay passes no such request on.
 */
static bool can_leave(const struct pst_work *w)
{
	const json_t *place = root_place(w);
	return limited(w) && text(place, "quota")[0] != '\0' && json_is_true(json_object_get(place, "grown"));
}

/*
 * Requests of btrfs that carry a name (struct btrfs_ioctl_vol_args, linux/btrfs.h): SUBVOL_CREATE and
 * SNAP_CREATE in both versions, and, since they are of that form, DEFRAG, SNAP_DESTROY and such as need a
 * right no container has. Requests for single files (FICLONE) have another size.
 */
#define BY_NAME UINT64_C(0x50009400)
#define BY_NAME_MASK UINT64_C(0xffffff00)

int pst_plan_disk_filter(const struct pst_work *w, struct pst_scprof *p, json_t *reasons,
			 struct pst_err *err)
{
	const struct pst_sc *sc = pst_sctable_name("ioctl");
	const struct pst_box box = {.arg[1] = {.value = BY_NAME, .mask = BY_NAME_MASK}};
	if (!can_leave(w))
		return PST_OK;
	struct pst_scslot *s = &p->slot[sc->slot];
	if (s->n == 0 && pst_scret_denies(p->def))
		return PST_OK;
	static const struct pst_box all;
	if ((s->n == 0 && !pst_scslot_add(s, &all, p->def)) || !pst_scslot_add(s, &box, SECCOMP_RET_ERRNO | EPERM))
		return pst_fail_nomem(err);
	/* Too many conditions close the call whole. */
	if (pst_scslot_settle(s, p->def, sc->ints) == PST_E_NOMEM)
		return pst_fail_nomem(err);
	json_t *why = json_object_get(reasons, "why");
	if (json_is_array(why) &&
	    json_array_append_new(why, json_pack("{s:[s], s:s, s:[[{s:i, s:I, s:I, s:s}]], s:s}", "calls", "ioctl",
						 "action", "EPERM", "args", "index", 1, "value",
						 (json_int_t)BY_NAME_MASK, "valueTwo", (json_int_t)BY_NAME, "op",
						 "SCMP_CMP_MASKED_EQ", "why",
						 "a btrfs subvolume of its own would not count in the size of the layer")) != 0)
		return pst_fail_nomem(err);
	return PST_OK;
}

/* The keeper looks now and then, and stops a container it finds above the limit. */
static int watched(struct pst_work *w, const json_t *place, const char *why, struct pst_err *err)
{
	const char *path = text(place, "path"), *source = w->size_source;
	const bool seen = !json_is_false(json_object_get(place, "visible"));
	if (w->policy->quota_required)
		return not_enforced(w, why, err);
	if (w->facts->listener[0] == '\0' || !seen || path[0] == '\0' || strpbrk(path, "\t\n") != NULL) {
		pst_note_add(&w->plan->notes, "/root/path", source,
			     "the size of the container's own layer is neither enforced (%s) nor watched: %s", why,
			     w->facts->listener[0] == '\0' ? "the caller is not root" : "no path of the host leads to it");
		return PST_OK;
	}
	w->size_path = path;
	w->size_grown = json_is_true(json_object_get(place, "grown"));
	pst_note_add(&w->plan->notes, "/root/path", source,
		     "no more than %" PRIu64 " bytes in the container's own layer, watched and not enforced "
		     "(%s): it is stopped when it is found above",
		     w->size, why);
	return PST_OK;
}

static int enforced(struct pst_work *w, const json_t *place, struct pst_err *err)
{
	const bool dir = can_leave(w);
	if (dir && w->plan->filter == NULL) /* both: the quota for all but those */
		return watched(w, place, "no filter of postern's keeps it from making btrfs subvolumes, which its "
			       "quota does not count", err);
	pst_note_add(&w->plan->notes, "/root/path", w->size_source,
		     "no more than %" PRIu64 " bytes in the container's own layer, enforced by the file system%s",
		     w->size, dir ? "; btrfs subvolumes, which would not count, cannot be made inside" : "");
	return PST_OK;
}

int pst_plan_disk(struct pst_work *w, struct pst_err *err)
{
	const struct pst_limit *l = &w->policy->disk[PST_DISK_SIZE];
	const uint64_t wish = w->tighten.disk[PST_DISK_SIZE];
	if (!limited(w))
		return PST_OK;
	const bool mine = w->tighten.has_disk[PST_DISK_SIZE] && (!l->has_max || wish <= l->max);
	w->size = mine ? wish : l->max;
	if (mine)
		snprintf(w->size_source, sizeof w->size_source, "annotation postern/disk-size");
	else
		pst_policy_source(w->policy, "/limits/disk/size", w->size_source, sizeof w->size_source);
	const json_t *place = root_place(w);
	const char *dir = text(place, "quota");
	if (dir[0] == '\0')
		return watched(w, place, text(place, "noQuota"), err);
	const int rc = enforced(w, place, err);
	if (rc != PST_OK)
		return rc;
	return pst_work_step(w, "quota",
			     json_pack("{s:s, s:o, s:b}", "dir", dir, "bytes", pst_json_from_u64(w->size),
				       "grown", (int)json_is_true(json_object_get(place, "grown"))),
			     err);
}

void pst_plan_size_watch(const struct pst_work *w, struct pst_buf *out)
{
	if (w->size_path == NULL)
		return;
	pst_buf_fmt(out, "limit\tdisk-size\t%" PRIu64 "\t", w->size);
	pst_oneline(out, w->size_source);
	pst_buf_fmt(out, "\ntree\tdisk-size\t%s\t%s\n", w->size_grown ? "grown" : "all", w->size_path);
}

/* How much a container may write into its own layer. */
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

/* The keeper looks now and then, and stops a container it finds above the limit. */
static int watched(struct pst_work *w, const json_t *place, const char *source, struct pst_err *err)
{
	const char *path = text(place, "path");
	const bool seen = !json_is_false(json_object_get(place, "visible"));
	char why[400];
	snprintf(why, sizeof why, "%.380s", text(place, "noQuota"));
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

int pst_plan_disk(struct pst_work *w, struct pst_err *err)
{
	const struct pst_limit *l = &w->policy->disk[PST_DISK_SIZE];
	const bool own = w->tighten.has_disk[PST_DISK_SIZE];
	const uint64_t wish = w->tighten.disk[PST_DISK_SIZE];
	if ((!l->has_max && !own) || w->spec->root_readonly)
		return PST_OK;
	const bool mine = own && (!l->has_max || wish <= l->max);
	w->size = mine ? wish : l->max;
	if (mine)
		snprintf(w->size_source, sizeof w->size_source, "annotation postern/disk-size");
	else
		pst_policy_source(w->policy, "/limits/disk/size", w->size_source, sizeof w->size_source);
	const json_t *place = root_place(w);
	const char *dir = text(place, "quota");
	if (dir[0] == '\0')
		return watched(w, place, w->size_source, err);
	pst_note_add(&w->plan->notes, "/root/path", w->size_source,
		     "no more than %" PRIu64 " bytes in the container's own layer, enforced by the file system",
		     w->size);
	return pst_work_step(w, "quota",
			     json_pack("{s:s, s:o, s:b, s:O?}", "dir", dir, "bytes", pst_json_from_u64(w->size),
				       "grown", (int)json_is_true(json_object_get(place, "grown")), "was",
				       json_object_get(place, "quotaWas")),
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

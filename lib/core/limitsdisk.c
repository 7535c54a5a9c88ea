/* How fast a container may use each disk it writes to. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"

/* In the order of enum pst_disk. */
static const struct rate {
	const char *key, *list, *annotation, *what;
} rates[] = {
	[PST_DISK_READ_BPS] = {"/limits/disk/readBps", "throttleReadBpsDevice",
			       "annotation postern/disk-read", "reads of disk %u:%u in bytes a second"},
	[PST_DISK_WRITE_BPS] = {"/limits/disk/writeBps", "throttleWriteBpsDevice",
				"annotation postern/disk-write", "writes to disk %u:%u in bytes a second"},
	[PST_DISK_READ_IOPS] = {"/limits/disk/readIops", "throttleReadIOPSDevice",
				"annotation postern/disk-read-iops", "reads of disk %u:%u a second"},
	[PST_DISK_WRITE_IOPS] = {"/limits/disk/writeIops", "throttleWriteIOPSDevice",
				 "annotation postern/disk-write-iops", "writes to disk %u:%u a second"},
};

#define DEVICES_MAX 64

struct device {
	uint32_t major, minor;
};

struct disks {
	struct device v[DEVICES_MAX];
	size_t n;
};

static struct pst_bound bound_of(const struct pst_policy *p, const struct pst_tighten *t, size_t i,
				 const char *what)
{
	return (struct pst_bound){.policy = &p->disk[i], .pointer = rates[i].key, .what = what,
				  .own = t->has_disk[i], .own_max = t->disk[i],
				  .annotation = rates[i].annotation, .plain = true};
}

static bool any_rate(const struct pst_policy *p, const struct pst_tighten *t)
{
	for (size_t i = 0; i < PST_NELEM(rates); i++)
		if (p->disk[i].has_max || t->has_disk[i])
			return true;
	return false;
}

static bool names(const json_t *entry, struct device d)
{
	uint64_t major, minor;
	return pst_json_u64(json_object_get(entry, "major"), &major) && major == d.major &&
	       pst_json_u64(json_object_get(entry, "minor"), &minor) && minor == d.minor;
}

/* An entry the document has for this device; 0 takes a limit away, to the kernel. */
static int lower_entry(struct pst_judge *j, const char *list, size_t i, const struct pst_bound *b,
		       struct pst_err *err)
{
	char tail[80], p[112];
	struct pst_asked a = {.how = PST_ASK_SOME};
	struct pst_verdict v;
	snprintf(tail, sizeof tail, "%s/%zu/rate", list, i);
	snprintf(p, sizeof p, "%s%s", j->prefix, tail);
	if (!pst_json_u64(pst_json_at(j->root, p), &a.v))
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be a whole number", p);
	if (a.v == 0)
		a = (struct pst_asked){.how = PST_ASK_UNLIMITED, .zero = true};
	const int rc = pst_judge_decide(j, b, a, p, &v, err);
	if (rc == PST_OK && v.change)
		pst_edit_set(j->edits, p, pst_json_from_u64(v.v), v.source, "%s lowered to the ceiling",
			     b->what);
	return rc;
}

/* One rate of one device. *made: the list is there, or an earlier edit makes it. */
static int judge_device(struct pst_judge *j, size_t r, struct device d, const struct pst_tighten *t,
			bool *made, struct pst_err *err)
{
	char tail[64], p[96], what[64];
	struct pst_verdict v;
	bool found = false;
	snprintf(what, sizeof what, rates[r].what, d.major, d.minor);
	const struct pst_bound b = bound_of(j->policy, t, r, what);
	snprintf(tail, sizeof tail, "/blockIO/%s", rates[r].list);
	const json_t *list = pst_json_at(j->root, pst_judge_at(j, tail, p));
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!names(json_array_get(list, i), d))
			continue;
		found = true;
		const int rc = lower_entry(j, tail, i, &b, err);
		if (rc != PST_OK)
			return rc;
	}
	if (found)
		return PST_OK;
	const int rc = pst_judge_decide(j, &b, (struct pst_asked){.how = PST_ASK_NOTHING}, p, &v, err);
	if (rc != PST_OK || !v.change)
		return rc;
	if (!*made)
		pst_edit_set(j->edits, p, json_array(), "spec /linux/resources", "there are none");
	*made = true;
	snprintf(p + strlen(p), sizeof p - strlen(p), "/-");
	pst_edit_set(j->edits, p,
		     json_pack("{s:I, s:I, s:o}", "major", (json_int_t)d.major, "minor",
			       (json_int_t)d.minor, "rate", pst_json_from_u64(v.v)),
		     v.source, "%s", what);
	return PST_OK;
}

static int list_of(const struct pst_judge *j, size_t r, const json_t **ret, struct pst_err *err)
{
	char p[96];
	snprintf(p, sizeof p, "%s/blockIO/%s", j->prefix, rates[r].list);
	*ret = pst_json_at(j->root, p);
	if (*ret != NULL && !json_is_null(*ret) && !json_is_array(*ret))
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be an array", p);
	return PST_OK;
}

/* io.max is written behind all else, and by names of its own: it could undo every limit. */
static int check_unified(const struct pst_judge *j, const struct pst_tighten *t, struct pst_err *err)
{
	char p[96], rule[320] = "annotations";
	if (pst_json_at(j->root, pst_judge_at(j, "/unified/io.max", p)) == NULL)
		return PST_OK;
	pst_fail(err, PST_E_POLICY, p, "%s would replace the limits of the disks", p);
	for (size_t i = 0; i < PST_NELEM(rates); i++)
		if (j->policy->disk[i].has_max || t->has_disk[i]) {
			const struct pst_bound b = bound_of(j->policy, t, i, "");
			pst_judge_source(j, &b, "", rule, sizeof rule);
		}
	pst_err_rule(err, rule);
	return pst_err_cure(err, "say it by device in linux.resources.blockIO, or by annotations postern/disk-*");
}

static void note(struct pst_notes *notes, const char *pointer, const char *path, const char *why)
{
	pst_note_add(notes, pointer, "fact: block devices", "no disk rate holds for %.300s: %s", path, why);
}

/* Every device of the facts once, and a remark for each place that has none. */
static int gather(const json_t *facts, struct disks *ret, struct pst_notes *notes, struct pst_err *err)
{
	const json_t *list = pst_json_at(facts, "/bundle/disks");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *place = json_array_get(list, i);
		const json_t *devices = json_object_get(place, "devices");
		const char *pointer = pst_json_str(json_object_get(place, "pointer"));
		const char *path = pst_json_str(json_object_get(place, "path"));
		const char *why = pst_json_str(json_object_get(place, "why"));
		if (pointer == NULL || path == NULL || why == NULL)
			return pst_fail(err, PST_E_SPEC, "/bundle/disks", "the facts lack a usable /bundle/disks");
		if (json_array_size(devices) == 0)
			note(notes, pointer, path, why);
		for (size_t k = 0; k < json_array_size(devices); k++) {
			const json_t *pair = json_array_get(devices, k);
			struct device d = {
				(uint32_t)json_integer_value(json_array_get(pair, 0)),
				(uint32_t)json_integer_value(json_array_get(pair, 1)),
			};
			size_t have = 0;
			while (have < ret->n && (ret->v[have].major != d.major || ret->v[have].minor != d.minor))
				have++;
			if (have == DEVICES_MAX)
				return pst_fail(err, PST_E_POLICY, "/mounts",
						"the container writes to more than %d disks, which cannot all "
						"be limited", DEVICES_MAX);
			ret->v[have] = d;
			ret->n += have == ret->n;
		}
	}
	return PST_OK;
}

/* A disk handed in whole is used past every file system, and past this. */
static void note_devices(const json_t *spec, struct pst_notes *notes)
{
	const json_t *list = pst_json_at(spec, "/linux/devices");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char pointer[40];
		const json_t *d = json_array_get(list, i);
		const char *path = pst_json_str(json_object_get(d, "path"));
		if (!pst_streq(pst_json_str(json_object_get(d, "type")), "b"))
			continue;
		snprintf(pointer, sizeof pointer, "/linux/devices/%zu", i);
		pst_note_add(notes, pointer, "spec /linux/devices",
			     "no disk rate holds for %.200s: the block device itself is handed in",
			     path == NULL ? "it" : path);
	}
}

/* What this machine cannot do, said before the runtime fails at it. */
static int check_machine(const struct pst_judge *j, const struct pst_tighten *t,
			 struct pst_notes *notes, struct pst_err *err)
{
	const bool writes = j->policy->disk[PST_DISK_WRITE_BPS].has_max ||
			    j->policy->disk[PST_DISK_WRITE_IOPS].has_max ||
			    t->has_disk[PST_DISK_WRITE_BPS] || t->has_disk[PST_DISK_WRITE_IOPS];
	uint64_t version = 0;
	for (size_t i = 0; i < PST_NELEM(rates); i++) {
		const struct pst_bound b = bound_of(j->policy, t, i, "a disk rate");
		const int rc = !pst_judge_bounded(&b) ? PST_OK
						      : pst_judge_able(j, &b, "/cgroup/throttle",
								       "/linux/resources/blockIO", err);
		if (rc != PST_OK)
			return rc;
	}
	if (writes && pst_json_u64(pst_json_at(j->facts, "/cgroup/version"), &version) && version == 1)
		pst_note_add(notes, "/linux/resources/blockIO", "fact: cgroup version 1",
			     "only direct and synchronous writes are held to the rate: what is written "
			     "through the page cache, the kernel writes out on nobody's account "
			     "(cgroup version 2 knows whose it is)");
	return PST_OK;
}

int pst_limits_disk(const json_t *spec, const struct pst_policy *policy, const struct pst_tighten *t,
		    const json_t *facts, struct pst_edits *edits, struct pst_notes *notes,
		    struct pst_err *err)
{
	struct pst_judge j = {
		.policy = policy, .edits = edits, .root = spec, .prefix = "/linux/resources", .facts = facts};
	struct disks disks = {0};
	if (!any_rate(policy, t))
		return PST_OK;
	int rc = check_unified(&j, t, err);
	if (rc == PST_OK)
		rc = check_machine(&j, t, notes, err);
	if (rc == PST_OK)
		rc = gather(facts, &disks, notes, err);
	if (rc == PST_OK)
		note_devices(spec, notes);
	for (size_t r = 0; rc == PST_OK && r < PST_NELEM(rates); r++) {
		const json_t *list;
		rc = list_of(&j, r, &list, err);
		bool made = json_is_array(list);
		for (size_t i = 0; rc == PST_OK && i < disks.n; i++)
			rc = judge_device(&j, r, disks.v[i], t, &made, err);
	}
	return rc;
}

/* An update does not say which disks are the container's: every entry is held to it. */
int pst_limits_disk_update(struct pst_judge *j, const struct pst_tighten *t, struct pst_err *err)
{
	if (!any_rate(j->policy, t))
		return PST_OK;
	int rc = check_unified(j, t, err);
	for (size_t r = 0; rc == PST_OK && r < PST_NELEM(rates); r++) {
		char tail[64];
		const json_t *list;
		const struct pst_bound b = bound_of(j->policy, t, r, "disk rate");
		snprintf(tail, sizeof tail, "/blockIO/%s", rates[r].list);
		rc = list_of(j, r, &list, err);
		for (size_t i = 0; rc == PST_OK && i < json_array_size(list); i++)
			rc = lower_entry(j, tail, i, &b, err);
	}
	return rc;
}

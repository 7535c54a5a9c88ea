/* What the machine can limit, and the disks a container would write to. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/blockdev.h"
#include "host/dirents.h"
#include "host/factfind_priv.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/mounttab.h"
#include "host/quota.h"

#define CGROUPS "/sys/fs/cgroup"

static bool there(const char *path)
{
	struct stat st;
	return pst_host->fstatat(AT_FDCWD, path, &st, 0) == 0;
}

/* As runtimes decide it: version 2 when that is what is mounted there (runc,
 * cgroups.IsCgroup2UnifiedMode). */
static bool unified(void)
{
	struct statfs fs;
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, CGROUPS, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	return fd >= 0 && pst_host->fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Is a controller in the list the kernel prints: words divided by spaces? */
static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);
	for (const char *s = list; *s != '\0'; s += strcspn(s, " \n") + (s[strcspn(s, " \n")] != '\0'))
		if (strcspn(s, " \n") == len && strncmp(s, word, len) == 0)
			return true;
	return false;
}

/* "hugepages-2048kB" as runtimes name it, "2MB" (config-linux.md, "pageSize"). */
static int page_size(void *arg, const char *name, struct pst_err *err)
{
	unsigned long kib;
	char text[32];
	if (sscanf(name, "hugepages-%lukB", &kib) != 1)
		return PST_OK;
	if (kib >= 1024 * 1024)
		snprintf(text, sizeof text, "%luGB", kib / (1024 * 1024));
	else if (kib >= 1024)
		snprintf(text, sizeof text, "%luMB", kib / 1024);
	else
		snprintf(text, sizeof text, "%luKB", kib);
	return json_array_append_new(arg, json_string(text)) == 0 ? PST_OK : pst_fail_nomem(err);
}

int pst_factfind_cgroup(json_t *out, struct pst_err *err)
{
	char controllers[256] = "";
	const bool v2 = unified();
	if (v2 && pst_io_read_small(AT_FDCWD, CGROUPS "/cgroup.controllers", controllers,
				    sizeof controllers) < 0)
		controllers[0] = '\0';
	pst_auto_json *sizes = json_array();
	pst_auto_fd pages = pst_host->openat(AT_FDCWD, "/sys/kernel/mm/hugepages",
					     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc = sizes == NULL ? pst_fail_nomem(err) : PST_OK;
	if (rc == PST_OK && pages >= 0)
		rc = pst_dirents_each(pages, page_size, sizes, err);
	if (rc != PST_OK)
		return rc;
	/* Version 2 cannot be looked at in its root, where these files are not; whether it
	 * counts swap and throttles was decided when the kernel was built, with the controller. */
	static const struct {
		const char *name, *controller, *file;
	} abilities[] = {
		{"pids", "pids", CGROUPS "/pids"},
		{"memory", "memory", CGROUPS "/memory"},
		{"swap", "memory", CGROUPS "/memory/memory.memsw.limit_in_bytes"},
		{"cpu", "cpu", CGROUPS "/cpu/cpu.cfs_quota_us"},
		{"throttle", "io", CGROUPS "/blkio/blkio.throttle.write_bps_device"},
		{"hugetlb", "hugetlb", CGROUPS "/hugetlb"},
	};
	json_t *c = json_pack("{s:i, s:O}", "version", v2 ? 2 : 1, "hugepages", sizes);
	for (size_t i = 0; i < PST_NELEM(abilities); i++)
		(void)json_object_set_new(c, abilities[i].name,
					  json_boolean(v2 ? has_word(controllers, abilities[i].controller)
							  : there(abilities[i].file)));
	return json_object_set_new(out, "cgroup", c) == 0 ? PST_OK : pst_fail_nomem(err);
}

/* One place the container may write to. NULL without memory. */
static json_t *place(const char *pointer, const char *path, const struct pst_mounttab *tab)
{
	struct pst_blockdevs d = {.why = "it cannot be opened"};
	json_t *devices = json_array();
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd >= 0)
		pst_blockdevs_of(fd, path, tab, &d);
	for (size_t i = 0; i < d.n; i++)
		(void)json_array_append_new(devices, json_pack("[I, I]", (json_int_t)d.v[i].major,
							       (json_int_t)d.v[i].minor));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "pointer", pointer, "path", path, "fs", d.fs, "why",
			 d.why, "devices", devices);
}

/* Is there nothing to say of what is mounted there: files of the kernel's own, or memory? */
static bool is_no_disk(const char *path, const char *fs)
{
	struct statfs st;
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	return pst_streq(fs, "tmpfs") || pst_streq(fs, "ramfs") ||
	       (fd >= 0 && pst_host->fstatfs(fd, &st) == 0 && st.f_blocks == 0);
}

/* What is mounted below comes along with a recursive bind, each with disks of its own. */
static int add_below(json_t *list, const char *pointer, const char *path, const struct pst_mounttab *tab,
		     struct pst_err *err)
{
	for (size_t i = 0; i < tab->n; i++) {
		const struct pst_mountinfo *m = &tab->v[i];
		if (!pst_path_under(m->point, path) || pst_streq(m->point, path) || m->readonly ||
		    pst_mountinfo_at(tab, m->point) != m)
			continue;
		pst_auto_json *p = place(pointer, m->point, tab);
		if (json_array_size(json_object_get(p, "devices")) == 0 && is_no_disk(m->point, m->fstype))
			continue;
		if (json_array_append(list, p) != 0)
			return pst_fail_nomem(err);
	}
	return PST_OK;
}

/* How its size could be limited. */
static bool add_size(json_t *place, const char *path, bool dir, bool hidden)
{
	struct pst_quota q = {.why = "it is mounted for the container alone"};
	if (!hidden && pst_quota_find(path, !dir, &q)) {
		if (json_object_set_new(place, "quota", json_string(q.dir)) != 0)
			return false;
	} else if (json_object_set_new(place, "noQuota", json_string(q.why)) != 0) {
		return false;
	}
	return json_object_set_new(place, "grown", json_boolean(dir)) == 0 &&
	       json_object_set_new(place, "visible", json_boolean(!hidden)) == 0;
}

/* The directory new files of the root file system land in; NULL if nothing does. */
static const char *writable_root(const struct pst_spec *spec, const json_t *bundle)
{
	const char *kind = pst_json_str(pst_json_at(bundle, "/rootfs/kind"));
	if (spec->root_readonly || kind == NULL || pst_streq(kind, "missing"))
		return NULL;
	return pst_json_str(pst_json_at(bundle, pst_streq(kind, "dir") ? "/rootfs/path"
								       : "/rootfs/layout/upper"));
}

int pst_factfind_disks(const struct pst_spec *spec, bool hidden_root, json_t *bundle, struct pst_err *err)
{
	pst_auto_mounttab tab = {0};
	json_t *list = json_array();
	if (json_object_set_new(bundle, "disks", list) != 0)
		return pst_fail_nomem(err);
	const int rc = pst_mounttab_read(&tab, err);
	if (rc != PST_OK)
		return rc;
	const char *root = writable_root(spec, bundle);
	if (root != NULL) {
		json_t *p = place("/root/path", root, &tab);
		const bool dir = pst_streq(pst_json_str(pst_json_at(bundle, "/rootfs/kind")), "dir");
		if (json_array_append_new(list, p) != 0 || !add_size(p, root, dir, hidden_root))
			return pst_fail_nomem(err);
		const int below = dir ? add_below(list, "/root/path", root, &tab, err) : PST_OK;
		if (below != PST_OK)
			return below;
	}
	const json_t *mounts = json_object_get(bundle, "mounts");
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		char pointer[32];
		uint64_t index;
		const json_t *m = json_array_get(mounts, i);
		const char *kind = pst_json_str(json_object_get(m, "kind"));
		if (!pst_json_u64(json_object_get(m, "index"), &index) || index >= spec->nmounts ||
		    spec->mounts[index].readonly || (!pst_streq(kind, "dir") && !pst_streq(kind, "file")))
			continue;
		const char *source = json_string_value(json_object_get(m, "source"));
		snprintf(pointer, sizeof pointer, "/mounts/%zu", (size_t)index);
		if (json_array_append_new(list, place(pointer, source, &tab)) != 0)
			return pst_fail_nomem(err);
		const int below = spec->mounts[index].recursive ? add_below(list, pointer, source, &tab, err) : PST_OK;
		if (below != PST_OK)
			return below;
	}
	return PST_OK;
}

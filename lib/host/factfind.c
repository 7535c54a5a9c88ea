#include "host/factfind.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "core/ovl.h"
#include "host/factfind_priv.h"
#include "host/hostops.h"
#include "host/idmap.h"
#include "host/io.h"
#include "host/mounttab.h"
#include "host/overlay.h"
#include "host/rootfs.h"
#include "host/state.h"
#include "host/volume.h"

#define PROBE_CACHE "probe.cache"

/* What the kernel can do does not change between boots, and a boot empties the
 * state directory; the release guards one that is kept. */
static int overlay_form(struct pst_ctx *c, const char *release, enum pst_overlay_form *ret,
			struct pst_err *err)
{
	char text[256], have[200], word[32];
	if (c->sd.fd >= 0 && pst_io_read_small(c->sd.fd, PROBE_CACHE, text, sizeof text) > 0 &&
	    sscanf(text, "%199s %31s", have, word) == 2 && strcmp(have, release) == 0 &&
	    pst_overlay_form_parse(word, ret))
		return PST_OK;
	const int rc = pst_overlay_probe(ret, err);
	/* A no is not kept: it may be for want of a right of this one caller. */
	if (rc != PST_OK || c->sd.fd < 0 || *ret == PST_OVERLAY_NONE)
		return rc;
	const int n = snprintf(text, sizeof text, "%s %s\n", release, pst_overlay_form_name(*ret));
	/* A cache: without it the next one probes again. */
	(void)!pst_io_replace(c->sd.fd, PROBE_CACHE, text, (size_t)n, 0600, NULL);
	return PST_OK;
}

static int machine(struct pst_ctx *c, const struct pst_factfind *f, json_t *out, struct pst_err *err)
{
	struct utsname u;
	enum pst_overlay_form form = PST_OVERLAY_NONE;
	if (pst_host->uname(&u) != 0)
		return pst_fail_sys(err, "uname");
	if (c->full_root) {
		const int rc = overlay_form(c, u.release, &form, err);
		if (rc != PST_OK)
			return rc;
	}
	const struct pst_runtime *rt = &c->rt;
	const bool old = strcmp(rt->name, "runc") == 0 && !pst_runver_at_least(rt, "runc", 1, 2, 0);
	json_t *m = json_pack(
		"{s:i, s:{s:s, s:b, s:s}, s:{s:b}, s:{s:s, s:s, s:[i,i,i], s:b, s:b, s:b}, s:{s:I}}", "version",
		1, "kernel", "release", u.release, "idmap", (int)(form != PST_OVERLAY_NONE), "overlay",
		pst_overlay_form_name(form), "caller", "root", (int)c->full_root, "runtime", "path",
		rt->path, "name", rt->name, "version", rt->version[0], rt->version[1], rt->version[2],
		"joinsNetns", (int)pst_runver_joins_netns(rt), "seccompFlags", (int)!old, "notify",
		(int)pst_runver_notifies(rt), "ids", "base",
		(json_int_t)f->base);
	const int rc = m == NULL ? -1 : json_object_update(out, m);
	json_decref(m);
	if (rc == 0 && f->second != 0)
		(void)json_object_set_new(json_object_get(out, "ids"), "second",
					  json_integer((json_int_t)f->second));
	return rc == 0 ? PST_OK : pst_fail_nomem(err);
}

/* Can every layer be mapped? The first that cannot is named in `why`. */
static bool layers_map(const struct pst_ovl_layout *l, int userns, char *why, size_t size)
{
	for (size_t i = 0; i <= l->n; i++) {
		const char *dir = i < l->n ? l->lower[i] : l->upper;
		if (dir == NULL)
			continue;
		pst_auto_fd fd = pst_host->openat(AT_FDCWD, dir, O_PATH | O_CLOEXEC, 0);
		if (fd < 0 || (userns >= 0 && pst_idmap_probe(fd, userns, false) == PST_IDMAP_NONE)) {
			snprintf(why, size, "its layer %s %s", dir,
				 fd < 0 ? "cannot be opened" : "is on a file system that refuses an id map");
			return false;
		}
	}
	return true;
}

static json_t *rootfs_json(const char *kind, const char *path, const char *map, const char *why,
			   const struct pst_ovl_layout *layout)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "kind", kind, "path", path, "map", map, "why", why);
	if (o != NULL && layout != NULL && json_object_set_new(o, "layout", pst_ovl_json(layout)) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *layers_fact(const struct pst_factfind *f)
{
	struct pst_ovl_layout l = {.lower = (char **)(uintptr_t)f->layers, .n = f->nlayers,
				   .upper = (char *)(uintptr_t)f->upper,
				   .work = (char *)(uintptr_t)f->work};
	char why[400] = "";
	const bool ok = layers_map(&l, f->userns, why, sizeof why);
	return rootfs_json("layers", f->upper == NULL ? "" : f->upper, ok ? "flat" : "none", why, &l);
}

static json_t *rootfs_fact(const struct pst_factfind *f, const struct pst_spec *spec)
{
	if (f->nlayers != 0)
		return layers_fact(f);
	pst_auto_rootfs r = PST_ROOTFS_EMPTY;
	struct pst_err why = {0};
	char text[400] = "";
	if (pst_rootfs_open(f->bundle, spec->root_path, &r, &why) != PST_OK)
		return rootfs_json("missing", spec->root_path, "none", why.msg, NULL);
	if (r.kind == PST_ROOTFS_OTHER)
		return rootfs_json("overlay", r.path, "none",
				   r.layout.unsupported != NULL ? r.layout.unsupported : "unknown kind", NULL);
	if (r.kind == PST_ROOTFS_OVERLAY) {
		const bool ok = layers_map(&r.layout, f->userns, text, sizeof text);
		return rootfs_json("overlay", r.path, ok ? "flat" : "none", text, &r.layout);
	}
	const enum pst_idmap_kind k = f->userns < 0 ? PST_IDMAP_RECURSIVE
						    : pst_idmap_probe(r.fd, f->userns, true);
	if (k == PST_IDMAP_NONE)
		snprintf(text, sizeof text, "its file system (type 0x%x) refuses an id map", r.magic);
	return rootfs_json("dir", r.path, pst_idmap_kind_name(k), text, NULL);
}

static const char *const kind_words[] = {
	[PST_VOLUME_DIR] = "dir",   [PST_VOLUME_FILE] = "file", [PST_VOLUME_SOCKET] = "socket",
	[PST_VOLUME_CHAR] = "chr",  [PST_VOLUME_BLOCK] = "blk", [PST_VOLUME_FIFO] = "fifo",
};

static json_t *mount_fact(const struct pst_factfind *f, int bundle, const struct pst_mount *m,
			  const struct pst_mounttab *tab)
{
	pst_auto_volume v = PST_VOLUME_EMPTY;
	if (pst_volume_open(bundle, m->source, &v, NULL) != PST_OK)
		return json_pack("{s:I, s:s, s:s}", "index", (json_int_t)m->index, "source", m->source,
				 "kind", "missing");
	const bool plain = v.kind == PST_VOLUME_DIR || v.kind == PST_VOLUME_FILE;
	const enum pst_idmap_kind k =
		!plain ? PST_IDMAP_NONE
		: f->userns < 0 ? PST_IDMAP_RECURSIVE
				: pst_idmap_probe(v.fd, f->userns, m->recursive);
	const struct pst_mountinfo *on = pst_mountinfo_of(tab, v.path);
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s}", "index", (json_int_t)m->index, "source", v.path,
			      "kind", kind_words[v.kind], "map", pst_idmap_kind_name(k), "fs",
			      on == NULL ? "unknown" : on->fstype);
	static const char *const flags[] = {"ro", "nosuid", "nodev", "noexec"};
	for (size_t i = 0; o != NULL && on != NULL && i < PST_NELEM(flags); i++)
		if (pst_mountinfo_has(on, flags[i]))
			(void)json_object_set_new(o, flags[i], json_true());
	return o;
}

/* Could a container that joins these namespaces belong to the sandbox of this key? It joins some, and none of those
 * whose container is known is another's; one that the host made says nothing either way. */
static bool may_be_in(const json_t *namespaces, const char *key)
{
	const char *type;
	json_t *v;
	bool other = false;
	json_object_foreach((json_t *)(uintptr_t)namespaces, type, v) {
		const char *whose = pst_json_str(json_object_get(v, "key"));
		other = other || (whose != NULL && strcmp(whose, key) != 0);
	}
	return json_object_size(namespaces) > 0 && !other;
}

/*
 * The pod's sandbox, by the annotation the engine writes. It is believed for a container
 * that this runtime root has and whose namespaces are joined, and only to tell whose files lie in a folder of that name.
 */
static json_t *sandbox_fact(struct pst_ctx *c, const struct pst_spec *spec, const json_t *namespaces)
{
	static const char *const keys[] = {"io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"};
	for (size_t i = 0; i < PST_NELEM(keys); i++) {
		const char *id = pst_json_str(json_object_get(spec->annotations, keys[i]));
		pst_auto_state st = PST_STATE_NONE;
		char key[33];
		if (id != NULL && c->sd.fd >= 0 && pst_ctx_key(c, id, key, NULL) == PST_OK &&
		    may_be_in(namespaces, key) && pst_state_open(&c->sd, key, PST_LOCK_NONE, &st, NULL) == PST_OK)
			return json_string(id);
	}
	return NULL;
}

static int mounts_fact(const struct pst_factfind *f, const struct pst_spec *spec, json_t *out,
		       struct pst_err *err)
{
	pst_auto_mounttab tab = {0};
	pst_auto_fd bundle = -1;
	for (size_t i = 0; i < spec->nmounts; i++) {
		const struct pst_mount *m = &spec->mounts[i];
		if (!m->bind)
			continue;
		if (bundle < 0) { /* the mount table is read for the first bind only */
			const int rc = pst_mounttab_read(&tab, err);
			if (rc != PST_OK)
				return rc;
			bundle = pst_host->openat(AT_FDCWD, f->bundle,
						  O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
			if (bundle < 0)
				return pst_fail_sys(err, "cannot open the bundle %s", f->bundle);
		}
		if (json_array_append_new(out, mount_fact(f, bundle, m, &tab)) != 0)
			return pst_fail_nomem(err);
	}
	return PST_OK;
}

static int bundle_facts(struct pst_ctx *c, const struct pst_factfind *f, const struct pst_spec *spec,
			json_t *out, struct pst_err *err)
{
	json_t *mounts = json_array(), *namespaces = json_object();
	pst_auto_json *b = json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o}", "path", f->bundle, "stage",
				     f->stage, "listener", f->listener, "rootfs", rootfs_fact(f, spec), "mounts", mounts, "namespaces",
				     namespaces);
	if (b == NULL)
		return pst_fail(err, PST_E_SPEC, "/root/path",
				"a path of the bundle is not UTF-8, or memory is short");
	int rc = mounts_fact(f, spec, mounts, err);
	if (rc == PST_OK)
		rc = pst_factfind_ns(c, spec, namespaces, err);
	json_t *sandbox = rc == PST_OK ? sandbox_fact(c, spec, namespaces) : NULL;
	if (sandbox != NULL && json_object_set_new(b, "sandbox", sandbox) != 0)
		rc = pst_fail_nomem(err);
	if (rc == PST_OK && f->disks)
		rc = pst_factfind_disks(spec, f->hidden_root, b, err);
	if (rc == PST_OK && json_object_set(out, "bundle", b) != 0)
		rc = pst_fail_nomem(err);
	return rc;
}

int pst_factfind(struct pst_ctx *c, const struct pst_factfind *f, const struct pst_spec *spec,
		 json_t **ret, struct pst_err *err)
{
	pst_auto_json *out = json_object();
	if (out == NULL)
		return pst_fail_nomem(err);
	int rc = machine(c, f, out, err);
	if (rc == PST_OK)
		rc = pst_factfind_cgroup(out, err);
	if (rc == PST_OK && f->bundle != NULL)
		rc = bundle_facts(c, f, spec, out, err);
	if (rc == PST_OK)
		*ret = PST_TAKE(out);
	return rc;
}

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/plan_priv.h"

static bool is_shared_prop(const char *p)
{
	return p != NULL && (strcmp(p, "shared") == 0 || strcmp(p, "rshared") == 0);
}

/* The runtime is started elsewhere than in the caller's bundle: a relative rootfs
 * becomes absolute. */
static void absolute_root(struct pst_work *w)
{
	if (w->spec->root_path[0] != '/')
		pst_edit_set(&w->plan->edits, "/root/path", json_string(w->facts->rootfs_path),
			     "spec /root/path", "the same directory by its absolute path");
}

int pst_plan_rootfs(struct pst_work *w, struct pst_err *err)
{
	const struct pst_facts *f = w->facts;
	char root[512];
	if (!w->moved) {
		absolute_root(w);
		return PST_OK;
	}
	if (is_shared_prop(w->spec->rootfs_propagation)) {
		pst_fail(err, PST_E_SPEC, "/linux/rootfsPropagation",
			 "mounts made in a user namespace cannot propagate to the host");
		return pst_err_cure(err, "use \"slave\" or \"private\" propagation");
	}

	int rc = pst_work_step(w, "stage",
			       json_pack("{s:s, s:I}", "path", f->stage, "base",
					 (json_int_t)w->plan->base), err);
	if (rc != PST_OK)
		return rc;
	static const char *const kinds[] = {"missing", "overlay", "dir", "layers"};
	json_t *arg = json_pack("{s:s, s:s, s:s}", "kind", kinds[f->rootfs], "path", f->rootfs_path,
				"form", f->overlay_form);
	if (arg != NULL && f->layout != NULL)
		(void)json_object_set(arg, "layout", (json_t *)(uintptr_t)f->layout);
	if (arg != NULL && f->rootfs == PST_ROOT_DIR)
		(void)json_object_set_new(arg, "recursive",
					  json_boolean(f->rootfs_map == PST_MAP_RECURSIVE));
	rc = pst_work_step(w, "rootfs", arg, err);
	if (rc != PST_OK)
		return rc;
	snprintf(root, sizeof root, "%s/root", f->stage);
	pst_edit_set(&w->plan->edits, "/root/path", json_string(root), "kernel: mount_setattr(2)",
		     f->rootfs == PST_ROOT_DIR
			     ? "id-mapped clone of the rootfs: ids on disk stay as they are"
			     : "overlay rebuilt from id-mapped layers: ids on disk stay as they are");
	return PST_OK;
}

/* ---- bind mounts ---- */

static const char *const safe_nodes[] = {"/dev/null",	"/dev/zero",	"/dev/full",
					 "/dev/random", "/dev/urandom", "/dev/tty"};

static const char *const engine_names[] = {
	"docker.sock", "containerd.sock", "containerd.sock.ttrpc", "crio.sock",
	"podman.sock", "dockershim.sock", "cri-dockerd.sock", "buildkitd.sock",
	"kubelet.sock", "libpod.sock", "frakti.sock",
};

static bool listed(const char *s, const char *const v[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, v[i]) == 0)
			return true;
	return false;
}

static bool is_engine_socket(const struct pst_src_fact *f)
{
	const char *base = strrchr(f->path, '/');
	return f->kind == PST_SRC_SOCKET && base != NULL &&
	       listed(base + 1, engine_names, PST_NELEM(engine_names));
}

/* Directories through which an engine's socket could be reached. */
static bool holds_engine_sockets(const struct pst_src_fact *f)
{
	static const char *const dirs[] = {"/run", "/var/run", "/", "/run/containerd", "/run/docker",
					   "/run/crio", "/run/podman", "/var"};
	return f->kind == PST_SRC_DIR && listed(f->path, dirs, PST_NELEM(dirs));
}

static bool kernel_tree(const char *path)
{
	return pst_path_under(path, "/proc") || pst_path_under(path, "/sys");
}

/* An id an engine made up, and a folder of that name above `path`: 32 hex digits or
 * more, which nobody could name beforehand. */
static bool below_id(const char *path, const char *id, size_t n)
{
	char part[140];
	if (n < 32 || n > 128 || strspn(id, "0123456789abcdef") < n)
		return false;
	snprintf(part, sizeof part, "/%.*s/", (int)n, id);
	return strstr(path, part) != NULL;
}

/* What engines keep for a whole pod in the folder of its sandbox. Nothing else there is a
 * member's to write: the sandbox's own bundle may lie in it. */
static bool pod_file(const char *path)
{
	static const char *const names[] = {"hosts", "hostname", "resolv.conf", "shm"};
	const char *name = strrchr(path, '/');
	for (size_t i = 0; name != NULL && i < PST_NELEM(names); i++)
		if (strcmp(name + 1, names[i]) == 0)
			return true;
	return false;
}

/* Does `path` lie in a folder named after this container, or is it the pod's own file in
 * that of its sandbox? */
static bool own_folder(const struct pst_work *w, const char *path)
{
	for (const char *p = w->facts->bundle_path; *p != '\0';) {
		p += strspn(p, "/");
		const size_t n = strcspn(p, "/");
		if (below_id(path, p, n))
			return true;
		p += n;
	}
	return pod_file(path) && below_id(path, w->facts->sandbox, strlen(w->facts->sandbox));
}

/* Does writing at `path` reach another pod's folder below `pods`, where each has one named by its uid? So does
 * whatever holds all of them. */
static bool reaches_others(const char *pods, const char *uid, const char *path)
{
	if (pst_path_under(pods, path))
		return true;
	if (!pst_path_under(path, pods))
		return false;
	path += strlen(pods) + 1;
	const size_t n = strcspn(path, "/");
	return n != strlen(uid) || strncmp(path, uid, n) != 0;
}

/* The kubelet keeps all pods' volumes side by side: those of another pod are no place for this one, although they
 * lie below a root for volumes. Where they are with another --root-dir, a mount of the pod's own shows:
 * ROOT/pods/UID/etc-hosts is one that every container has. */
static bool another_pods(const struct pst_work *w, const char *path)
{
	const json_t *notes = w->spec->annotations;
	const char *uid = pst_json_str(json_object_get(notes, "io.kubernetes.cri.sandbox-uid"));
	char own[160], pods[600];
	if (uid == NULL) /* CRI-O's */
		uid = pst_json_str(json_object_get(notes, "io.kubernetes.pod.uid"));
	if (uid == NULL)
		return false;
	if (reaches_others("/var/lib/kubelet/pods", uid, path))
		return true;
	snprintf(own, sizeof own, "/pods/%.128s/", uid);
	for (size_t i = 0; i < w->spec->nmounts; i++) {
		const struct pst_src_fact f = pst_facts_mount(w->facts, i);
		const char *at = f.known ? strstr(f.path, own) : NULL;
		if (at == NULL || at - f.path > 500)
			continue;
		snprintf(pods, sizeof pods, "%.*s/pods", (int)(at - f.path), f.path);
		if (reaches_others(pods, uid, path))
			return true;
	}
	return false;
}

/* Is writing below `path` what volumes are for? The engine's own files lie beside
 * the bundle it made; staging is ours. */
static bool volume_place(const struct pst_work *w, const char *path)
{
	for (size_t i = 0; i < w->policy->volume_roots.n; i++) {
		const char *root = w->policy->volume_roots.v[i];
		if (pst_path_under(path, root) && strcmp(path, root) != 0 &&
		    !another_pods(w, path))
			return true;
	}
	return pst_path_under(path, w->facts->bundle_path) || own_folder(w, path) ||
	       (w->facts->stage[0] != '\0' && pst_path_under(path, w->facts->stage));
}

/* Who shares the host's ipc, by its grant, is given the host's /dev/shm by the engine too. */
static bool hosts_shm(const struct pst_work *w, const struct pst_mount *m, const struct pst_src_fact *f)
{
	return strcmp(f->path, "/dev/shm") == 0 && strcmp(m->destination, "/dev/shm") == 0 &&
	       (!w->spec->ns[PST_NS_IPC].present || pst_facts_ns(w->facts, PST_NS_IPC).is_hosts);
}

static int check_source(struct pst_work *w, const struct pst_mount *m,
			const struct pst_src_fact *f, struct pst_err *err)
{
	char p[64], what[600];
	int rc = PST_OK;
	snprintf(p, sizeof p, "/mounts/%zu/source", m->index);
	if (is_engine_socket(f) || (holds_engine_sockets(f))) {
		snprintf(what, sizeof what, "reaches a container engine's socket through %s", f->path);
		rc = pst_work_need(w, PST_G_ENGINE_SOCKETS, p, what, "leave the mount out", err);
	}
	if (rc == PST_OK && (f->kind == PST_SRC_BLK || (f->kind == PST_SRC_CHR &&
			     !listed(f->path, safe_nodes, PST_NELEM(safe_nodes))))) {
		snprintf(what, sizeof what, "gets the host device %s", f->path);
		rc = pst_work_need(w, PST_G_HOST_DEVICES, p, what, "leave the device out", err);
	}
	if (rc == PST_OK && !m->readonly && (f->kind == PST_SRC_DIR || f->kind == PST_SRC_FILE) &&
	    !volume_place(w, f->path) && !hosts_shm(w, m, f)) {
		snprintf(what, sizeof what, "may write the host path %s, which %s", f->path,
			 another_pods(w, f->path) ? "holds volumes of other pods" : "is no volume");
		rc = pst_work_need(w, PST_G_HOST_PATH_WRITE, p, what, "mount it read-only", err);
	}
	return rc;
}

/* tmpfs cannot be id-mapped before Linux 6.3, and engines keep /dev/shm there, and the files they
 * make for a container. In memory that is gone with the container no wrong owner stays, so it is
 * bound as it is: /dev/shm is everybody's to write, the rest its root then only reads. */
static bool engine_memory(const struct pst_work *w, const struct pst_src_fact *f)
{
	return pst_streq(f->fs, "tmpfs") && own_folder(w, f->path);
}

static int cannot_map(struct pst_work *w, const struct pst_mount *m, const struct pst_src_fact *f,
		      struct pst_err *err)
{
	char p[64], what[600];
	snprintf(p, sizeof p, "/mounts/%zu/source", m->index);
	pst_note_add(&w->plan->notes, p, "kernel: mount_setattr(2)",
		     "%s is on %s, which cannot be id-mapped: files there belong to nobody the "
		     "container knows", f->path, f->fs);
	if (m->readonly || engine_memory(w, f))
		return PST_OK;
	snprintf(what, sizeof what, "may write %s, whose file system (%s) cannot be id-mapped", f->path,
		 f->fs);
	return pst_work_need(w, PST_G_UNMAPPED_WRITE, p, what, "mount it read-only", err);
}

static int map_volume(struct pst_work *w, const struct pst_mount *m, const struct pst_src_fact *f,
		      struct pst_err *err)
{
	char p[64], target[512];
	if (f->map == PST_MAP_NONE)
		return cannot_map(w, m, f, err);

	const bool recursive = m->recursive && f->map == PST_MAP_RECURSIVE;
	snprintf(p, sizeof p, "/mounts/%zu/source", m->index);
	snprintf(target, sizeof target, "%s/v%zu", w->facts->stage, m->index);
	if (m->recursive && !recursive)
		pst_note_add(&w->plan->notes, p, "kernel: mount_setattr(2)",
			     "something mounted below %s cannot be id-mapped and is left out", f->path);
	const int rc = pst_work_step(
		w, "volume",
		json_pack("{s:I, s:s, s:s, s:b, s:b}", "index", (json_int_t)m->index, "source", m->source,
			  "canonical", f->path, "recursive", (int)recursive, "slave",
			  (int)(m->propagation == PST_PROP_SLAVE)),
		err);
	if (rc == PST_OK)
		pst_edit_set(&w->plan->edits, p, json_string(target), "kernel: mount_setattr(2)",
			     "id-mapped clone of %s: owners inside and on disk agree", f->path);
	return rc;
}

static bool has_option(const struct pst_mount *m, const char *option)
{
	for (size_t i = 0; i < json_array_size(m->options); i++)
		if (pst_streq(pst_json_str(json_array_get(m->options, i)), option))
			return true;
	return false;
}

/* A runtime sets the flags of a bind by mounting it again, and the kernel refuses that
 * in a user namespace when a flag its source has would be lost. */
static void keep_flags(struct pst_work *w, const struct pst_mount *m, const struct pst_src_fact *f)
{
	const struct {
		const char *option;
		bool set;
	} flags[] = {{"ro", f->ro}, {"nosuid", f->nosuid}, {"nodev", f->nodev}, {"noexec", f->noexec}};
	char p[64];
	snprintf(p, sizeof p, "/mounts/%zu/options/-", m->index);
	for (size_t i = 0; json_array_size(m->options) > 0 && i < PST_NELEM(flags); i++)
		if (flags[i].set && !has_option(m, flags[i].option))
			pst_edit_set(&w->plan->edits, p, json_string(flags[i].option),
				     "kernel: mount_namespaces(7)",
				     "%s is mounted so, and a user namespace cannot take that off", f->path);
}

static int plan_bind(struct pst_work *w, const struct pst_mount *m, struct pst_err *err)
{
	char p[64];
	const struct pst_src_fact f = pst_facts_mount(w->facts, m->index);
	if (!f.known || f.kind == PST_SRC_MISSING)
		return PST_OK; /* the runtime says that there is no such source */
	int rc = check_source(w, m, &f, err);
	if (rc != PST_OK || !w->moved)
		return rc;
	if (m->propagation == PST_PROP_SHARED) {
		snprintf(p, sizeof p, "/mounts/%zu/options", m->index);
		pst_fail(err, PST_E_SPEC, p,
			 "mounts made in a user namespace cannot propagate to the host (%s)",
			 m->destination);
		return pst_err_cure(err, "use \"rslave\" (HostToContainer) or \"rprivate\"");
	}
	keep_flags(w, m, &f);
	/* A mapped socket would pass the daemon's owner check as its own root. */
	if (m->mapped || kernel_tree(f.path) || (f.kind != PST_SRC_DIR && f.kind != PST_SRC_FILE))
		return PST_OK;
	return map_volume(w, m, &f, err);
}

/* sysfs shows one network namespace; only its owner may mount it (userns.md 4). */
static int plan_sysfs(struct pst_work *w, const struct pst_mount *m, struct pst_err *err)
{
	const struct pst_ns *net = &w->spec->ns[PST_NS_NETWORK];
	const struct pst_ns_fact f = pst_facts_ns(w->facts, PST_NS_NETWORK);
	if (!w->moved || (net->present && net->path == NULL) ||
	    (net->path != NULL && f.owner == PST_OWNER_BLOCK))
		return PST_OK;

	char p[64], target[512];
	int rc = pst_work_step(w, "sysfs",
			       json_pack("{s:s}", "netns", net->path == NULL ? "" : net->path), err);
	if (rc != PST_OK)
		return rc;
	snprintf(target, sizeof target, "%s/sys", w->facts->stage);
	snprintf(p, sizeof p, "/mounts/%zu", m->index);
	pst_edit_set(&w->plan->edits, p,
		     json_pack("{s:s, s:s, s:s, s:[s,s,s,s,s]}", "destination", m->destination, "type",
			       "bind", "source", target, "options", "bind", "ro", "nosuid", "noexec",
			       "nodev"),
		     "kernel: sysfs(5)",
		     "the network namespace is the host's to show: a read-only sysfs is mounted from "
		     "outside and bound");
	return PST_OK;
}

int pst_plan_mounts(struct pst_work *w, struct pst_err *err)
{
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < w->spec->nmounts; i++) {
		const struct pst_mount *m = &w->spec->mounts[i];
		if (m->bind)
			rc = plan_bind(w, m, err);
		else if (strcmp(m->type, "sysfs") == 0)
			rc = plan_sysfs(w, m, err);
	}
	return rc;
}

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/plan_priv.h"

enum pst_grant pst_work_grant(const struct pst_work *w, enum pst_grant_kind k)
{
	/* An exempt pod gets what it asks for; nobody asks for the calls of another machine,
	 * and a filter with rules for socket cannot have them. */
	return w->exempt && k != PST_G_COMPAT_ABI ? PST_PASS : w->policy->grants[k];
}

const char *pst_work_source(struct pst_work *w, const char *policy_pointer)
{
	return pst_policy_source(w->policy, policy_pointer, w->src, sizeof w->src);
}

int pst_work_need(struct pst_work *w, enum pst_grant_kind k, const char *pointer, const char *what,
		  const char *cure, struct pst_err *err)
{
	const char *rule = pst_grant_pointer(k);
	const char *key = strrchr(rule, '/') + 1;
	const enum pst_grant g = pst_work_grant(w, k);
	if (g == PST_REFUSE) {
		pst_fail(err, PST_E_POLICY, pointer, "the container %s, which policy refuses", what);
		pst_err_rule(err, pst_work_source(w, rule));
		return pst_err_cure(err, "%s, or set \"%s\" under \"grants\" of the policy to %s", cure,
				    key, k == PST_G_HOST_PATH_WRITE ? "\"confine\" or list the path in "
								       "\"volumeRoots\""
								     : "\"confine\" or \"pass\"");
	}
	pst_note_add(&w->plan->notes, pointer,
		     w->exempt ? "policy /exempt/namespaces" : pst_work_source(w, rule),
		     "the container %s: granted (%s)", what, pst_grant_word(g));
	return PST_OK;
}

/* Privileged as the engines mean it: every capability the engine has, nothing masked, all
 * devices. An engine may lack some itself; these no ordinary workload has together. */
static bool asks_privileged(const struct pst_spec *s)
{
	static const unsigned telling[] = { /* linux/capability.h */
		12, /* NET_ADMIN */ 16, /* SYS_MODULE */ 17, /* SYS_RAWIO */ 19, /* SYS_PTRACE */
		21, /* SYS_ADMIN */ 22, /* SYS_BOOT */ 25, /* SYS_TIME */ 27, /* MKNOD */
	};
	for (size_t i = 0; i < PST_NELEM(telling); i++)
		if (((s->caps[PST_CAPS_BOUNDING] >> telling[i]) & 1) == 0)
			return false;
	return json_array_size(pst_json_at(s->tree, "/linux/maskedPaths")) == 0;
}

/* Does a mapping of the caller's give host root away? (I-2) */
static bool maps_host_root(const struct pst_idmap m[8], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].size > 0 && m[i].host == 0)
			return true;
	return false;
}

static int callers_map(struct pst_work *w, struct pst_err *err)
{
	const struct pst_spec *s = w->spec;
	w->plan->ids = PST_HOW_CALLER;
	if (w->facts->full_root &&
	    (maps_host_root(s->uid_map, s->nuid_map) || maps_host_root(s->gid_map, s->ngid_map))) {
		const int rc = pst_work_need(w, PST_G_PRIVILEGED, "/linux/uidMappings",
					     "maps an id of its user namespace to host root",
					     "leave host id 0 out of the mapping", err);
		if (rc != PST_OK)
			return rc;
	} else {
		w->plan->expect.not_host_root = w->facts->full_root;
	}
	pst_note_add(&w->plan->notes, "/linux/namespaces", "spec /linux/uidMappings",
		     "the spec brings its own user namespace: its mapping and its rootfs are left alone");
	return PST_OK;
}

struct host_ns {
	enum pst_ns_kind ns;
	enum pst_grant_kind grant;
	const char *what, *cure;
};

static const struct host_ns host_ns[] = {
	{PST_NS_NETWORK, PST_G_HOST_NETWORK, "uses the host's network namespace",
	 "give it a network namespace"},
	{PST_NS_PID, PST_G_HOST_PID, "uses the host's process ids", "give it a pid namespace"},
	{PST_NS_IPC, PST_G_HOST_IPC, "uses the host's System V IPC and message queues",
	 "give it an ipc namespace"},
};

bool pst_work_hosts_ns(const struct pst_work *w, enum pst_ns_kind k)
{
	const struct pst_ns *n = &w->spec->ns[k];
	const struct pst_ns_fact f = pst_facts_ns(w->facts, k);
	/* A network namespace the host made is the rule; the others belong to a process. */
	return !n->present || f.is_hosts ||
	       (n->path != NULL && k != PST_NS_NETWORK && f.known && f.owner == PST_OWNER_HOST);
}

/* Namespaces shared with the host, or with somebody who is not confined. */
static int check_shared(struct pst_work *w, bool *unmapped, struct pst_err *err)
{
	for (size_t i = 0; i < PST_NELEM(host_ns); i++) {
		const struct host_ns *h = &host_ns[i];
		const struct pst_ns *n = &w->spec->ns[h->ns];
		char p[64] = "/linux/namespaces";
		if (n->present)
			snprintf(p, sizeof p, "/linux/namespaces/%zu/path", n->index);
		if (!pst_work_hosts_ns(w, h->ns))
			continue;
		const int rc = pst_work_need(w, h->grant, p, h->what, h->cure, err);
		if (rc != PST_OK)
			return rc;
		/* /proc and mqueue of a namespace the host owns cannot be mounted from a
		 * user namespace (userns.md 5): those two are granted whole or not at all. */
		if (h->ns != PST_NS_NETWORK || pst_work_grant(w, h->grant) == PST_PASS)
			*unmapped = true;
		if (h->ns != PST_NS_NETWORK && pst_work_grant(w, h->grant) == PST_CONFINE) {
			pst_fail(err, PST_E_POLICY, p,
				 "the container %s, which a user namespace cannot have: \"confine\" has "
				 "no meaning here", h->what);
			pst_err_rule(err, pst_work_source(w, pst_grant_pointer(h->grant)));
			return pst_err_cure(err, "%s, or set the grant to \"pass\"", h->cure);
		}
	}
	return PST_OK;
}

/* A sibling whose user namespace has to be shared, because the spec joins one
 * of its namespaces; all must agree. */
static int find_sibling(struct pst_work *w, struct pst_ns_fact *ret, struct pst_err *err)
{
	static const enum pst_ns_kind kinds[] = {PST_NS_PID, PST_NS_IPC, PST_NS_UTS, PST_NS_NETWORK};
	for (size_t i = 0; i < PST_NELEM(kinds); i++) {
		const struct pst_ns *n = &w->spec->ns[kinds[i]];
		const struct pst_ns_fact f = pst_facts_ns(w->facts, kinds[i]);
		char p[64];
		if (n->path == NULL || !f.known)
			continue;
		snprintf(p, sizeof p, "/linux/namespaces/%zu/path", n->index);
		if (f.owner == PST_OWNER_OTHER) {
			pst_fail(err, PST_E_SPEC, p,
				 "the %s namespace at %s belongs to a user namespace that is no container "
				 "of postern's", pst_ns_word(kinds[i]), n->path);
			return pst_err_cure(err, "join a container that postern runs, or none");
		}
		if (f.owner != PST_OWNER_BLOCK)
			continue;
		if (ret->known && ret->base != f.base) {
			pst_fail(err, PST_E_SPEC, p, "the spec joins namespaces of two containers with "
				 "different id blocks (%u and %u)", ret->base, f.base);
			return pst_err_cure(err, "join the namespaces of one container or pod only");
		}
		*ret = f;
	}
	return PST_OK;
}

/*
 * Ids above the block: those the process names are mapped, one by one. In a pod the
 * sandbox has made the mapping, out of the ids of the pod's own securityContext.
 */
static int high_ids(struct pst_work *w, const struct pst_ns_fact *sibling, struct pst_err *err)
{
	struct pst_highids wanted, *have = &w->plan->expect.high;
	int rc = pst_highids_read(w->spec, w->facts->second, &wanted, err);
	if (rc != PST_OK)
		return rc;
	if (!sibling->known) {
		*have = wanted;
		return wanted.n == 0 || w->facts->second != 0
			       ? PST_OK
			       : pst_fail(err, PST_E_BUG, "/ids", "no second id block was proposed to the plan");
	}
	if (!pst_highids_parse(sibling->high, have))
		return pst_fail(err, PST_E_SPEC, "/linux/namespaces", "the facts of the joined container are "
				"not usable");
	for (size_t i = 0; i < wanted.n; i++)
		if (!pst_highids_has(have, wanted.v[i].container)) {
			pst_fail(err, PST_E_SPEC, "/process/user",
				 "id %u does not exist in the pod: its ids go from 0 to %u, and those its "
				 "sandbox was made with", wanted.v[i].container, PST_BLOCK_SIZE - 1);
			return pst_err_cure(err, "name it in the pod's annotation postern/ids, make it its "
					    "runAsUser or runAsGroup, or use an id below %u",
					    PST_BLOCK_SIZE);
		}
	return PST_OK;
}

static json_t *mapping(const struct pst_plan *p)
{
	const struct pst_highids *h = &p->expect.high;
	json_t *a = json_pack("[{s:i, s:I, s:I}]", "containerID", 0, "hostID", (json_int_t)p->base,
			      "size", (json_int_t)PST_BLOCK_SIZE);
	for (size_t i = 0; a != NULL && i < h->n; i++)
		(void)json_array_append_new(
			a, json_pack("{s:I, s:I, s:i}", "containerID", (json_int_t)h->v[i].container,
				     "hostID", (json_int_t)h->v[i].host, "size", 1));
	return a;
}

static void move_ids(struct pst_work *w, const struct pst_ns_fact *sibling)
{
	struct pst_plan *p = w->plan;
	struct pst_edits *e = &p->edits;
	char why[192];
	p->ids = sibling->known ? PST_HOW_JOIN : PST_HOW_MAP;
	p->base = sibling->known ? sibling->base : w->facts->base;
	w->moved = true;
	p->expect.maps = true;
	p->expect.not_host_root = true;
	p->expect.base = p->base;

	snprintf(why, sizeof why, "container ids 0..%u become host ids %u..%u", PST_BLOCK_SIZE - 1,
		 p->base, p->base + PST_BLOCK_SIZE - 1);
	if (pst_json_at(w->spec->tree, "/linux/namespaces") == NULL)
		pst_edit_set(e, "/linux/namespaces", json_array(), "spec /linux", "the spec lists none");
	if (sibling->known)
		pst_edit_set(e, "/linux/namespaces/-",
			     json_pack("{s:s, s:s}", "type", "user", "path", sibling->userns),
			     "spec /linux/namespaces",
			     "shares the user namespace of the container whose namespaces it joins");
	else
		pst_edit_set(e, "/linux/namespaces/-", json_pack("{s:s}", "type", "user"),
			     pst_work_source(w, "/ids"),
			     "root of the container is not root of the host");
	if (p->expect.high.n > 0)
		snprintf(why + strlen(why), sizeof why - strlen(why),
			 "; ids above that the process has, or postern/ids names, are mapped each by itself");
	pst_edit_set(e, "/linux/uidMappings", mapping(p), pst_work_source(w, "/ids"), "%s", why);
	pst_edit_set(e, "/linux/gidMappings", mapping(p), pst_work_source(w, "/ids"), "%s", why);

	const struct pst_ns *uts = &w->spec->ns[PST_NS_UTS];
	if (w->spec->hostname != NULL && uts->path != NULL)
		pst_edit_remove(e, "/hostname", "kernel: sethostname(2)",
				"the uts namespace is joined and belongs to another user namespace, which "
				"alone may name it");
}

static bool not_moved(struct pst_work *w, const char *source, const char *why)
{
	w->plan->ids = PST_HOW_NONE;
	pst_note_add(&w->plan->notes, "/linux/namespaces", source,
		     "the container's ids are those of the host: %s", why);
	return true;
}

/* Why ids stay as they are, if they do. */
static bool stays(struct pst_work *w, bool unmapped)
{
	if (w->policy->ids_mode == PST_IDS_OFF)
		return not_moved(w, pst_work_source(w, "/ids/mode"), "policy turned the move off");
	if (!w->facts->full_root)
		return not_moved(w, "facts /caller/root",
				 "the caller is not root of the host and has no ids to give");
	if (w->privileged)
		return not_moved(w, pst_work_source(w, "/grants/privileged"),
				 "it was granted full privileges");
	if (unmapped)
		return not_moved(w, "spec /linux/namespaces",
				 "it was granted a namespace of the host as it is");
	return false;
}

/* The rootfs or the kernel cannot be mapped: what policy says then. */
static int unmappable(struct pst_work *w, const char *why, struct pst_err *err)
{
	if (w->policy->ids_fallback == PST_FB_OFF) {
		not_moved(w, pst_work_source(w, "/ids/fallback"), why);
		return PST_OK;
	}
	pst_fail(err, PST_E_POLICY, "/root/path", "the rootfs %s cannot be id-mapped: %s",
		 w->facts->rootfs_path, why);
	pst_err_rule(err, pst_work_source(w, "/ids/fallback"));
	return pst_err_cure(err, "keep the rootfs on a file system that can (ext4, xfs, btrfs, tmpfs, "
			    "overlay of these), or set \"ids\": {\"fallback\": \"off\"} in the policy");
}

int pst_plan_ids(struct pst_work *w, struct pst_err *err)
{
	bool unmapped = false;
	struct pst_ns_fact sibling = {0};
	int rc = PST_OK;

	if (asks_privileged(w->spec)) {
		rc = pst_work_need(w, PST_G_PRIVILEGED, "/process/capabilities/bounding",
				   "asks to be privileged", "run it without --privileged", err);
		w->privileged = pst_work_grant(w, PST_G_PRIVILEGED) == PST_PASS;
	}
	if (rc == PST_OK)
		rc = check_shared(w, &unmapped, err);
	if (rc != PST_OK)
		return rc;
	if (w->spec->ns[PST_NS_USER].present)
		return callers_map(w, err);
	if (stays(w, unmapped))
		return PST_OK;
	if (w->facts->rootfs == PST_ROOT_MISSING) {
		pst_fail(err, PST_E_SPEC, "/root/path", "the root file system %s is not usable: %s",
			 w->facts->rootfs_path, w->facts->rootfs_why);
		return pst_err_cure(err, "name a directory that exists and is no symbolic link");
	}
	if (!w->facts->idmap)
		return unmappable(w, "this kernel cannot id-map mounts (it takes 5.19 or newer)", err);
	if (w->facts->rootfs_map == PST_MAP_NONE)
		return unmappable(w, w->facts->rootfs_why, err);
	if ((rc = find_sibling(w, &sibling, err)) != PST_OK ||
	    (rc = high_ids(w, &sibling, err)) != PST_OK)
		return rc;
	if (w->facts->base == 0 && !sibling.known)
		return pst_fail(err, PST_E_BUG, "/ids", "no id block was proposed to the plan");
	move_ids(w, &sibling);
	return PST_OK;
}

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/plan_priv.h"

#define CAP_NET_BIND_SERVICE_NR 10 /* linux/capability.h */
#define CAP_NET_RAW_NR 13

#define PORTS "net.ipv4.ip_unprivileged_port_start"
#define PING "net.ipv4.ping_group_range"

static bool has_cap(const struct pst_work *w, unsigned nr)
{
	return (w->spec->caps[PST_CAPS_BOUNDING] >> nr) & 1;
}

static bool asks_sysctl(const struct pst_work *w, const char *key)
{
	return json_object_get(w->spec->sysctl, key) != NULL;
}

/* A namespace the container's own user namespace owns: the runtime writes its
 * sysctls itself. Echo sockets are a part of what NET_RAW would have allowed. */
static void own_netns(struct pst_work *w)
{
	const char *asked = pst_json_str(json_object_get(w->spec->sysctl, PING));
	unsigned long low, high;
	if (asked != NULL && sscanf(asked, "%lu %lu", &low, &high) == 2 && low < PST_BLOCK_SIZE &&
	    high >= PST_BLOCK_SIZE) {
		char clipped[64];
		snprintf(clipped, sizeof clipped, "%lu %u", low, PST_BLOCK_SIZE - 1);
		pst_edit_set(&w->plan->edits, "/linux/sysctl/" PING, json_string(clipped),
			     "kernel: user_namespaces(7)",
			     "the range ends with the container's block: ids beyond it do not exist inside");
	}
	if (!has_cap(w, CAP_NET_RAW_NR) || asks_sysctl(w, PING))
		return;
	pst_edit_set(&w->plan->edits, "/linux/sysctl/" PING, json_string("0 65535"),
		     "spec /process/capabilities CAP_NET_RAW",
		     "ping works through echo sockets: raw sockets are not on the allowlist");
}

/* A namespace of the host's: the container has no rights over it, so what its
 * capabilities would have allowed is set up from outside (userns.md 5). */
static int host_netns(struct pst_work *w, const char *path, struct pst_err *err)
{
	json_t *values = json_object();
	const char *key;
	json_t *v;
	if (values == NULL)
		return pst_fail_nomem(err);
	if (has_cap(w, CAP_NET_BIND_SERVICE_NR))
		(void)json_object_set_new(values, PORTS, json_string("0"));
	if (has_cap(w, CAP_NET_RAW_NR))
		(void)json_object_set_new(values, PING, json_string("0 2147483647"));
	json_object_foreach((json_t *)(uintptr_t)w->spec->sysctl, key, v)
	{
		char p[256];
		if (!pst_starts(key, "net.") || pst_json_str(v) == NULL)
			continue;
		(void)json_object_set(values, key, v);
		snprintf(p, sizeof p, "/linux/sysctl/%s", key);
		pst_edit_remove(&w->plan->edits, p, "kernel: user_namespaces(7)",
				"written from the host side: the container does not own its network "
				"namespace");
	}
	if (json_object_size(values) == 0) {
		json_decref(values);
		return PST_OK;
	}
	return pst_work_step(w, "netsysctl",
			     json_pack("{s:s, s:o}", "netns", path, "values", values), err);
}

/* runc before 1.3 joins the user namespace first and then has no right to enter
 * a network namespace of the host's: it is started inside it instead. */
static void enter_first(struct pst_work *w, const struct pst_ns *net)
{
	char p[64];
	snprintf(p, sizeof p, "/linux/namespaces/%zu", net->index);
	w->plan->enter_netns = true;
	pst_edit_remove(&w->plan->edits, p, "facts /runtime/version",
			"this runtime cannot join a network namespace of the host's together with a "
			"user namespace (runc can since 1.3): it is started inside it");
	pst_note_add(&w->plan->notes, p, "facts /runtime/version",
		     "the container is kept under a private state root, so that an exec that does not "
		     "pass through postern cannot end in the host's network");
}

int pst_plan_net(struct pst_work *w, struct pst_err *err)
{
	const struct pst_ns *net = &w->spec->ns[PST_NS_NETWORK];
	const struct pst_ns_fact f = pst_facts_ns(w->facts, PST_NS_NETWORK);
	char p[64];
	if (!w->moved)
		return PST_OK;
	w->plan->netns_path = net->path;
	if (net->present && net->path == NULL) {
		own_netns(w);
		return PST_OK;
	}
	if (net->path == NULL || f.owner == PST_OWNER_BLOCK)
		return PST_OK;
	if (f.is_hosts) {
		snprintf(p, sizeof p, "/linux/namespaces/%zu", net->index);
		pst_edit_remove(&w->plan->edits, p, "facts /bundle/namespaces/network",
				"the path names the host's own network namespace: the same as none");
		return PST_OK;
	}
	const int rc = host_netns(w, net->path, err);
	if (rc == PST_OK && !w->facts->rt_joins_netns)
		enter_first(w, net);
	return rc;
}

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/highids.h"
#include "host/factfind_priv.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/lease.h"
#include "host/netside.h"

static const struct {
	enum pst_ns_kind kind;
	const char *type; /* as /proc/PID/ns names it */
} joinable[] = {
	{PST_NS_PID, "pid"},
	{PST_NS_NETWORK, "net"},
	{PST_NS_IPC, "ipc"},
	{PST_NS_UTS, "uts"},
};

static bool same(const struct pst_nsid *a, const struct pst_nsid *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* "/proc/PID/ns/ipc" -> PID; 0 for another form. */
static unsigned long proc_pid(const char *path)
{
	unsigned long pid = 0;
	char rest[32];
	return sscanf(path, "/proc/%lu/ns/%31s", &pid, rest) == 2 ? pid : 0;
}

/* The lines after the first: each of one id. False for another form. */
static bool high_of(const char *map, struct pst_highids *ret)
{
	struct pst_highids h = {.n = 0};
	unsigned long inside, outside, count;
	for (const char *p = strchr(map, '\n'); p != NULL && p[1] != '\0'; p = strchr(p + 1, '\n')) {
		if (h.n == PST_HIGHIDS_MAX || sscanf(p + 1, "%lu %lu %lu", &inside, &outside, &count) != 3 ||
		    count != 1 || inside > UINT32_MAX || outside > UINT32_MAX)
			return false;
		h.v[h.n++] = (struct pst_idextra){
			.container = (uint32_t)inside, .host = (uint32_t)outside, .count = 1};
	}
	*ret = h;
	return true;
}

/* First line of the map must be ours: 0 BASE 65536, and BASE a lease of ours. */
static bool block_of(struct pst_ctx *c, unsigned long pid, uint32_t *base, char key[33],
		     struct pst_highids *high)
{
	char path[64], map[2048];
	unsigned long inside, outside, count;
	snprintf(path, sizeof path, "/proc/%lu/uid_map", pid);
	if (pst_io_read_small(AT_FDCWD, path, map, sizeof map) < 0 ||
	    sscanf(map, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 ||
	    count != 65536 || outside > UINT32_MAX - 65536 || !high_of(map, high))
		return false;

	pst_auto_leases l = PST_LEASES_NONE;
	pst_auto_lease lease = {0};
	const struct pst_idspan block = {.first = (uint32_t)outside, .len = 65536};
	if (c->sd.fd < 0 || pst_leases_lock(&c->sd, &l, NULL) != PST_OK ||
	    pst_lease_read(&l, block, &lease, NULL) != PST_OK || lease.nowners == 0)
		return false;
	*base = block.first;
	memcpy(key, lease.owners[0].key, 33);
	return true;
}

static json_t *owned(struct pst_ctx *c, const char *path, const struct pst_nsid *owner)
{
	char user[64], key[33];
	uint32_t base;
	struct pst_nsid id;
	struct pst_highids high;
	const unsigned long pid = proc_pid(path);
	snprintf(user, sizeof user, "/proc/%lu/ns/user", pid);
	pst_auto_fd fd = pid == 0 ? -1 : pst_host->openat(AT_FDCWD, user, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0 || pst_netside_id(fd, &id, NULL) != PST_OK || !same(&id, owner) ||
	    !block_of(c, pid, &base, key, &high))
		return json_pack("{s:s}", "owner", "other");
	json_t *o = json_pack("{s:s, s:I, s:s, s:s}", "owner", "block", "base", (json_int_t)base,
			      "userns", user, "key", key);
	if (o != NULL && high.n > 0)
		(void)json_object_set_new(o, "high", pst_highids_json(&high));
	return o;
}

static int one(struct pst_ctx *c, const char *type, const char *path, json_t **ret,
	       struct pst_err *err)
{
	bool hosts = false;
	struct pst_nsid owner, own;
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	pst_auto_fd self = pst_host->openat(AT_FDCWD, "/proc/self/ns/user", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		pst_fail_sys(err, "cannot open the %s namespace %s", type, path);
		return PST_E_HOST;
	}
	int rc = self < 0 ? pst_fail_sys(err, "cannot open /proc/self/ns/user")
			  : pst_netside_id(self, &own, err);
	if (rc == PST_OK)
		rc = pst_netside_is_host(fd, type, &hosts, err);
	if (rc == PST_OK)
		rc = pst_netside_owner(fd, &owner, err);
	if (rc != PST_OK)
		return rc;
	json_t *o = same(&owner, &own) ? json_pack("{s:s}", "owner", "host") : owned(c, path, &owner);
	if (o == NULL || json_object_set_new(o, "host", json_boolean(hosts)) != 0) {
		json_decref(o);
		return pst_fail_nomem(err);
	}
	*ret = o;
	return PST_OK;
}

int pst_factfind_ns(struct pst_ctx *c, const struct pst_spec *spec, json_t *out, struct pst_err *err)
{
	for (size_t i = 0; i < PST_NELEM(joinable); i++) {
		const struct pst_ns *n = &spec->ns[joinable[i].kind];
		json_t *o = NULL;
		if (n->path == NULL)
			continue;
		const int rc = one(c, joinable[i].type, n->path, &o, err);
		if (rc != PST_OK)
			return rc;
		if (json_object_set_new(out, pst_ns_word(joinable[i].kind), o) != 0)
			return pst_fail_nomem(err);
	}
	return PST_OK;
}

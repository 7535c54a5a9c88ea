/* Is this node ready: `postern doctor`. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/idrange.h"
#include "core/json.h"
#include "host/beside.h"
#include "host/dirents.h"
#include "host/gate.h"
#include "host/hostops.h"
#include "host/idmap.h"
#include "host/inspect.h"
#include "host/io.h"
#include "host/lease.h"
#include "host/netshape.h"
#include "host/policyload.h"
#include "host/state.h"
#include "host/sweep.h"
#include "host/userns.h"

struct report {
	struct pst_finding *v;
	size_t *n;
};

PST_PRINTF(5, 6)
static void tell(struct report *r, enum pst_health h, const char *what, const char *cure,
		 const char *fmt, ...)
{
	if (*r->n >= PST_FINDINGS_MAX)
		return;
	struct pst_finding *f = &r->v[(*r->n)++];
	va_list ap;
	*f = (struct pst_finding){.health = h};
	snprintf(f->what, sizeof f->what, "%s", what);
	snprintf(f->cure, sizeof f->cure, "%s", cure);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
}

static void check_kernel(struct report *r, const json_t *facts, bool root)
{
	const char *form = pst_json_str(pst_json_at(facts, "/kernel/overlay"));
	const char *release = pst_json_str(pst_json_at(facts, "/kernel/release"));
	if (!root) {
		tell(r, PST_HEALTH_BAD, "caller", "run it as root of the host",
		     "not root, or not root of the whole id space: ids cannot be moved");
		return;
	}
	tell(r, PST_HEALTH_OK, "caller", "", "root of the host");
	if (form == NULL || strcmp(form, "none") == 0)
		tell(r, PST_HEALTH_BAD, "kernel", "use Linux 5.19 or newer",
		     "%s cannot id-map mounts: containers keep host ids only if policy says so",
		     release == NULL ? "?" : release);
	else
		tell(r, PST_HEALTH_OK, "kernel", "", "%s, id-mapped overlay layers by %s", release,
		     strcmp(form, "fd") == 0 ? "descriptor" : "attached mounts");
}

static void check_limits(struct report *r)
{
	char text[32];
	if (pst_io_read_small(AT_FDCWD, "/proc/sys/user/max_user_namespaces", text, sizeof text) > 0 &&
	    strcmp(text, "0\n") == 0)
		tell(r, PST_HEALTH_BAD, "user namespaces", "sysctl user.max_user_namespaces=65536",
		     "user.max_user_namespaces is 0: none can be made");
	if (pst_io_read_small(AT_FDCWD, "/proc/sys/kernel/seccomp/actions_avail", text, sizeof text) <= 0)
		tell(r, PST_HEALTH_BAD, "seccomp", "use a kernel with CONFIG_SECCOMP_FILTER",
		     "the kernel has no syscall filters");
	else
		tell(r, PST_HEALTH_OK, "seccomp", "", "syscall filters available");
}

/* Volumes in memory: tmpfs has been id-mapped since Linux 6.3. Any block will do to ask. */
static void check_memory(struct report *r, bool root)
{
	struct statfs fs;
	pst_auto_fd userns = -1;
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, "/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (!root || fd < 0 || pst_host->fstatfs(fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC ||
	    pst_userns_open(pst_idpool_default.first, PST_ID_BLOCK, NULL, 0, &userns, NULL) != PST_OK)
		return;
	if (pst_idmap_probe(fd, userns, false) != PST_IDMAP_NONE)
		tell(r, PST_HEALTH_OK, "memory volumes", "", "tmpfs can be id-mapped");
	else
		tell(r, PST_HEALTH_WARN, "memory volumes",
		     "use Linux 6.3 or newer; or set /grants/unmappedWrite of the policy to \"pass\"",
		     "tmpfs cannot be id-mapped: a container that may write such a volume is refused, and "
		     "of a secret there it reads what all may read");
}

/* Which limits a policy can set here, and which the runtime would fail at. */
static void check_cgroups(struct report *r, const json_t *facts)
{
	static const struct {
		const char *fact, *what, *cure;
	} all[] = {
		{"pids", "processes", "mount the pids controller"},
		{"memory", "memory", "mount the memory controller; some systems boot with cgroup_disable=memory"},
		{"swap", "swap", "boot with swapaccount=1"},
		{"cpu", "cpu time", "use a kernel with CONFIG_CFS_BANDWIDTH"},
		{"throttle", "disk rates", "use a kernel with CONFIG_BLK_DEV_THROTTLING, and mount blkio (io)"},
		{"hugetlb", "huge pages", "mount the hugetlb controller where the others are"},
	};
	uint64_t version = 0;
	char able[160] = "";
	const json_t *c = pst_json_at(facts, "/cgroup");
	(void)!pst_json_u64(json_object_get(c, "version"), &version);
	for (size_t i = 0; i < PST_NELEM(all); i++) {
		const size_t len = strlen(able);
		if (json_is_true(json_object_get(c, all[i].fact)))
			snprintf(able + len, sizeof able - len, "%s%s", len == 0 ? "" : ", ", all[i].what);
		else if (strcmp(all[i].fact, "hugetlb") != 0 ||
			 json_array_size(json_object_get(c, "hugepages")) > 0)
			tell(r, PST_HEALTH_WARN, "limits", all[i].cure,
			     "%s cannot be limited (cgroup version %d)", all[i].what, (int)version);
	}
	tell(r, PST_HEALTH_OK, "limits", "", "%s by cgroup version %d; limits of processes, /dev/shm",
	     able, (int)version);
	if (version == 1 && json_is_true(json_object_get(c, "throttle")))
		tell(r, PST_HEALTH_WARN, "disk rates", "boot with cgroup version 2: systemd.unified_cgroup_hierarchy=1",
		     "only direct and synchronous writes are held to a rate on version 1, and all reads");
}

/* Where engines keep layers: can their size be enforced there? */
static void check_sizes(struct report *r)
{
	static const char *const stores[] = {"/var/lib/containerd", "/var/lib/docker", "/var/lib/containers",
					     "/var/lib/postern"};
	char watched[160] = "", able[160] = "";
	for (size_t i = 0; i < PST_NELEM(stores); i++) {
		struct statfs fs;
		pst_auto_fd fd = pst_host->openat(AT_FDCWD, stores[i], O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (fd < 0 || pst_host->fstatfs(fd, &fs) != 0)
			continue;
		char *to = fs.f_type == BTRFS_SUPER_MAGIC ? able : watched;
		const size_t len = strlen(to);
		snprintf(to + len, sizeof able - len, "%s%s", len == 0 ? "" : ", ", stores[i]);
	}
	if (able[0] != '\0')
		tell(r, PST_HEALTH_OK, "layer size", "",
		     "enforced in %s, for subvolumes with quotas on (btrfs quota enable)", able);
	if (watched[0] != '\0')
		tell(r, PST_HEALTH_WARN, "layer size", "keep layers on btrfs, a subvolume each, with `btrfs quota enable`",
		     "watched and not enforced in %s: its file system has no quota of directories", watched);
}

/* Only a policy or an annotation that limits needs it: no node is worse without. */
static void check_network(struct report *r, bool root)
{
	struct pst_err e = {0};
	if (!root)
		return;
	if (pst_netshape_works(&e) == PST_OK)
		tell(r, PST_HEALTH_OK, "bandwidth", "", "tbf, ifb, u32 and mirred: both directions can be limited");
	else
		tell(r, PST_HEALTH_WARN, "bandwidth",
		     "load the modules sch_tbf, ifb, sch_ingress, cls_u32 and act_mirred, or use a kernel with them",
		     "no network limit can be set: %s", e.msg);
}

static void check_runtime(struct report *r, const struct pst_ctx *c)
{
	const struct pst_runtime *rt = &c->rt;
	const bool old = strcmp(rt->name, "runc") == 0 && !pst_runver_at_least(rt, "runc", 1, 3, 0);
	tell(r, old ? PST_HEALTH_WARN : PST_HEALTH_OK, "runtime",
	     old ? "install runc 1.3 or newer: it joins a host-made network namespace by itself and has "
		   "the fixes of November 2025"
		 : "",
	     "%s %d.%d.%d at %s", rt->name, rt->version[0], rt->version[1], rt->version[2], rt->path);
	pst_auto_free char *gate = pst_gate_program();
	if (pst_gate_works(rt) && gate == NULL)
		tell(r, PST_HEALTH_BAD, "postern-gate", "install postern again",
		     "the program postern-gate is missing, or not root's alone to write");
	pst_auto_free char *keeper = pst_beside("postern-keeper");
	if (c->policy.denials_record && keeper == NULL)
		tell(r, PST_HEALTH_BAD, "postern-keeper", "install postern again, or set /denials/record to false",
		     "the program postern-keeper is missing, or not root's alone to write");
}

static void check_ids(struct report *r, struct pst_ctx *c)
{
	struct pst_idspan pool;
	struct pst_err e = {0};
	if (pst_lease_pool(&pst_lease_sources_default, &pool, &e) != PST_OK) {
		tell(r, PST_HEALTH_BAD, "ids", e.cure, "%s", e.msg);
		return;
	}
	pst_auto_leases l = PST_LEASES_NONE;
	pst_auto_idspans held = {0};
	if (c->sd.fd >= 0 && pst_leases_lock(&c->sd, &l, NULL) == PST_OK)
		(void)!pst_lease_list(&l, &held, NULL);
	tell(r, PST_HEALTH_OK, "ids", "", "%u blocks from %u, %zu leased", pool.len / PST_BLOCK_SIZE,
	     pool.first, held.n);
}

static void check_leftovers(struct report *r, struct pst_ctx *c)
{
	pst_auto_dirnames l = {0};
	if (c->sd.fd < 0 || pst_state_making(&c->sd, &l, NULL) != PST_OK || l.n == 0)
		return;
	tell(r, PST_HEALTH_WARN, "state", "postern doctor --repair",
	     "%zu containers are being made or removed, or their maker died", l.n);
}

int pst_inspect_doctor(const struct pst_global *g, bool repair, struct pst_finding v[], size_t *n,
		       struct pst_notes *notes, struct pst_err *err)
{
	struct report r = {.v = v, .n = n};
	pst_auto_ctx ctx = PST_CTX_NONE;
	pst_auto_json *facts = NULL;
	struct pst_err e = {0};
	*n = 0;
	if (pst_policy_load(g->policy_file, g->policy_required, g->class_name, &ctx.policy, &e) != PST_OK)
		tell(&r, PST_HEALTH_BAD, "policy", e.cure, "%s %s %s", e.file, e.pointer, e.msg);
	else
		tell(&r, PST_HEALTH_OK, "policy", "", "%s", g->policy_file);
	pst_policy_done(&ctx.policy);

	int rc = repair ? pst_ctx_open(g, &ctx, &e) : pst_ctx_look(g, &ctx, &e);
	if (rc != PST_OK) {
		tell(&r, PST_HEALTH_BAD, rc == PST_E_RUNTIME ? "runtime" : "set-up", e.cure, "%s", e.msg);
		return PST_OK;
	}
	if (repair)
		rc = pst_sweep_all(&ctx, notes, err);
	if (rc == PST_OK)
		rc = pst_inspect_facts(g, NULL, &facts, err);
	if (rc != PST_OK)
		return rc;
	check_kernel(&r, facts, ctx.full_root);
	check_memory(&r, ctx.full_root);
	check_limits(&r);
	check_cgroups(&r, facts);
	check_sizes(&r);
	check_network(&r, ctx.full_root);
	check_runtime(&r, &ctx);
	check_ids(&r, &ctx);
	check_leftovers(&r, &ctx);
	return PST_OK;
}

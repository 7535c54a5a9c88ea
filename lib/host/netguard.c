#include "host/netguard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/netshape.h"
#include "host/netside.h"

#define RECORD "network"
#define RECORD_MAX ((size_t)4096)

static int open_netns(pid_t init, int *ret, struct pst_nsid *id, struct pst_err *err)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)init);
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open %s", path);
	const int rc = pst_netside_id(fd, id, err);
	if (rc == PST_OK)
		*ret = PST_TAKE_FD(fd);
	return rc;
}

static int shape(struct pst_statedir *sd, const struct pst_state *st, struct pst_journal *j, int netns,
		 struct pst_netrates want, struct pst_err *err)
{
	struct pst_netends ends;
	int rc = pst_netshape_ends(netns, &ends, err);
	for (size_t i = 0; rc == PST_OK && i < ends.n; i++) {
		pst_auto_json *arg = json_pack("{s:I}", "link", (json_int_t)ends.v[i].index);
		rc = arg == NULL ? pst_fail_nomem(err)
				 : pst_journal_put(j, PST_J_BEGIN, 0, "netlink", arg, NULL, err);
		if (rc == PST_OK)
			rc = pst_netshape_hold(sd, &ends.v[i], st->key, want, err);
	}
	return rc;
}

int pst_netguard_create(struct pst_statedir *sd, const struct pst_state *st, struct pst_journal *j,
			pid_t init, struct pst_netrates want, struct pst_err *err)
{
	pst_auto_fd netns = -1;
	pst_auto_buf text = {0};
	struct pst_nsid id;
	int rc = open_netns(init, &netns, &id, err);
	if (rc != PST_OK)
		return rc;
	pst_buf_fmt(&text, "{\"pid\":%ld,\"dev\":%llu,\"ino\":%llu,\"egress\":%llu,\"ingress\":%llu}\n",
		    (long)init, (unsigned long long)id.dev, (unsigned long long)id.ino,
		    (unsigned long long)want.bits[PST_NET_EGRESS],
		    (unsigned long long)want.bits[PST_NET_INGRESS]);
	rc = pst_buf_ok(&text) ? pst_io_replace(st->fd, RECORD, text.data, text.len, 0600, err)
			       : pst_fail_nomem(err);
	return rc == PST_OK ? shape(sd, st, j, netns, want, err) : rc;
}

struct record {
	uint64_t pid, dev, ino;
	struct pst_netrates want;
};

/* *ret_there false: no limits. */
static int read_record(const struct pst_state *st, struct record *r, bool *ret_there,
		       struct pst_err *err)
{
	pst_auto_buf text = {0};
	pst_auto_json *j = NULL;
	struct pst_err e = {0};
	int rc = pst_io_read_file(st->fd, RECORD, RECORD_MAX, &text, &e);
	*ret_there = rc == PST_OK;
	if (rc == PST_E_HOST && e.sys == ENOENT)
		return PST_OK;
	if (rc == PST_OK)
		rc = pst_json_parse(text.data, text.len, RECORD, &pst_json_oci, &j, &e);
	if (rc != PST_OK) {
		if (err != NULL)
			*err = e;
		return rc;
	}
	return pst_json_u64(json_object_get(j, "pid"), &r->pid) && r->pid <= INT_MAX &&
			       pst_json_u64(json_object_get(j, "dev"), &r->dev) &&
			       pst_json_u64(json_object_get(j, "ino"), &r->ino) &&
			       pst_json_u64(json_object_get(j, "egress"), &r->want.bits[PST_NET_EGRESS]) &&
			       pst_json_u64(json_object_get(j, "ingress"), &r->want.bits[PST_NET_INGRESS])
		       ? PST_OK
		       : pst_fail(err, PST_E_STATE, "", "the record of the container's network is damaged");
}

/* A process id may be somebody else's by now; its namespace would not be the same. */
static int start_locked(struct pst_statedir *sd, const struct pst_state *st, const struct record *r,
			struct pst_err *err)
{
	pst_auto_fd netns = -1;
	pst_auto_journal j = PST_JOURNAL_NONE;
	struct pst_nsid id = {0};
	int rc = open_netns((pid_t)r->pid, &netns, &id, err);
	if (rc == PST_OK && (id.dev != r->dev || id.ino != r->ino))
		rc = pst_fail(err, PST_E_STATE, "", "the container's first process is gone");
	if (rc == PST_OK)
		rc = pst_journal_open(st->fd, &j, err);
	return rc == PST_OK ? shape(sd, st, &j, netns, r->want, err) : rc;
}

int pst_netguard_start(struct pst_statedir *sd, const struct pst_state *st, struct pst_err *err)
{
	struct record r = {0};
	bool there = false;
	int rc = read_record(st, &r, &there, err);
	if (rc != PST_OK || !there)
		return rc;
	while (pst_host->flock(st->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return pst_fail_sys(err, "cannot lock the container's directory");
	rc = start_locked(sd, st, &r, err);
	(void)pst_host->flock(st->fd, LOCK_UN);
	return rc;
}

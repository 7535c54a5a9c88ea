#include "host/netshape.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/aside.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/netshape_priv.h"

#define RECORD_MAX ((size_t)1 << 20)
#define NAME_SIZE 12 /* of a record: the link's index */

static int load(int dir, uint32_t link, struct pst_netstate *ret, bool *ret_there,
		struct pst_err *err)
{
	char name[NAME_SIZE];
	struct pst_err e = {0};
	pst_auto_buf text = {0};
	snprintf(name, sizeof name, "%u", link);
	int rc = pst_io_read_file(dir, name, RECORD_MAX, &text, &e);
	*ret_there = rc == PST_OK;
	if (rc == PST_E_HOST && e.sys == ENOENT)
		return PST_OK;
	if (rc == PST_OK)
		rc = pst_netstate_parse(text.data, text.len, link, ret, &e);
	if (rc != PST_OK && err != NULL)
		*err = e;
	return rc;
}

static int store(struct pst_statedir *sd, int dir, const struct pst_netstate *s, struct pst_err *err)
{
	char name[NAME_SIZE];
	pst_auto_buf text = {0};
	snprintf(name, sizeof name, "%u", s->link);
	if (s->nholder == 0)
		return pst_host->unlinkat(dir, name, 0) == 0 || errno == ENOENT
			       ? PST_OK
			       : pst_fail_sys(err, "cannot remove %s/net/%s", sd->path, name);
	int rc = pst_netstate_print(s, &text, err);
	if (rc == PST_OK)
		rc = pst_io_replace(dir, name, text.data, text.len, 0600, err);
	if (rc != PST_OK)
		(void)pst_statedir_cure(sd, err);
	return rc;
}

static int apply(struct pst_netlink *n, struct pst_netstate *s, struct pst_err *err)
{
	int rc = PST_OK;
	for (int d = 0; rc == PST_OK && d < PST_NET_DIRS; d++)
		rc = pst_nettc_apply(n, s, (enum pst_net_dir)d, err);
	return rc;
}

/* Decide for each direction that is wanted for the first time, and look again at the others. */
static int judge(struct pst_netlink *n, struct pst_netstate *s, struct pst_err *err)
{
	struct pst_netseen seen;
	int rc = pst_nettc_see(n, s->link, &seen, err);
	for (int i = 0; rc == PST_OK && i < PST_NET_DIRS; i++) {
		const enum pst_net_dir d = (enum pst_net_dir)i;
		if (pst_netstate_bits(s, d) == 0)
			continue;
		rc = s->shape[d].by == PST_NET_NOBODY
			     ? pst_netlimit_judge(&seen, d, s->name, &s->shape[d], err)
			     : pst_netlimit_again(&seen, d, s->name, s->mtu, &s->shape[d], err);
	}
	return rc;
}

/* A bucket of theirs that serves several limited links could be put back by none of them. */
static int alone(int dir, const struct pst_netstate *s, struct pst_err *err)
{
	const struct pst_netshape *w = &s->shape[PST_NET_EGRESS];
	pst_auto_dirnames l = {0};
	int rc = w->by == PST_NET_THEIRS ? pst_dirnames_read(dir, &l, err) : PST_OK;
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		pst_auto_netstate other = {0};
		uint64_t link;
		bool there = false;
		if (!pst_num_parse(l.v[i], 10, UINT32_MAX, &link) || link == s->link)
			continue;
		rc = load(dir, (uint32_t)link, &other, &there, err);
		if (rc != PST_OK || !there || other.shape[PST_NET_EGRESS].by != PST_NET_THEIRS ||
		    other.shape[PST_NET_EGRESS].link != w->link)
			continue;
		pst_fail(err, PST_E_POLICY, "/linux/namespaces",
			 "the host's links %s and %s share one bandwidth limit of somebody else's: it cannot be "
			 "lowered for one of them", s->name, other.name);
		return pst_err_cure(err, "give each link an ifb device of its own, or leave the limit out");
	}
	return rc;
}

int pst_netshape_hold(struct pst_statedir *sd, const struct pst_link *end, const char *key,
		      struct pst_netrates want, struct pst_err *err)
{
	pst_auto_fd dir = -1;
	pst_auto_netstate s = {0};
	pst_auto_netlink n = PST_NETLINK_NONE;
	bool there = false;
	int rc = pst_statedir_lock(sd, PST_DIR_NET, &dir, err);
	if (rc == PST_OK)
		rc = load(dir, end->index, &s, &there, err);
	if (rc == PST_OK && !there) {
		s = (struct pst_netstate){.link = end->index, .mtu = end->mtu};
		snprintf(s.name, sizeof s.name, "%s", end->name);
	}
	if (rc == PST_OK)
		rc = pst_netstate_hold(&s, key, want, err);
	if (rc == PST_OK)
		rc = pst_netlink_open(&n, err);
	if (rc == PST_OK)
		rc = judge(&n, &s, err);
	if (rc == PST_OK)
		rc = alone(dir, &s, err);
	if (rc == PST_OK)
		rc = store(sd, dir, &s, err);
	return rc == PST_OK ? apply(&n, &s, err) : rc;
}

/* Lock held. The kernel first: killed behind it, the record says what to do again. */
static int drop(struct pst_statedir *sd, int dir, struct pst_netstate *s, const char *key,
		struct pst_err *err)
{
	pst_auto_netlink n = PST_NETLINK_NONE;
	struct pst_link l;
	bool there = false;
	pst_netstate_drop(s, key);
	int rc = pst_netlink_open(&n, err);
	if (rc == PST_OK)
		rc = pst_nettc_link(&n, s->link, &l, &there, err);
	/* With the link its qdiscs went; what the others wanted of it is nothing now. */
	while (rc == PST_OK && !there && s->nholder > 0)
		pst_netstate_drop(s, s->holder[0].key);
	if (rc == PST_OK)
		rc = apply(&n, s, err);
	return rc == PST_OK ? store(sd, dir, s, err) : rc;
}

int pst_netshape_drop(struct pst_statedir *sd, uint32_t link, const char *key, struct pst_err *err)
{
	pst_auto_fd dir = -1;
	pst_auto_netstate s = {0};
	bool there = false;
	int rc = pst_statedir_lock(sd, PST_DIR_NET, &dir, err);
	if (rc == PST_OK)
		rc = load(dir, link, &s, &there, err);
	return rc == PST_OK && there ? drop(sd, dir, &s, key, err) : rc;
}

static bool holds(const struct pst_netstate *s, const char *key)
{
	for (size_t i = 0; i < s->nholder; i++)
		if (pst_streq(s->holder[i].key, key))
			return true;
	return false;
}

int pst_netshape_buckets(struct pst_statedir *sd, const char *key, struct pst_netbucket *ret, size_t max,
			 size_t *ret_n, struct pst_err *err)
{
	pst_auto_fd dir = -1;
	pst_auto_dirnames l = {0};
	pst_auto_netlink n = PST_NETLINK_NONE;
	*ret_n = 0;
	int rc = pst_statedir_lock(sd, PST_DIR_NET, &dir, err);
	if (rc == PST_OK)
		rc = pst_dirnames_read(dir, &l, err);
	if (rc == PST_OK)
		rc = pst_netlink_open(&n, err);
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		pst_auto_netstate s = {0};
		uint64_t link;
		bool there = false;
		if (!pst_num_parse(l.v[i], 10, UINT32_MAX, &link))
			continue;
		rc = load(dir, (uint32_t)link, &s, &there, err);
		for (int d = 0; rc == PST_OK && there && holds(&s, key) && d < PST_NET_DIRS && *ret_n < max; d++) {
			ret[*ret_n].dir = (enum pst_net_dir)d;
			rc = pst_nettc_bucket(&n, &s, (enum pst_net_dir)d, &ret[*ret_n].link, err);
			*ret_n += rc == PST_OK && ret[*ret_n].link != 0;
		}
	}
	return rc;
}

/* One record: its first holder that has no container, again and again. */
static int sweep_one(struct pst_statedir *sd, int dir, int containers, uint32_t link,
		     struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_netstate s = {0};
	bool there = false;
	int rc = load(dir, link, &s, &there, err);
	for (size_t i = 0; rc == PST_OK && there && i < s.nholder;) {
		struct stat st;
		char key[PST_KEY_LEN + 1];
		memcpy(key, s.holder[i].key, sizeof key);
		if (pst_host->fstatat(containers, key, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) {
			i++;
			continue;
		}
		rc = drop(sd, dir, &s, key, err);
		if (rc == PST_OK && notes != NULL)
			pst_note_add(notes, "", "net", "took the limits of a container that is gone off the link %s",
				     s.name);
	}
	return rc;
}

int pst_netshape_sweep(struct pst_statedir *sd, struct pst_notes *notes, struct pst_err *err)
{
	pst_auto_fd dir = -1;
	pst_auto_dirnames l = {0};
	int containers;
	int rc = pst_statedir_lock(sd, PST_DIR_NET, &dir, err);
	if (rc == PST_OK)
		rc = pst_statedir_sub(sd, PST_DIR_C, &containers, err);
	if (rc == PST_OK)
		rc = pst_dirnames_read(dir, &l, err);
	for (size_t i = 0; rc == PST_OK && i < l.n; i++) {
		uint64_t link;
		if (pst_num_parse(l.v[i], 10, UINT32_MAX, &link))
			rc = sweep_one(sd, dir, containers, (uint32_t)link, notes, err);
	}
	return rc;
}

/* In a namespace that ends with the child: both directions of its loopback. */
static int try_all(void *arg, void *io, struct pst_err *err)
{
	(void)arg;
	(void)io;
	pst_auto_netlink n = PST_NETLINK_NONE;
	struct pst_netstate s = {.link = 1, .mtu = 1500, .name = "lo"};
	if (pst_host->unshare(CLONE_NEWNET) != 0)
		return pst_fail_sys(err, "cannot make a network namespace");
	s.shape[PST_NET_EGRESS] = (struct pst_netshape){.by = PST_NET_OURS};
	s.shape[PST_NET_INGRESS] = (struct pst_netshape){.by = PST_NET_OURS};
	const struct pst_netrates some = {{1000000, 1000000}};
	int rc = pst_netstate_hold(&s, "00000000000000000000000000000000", some, err);
	if (rc == PST_OK)
		rc = pst_netlink_open(&n, err);
	if (rc == PST_OK)
		rc = apply(&n, &s, err);
	pst_netstate_done(&s);
	return rc;
}

int pst_netshape_works(struct pst_err *err)
{
	return pst_aside_run(try_all, NULL, NULL, 0, err);
}

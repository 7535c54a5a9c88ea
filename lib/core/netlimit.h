/*
 * core/netlimit.h - limits of a container's network: which links, how fast, and what
 * somebody else's shaping may be touched. Pure.
 *
 * A container's links are limited where it cannot reach: at their ends in the host's
 * namespace. What enters the container waits in a token bucket filter at the root of
 * the host end; what leaves it is redirected to an ifb device, which has another.
 *
 * Rates are bits a second here, as people write them; of struct pst_tbf bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/policy.h"
#include "core/rtnl.h"

/* "egress", "ingress"; the last part of the policy's pointer too. */
const char *pst_net_dir_word(enum pst_net_dir d);

/* One rate a direction; 0: no limit. */
struct pst_netrates {
	uint64_t bits[PST_NET_DIRS];
};

/* Least and most a limit may be: below a thousand bits no handshake ends. */
#define PST_NET_RATE_MIN UINT64_C(1000)
#define PST_NET_RATE_MAX UINT64_C(1000000000000000)

/* "1Gbit/s", "2500kbit/s": in the largest unit that leaves no fraction. buf is returned. */
const char *pst_netlimit_text(uint64_t bits, char buf[32]);

/* Handle of our own qdiscs: "ps". */
#define PST_NET_HANDLE UINT32_C(0x70730000)

/*
 * A bucket for `bits` on a link with this mtu. 40 ms may leave at once, since a busy machine
 * lets a bucket wait for its turn that long, and 50 ms may wait in it; but at least two and
 * sixteen full frames: less would drop what it means to delay.
 */
struct pst_tbf pst_netlimit_tbf(uint64_t bits, uint32_t mtu);

/*
 * A link inside the container's namespace. host_ns is the number that namespace gives
 * the host's (-1: none, so that no link of it leads there).
 *
 * *ret_limit: its host end has to be limited. Else nothing has: loopback, a veth with both
 * ends inside, what sends through other links inside (a bridge, a vlan, a tunnel).
 * PST_E_POLICY: it leads out where nothing of ours would see it: a device moved inside, a
 * macvlan of a host device, a tap whose packets a process carries.
 */
PST_CHECKED int pst_netlimit_inner(const struct pst_link *l, int32_t host_ns, bool *ret_limit,
				   struct pst_err *err);

/*
 * Is `host`, found by the index `inner` names, truly the other end of it? container_ns
 * is the number the host's namespace gives the container's. Else PST_E_POLICY.
 */
PST_CHECKED int pst_netlimit_pair(const struct pst_link *inner, const struct pst_link *host,
				  int32_t container_ns, struct pst_err *err);

/* Who limits one direction of a link. */
enum pst_net_by {
	PST_NET_NOBODY,
	PST_NET_OURS,
	PST_NET_THEIRS, /* a CNI plugin's: left if tighter, lowered in place and put back if not */
};

struct pst_netshape {
	enum pst_net_by by;
	uint32_t link; /* carries the bucket; 0: an ifb of ours, found by its name */
	uint32_t handle;
	uint64_t rate; /* of theirs, bytes a second */
	uint8_t options[PST_RTNL_OPTIONS]; /* of theirs, as they were */
	size_t noptions;
};

/* What stands on a host end now. */
struct pst_netseen {
	uint32_t link;
	bool has_root, has_ingress;
	struct pst_qdisc root, ingress; /* has_root false: the kernel's default */
	size_t rules;                   /* filters of what enters */
	struct pst_filter rule;         /* if there is one: it */
	struct pst_link to;             /* the link it redirects to; kind "" if none */
	bool to_has_root;
	struct pst_qdisc to_root;
	bool to_ours;  /* that link is the ifb that we made for this one */
	bool programs; /* bpf programs are attached (tcx, XDP) */
};

/*
 * What to do for direction `d` of a link nobody of ours has touched. PST_E_POLICY, with
 * the link's name and the cure, when what stands there is neither nothing nor a token
 * bucket: another qdisc, clsact, other filters or bpf programs, which would see packets
 * before ours or not at all behind it.
 */
PST_CHECKED int pst_netlimit_judge(const struct pst_netseen *s, enum pst_net_dir d, const char *name,
				   struct pst_netshape *ret, struct pst_err *err);

/*
 * The same for a direction that we judged before, when the container is about to start, or another
 * joins its links: what stands there has to be what we put or found there, in part or all of
 * it (we may have been killed). *w is of then; a bucket of theirs that somebody changed since
 * is what they want now. mtu: of the link. PST_E_POLICY as above.
 */
PST_CHECKED int pst_netlimit_again(const struct pst_netseen *s, enum pst_net_dir d, const char *name,
				   uint32_t mtu, struct pst_netshape *w, struct pst_err *err);

/*
 * Their bucket as it stands: is it as they left it, or as we lowered it (by its size, which follows
 * from the rate)? Else *w becomes what it is now; false when that could not be put back.
 */
PST_CHECKED bool pst_netlimit_theirs_now(const struct pst_qdisc *now, uint32_t mtu, struct pst_netshape *w,
					 bool *ret_lowered);

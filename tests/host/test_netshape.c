#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../fault/failing.h"
#include "base/fd.h"
#include "ground.h"
#include "host/netlink.h"
#include "host/netshape.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct pst_statedir sd = PST_STATEDIR_NONE;
static int inner = -1; /* a namespace, as a container has one */

/* "Host" is a network namespace of the test's own, so nothing of it outlives the test. */
static void enter(void)
{
	struct pst_err err = {0};
	char path[300];
	ground_enter();
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	inner = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	snprintf(path, sizeof path, "%s/state", ground_dir);
	cr_assert_eq(pst_statedir_open(path, &sd, &err), PST_OK, "%s", err.msg);
}

static void leave(void)
{
	pst_statedir_close(&sd);
	pst_fd_close(inner);
	ground_leave();
}

TestSuite(netshape, .init = enter, .fini = leave, .timeout = 60);

/* A pair of the host and the inner namespace. */
static void pair(const char *host, const char *in)
{
	char cmd[256];
	snprintf(cmd, sizeof cmd, "ip link add %s type veth peer name %s netns /proc/%d/fd/%d && ip link set %s up",
		 host, in, getpid(), inner, host);
	cr_assert_eq(ground_sh(cmd), 0);
}

static int sh_inside(const char *script)
{
	char cmd[512];
	snprintf(cmd, sizeof cmd, "nsenter --net=/proc/%d/fd/%d sh -c '%s'", getpid(), inner, script);
	return ground_sh(cmd);
}

static const struct pst_netrates both = {{80000000, 40000000}};

static struct pst_netends ends(void)
{
	struct pst_netends e;
	struct pst_err err = {0};
	cr_assert_eq(pst_netshape_ends(inner, &e, &err), PST_OK, "%s", err.msg);
	return e;
}

static int hold(const struct pst_link *l, const char *key, struct pst_netrates want)
{
	struct pst_err err = {0};
	const int rc = pst_netshape_hold(&sd, l, key, want, &err);
	if (rc != PST_OK)
		fprintf(stderr, "# %s\n", err.msg);
	return rc;
}

static void drop(uint32_t link, const char *key)
{
	struct pst_err err = {0};
	cr_assert_eq(pst_netshape_drop(&sd, link, key, &err), PST_OK, "%s", err.msg);
}

/* What tc and ip show, in a file. */
static void picture(const char *file)
{
	char cmd[256];
	snprintf(cmd, sizeof cmd, "{ tc qdisc show; for l in $(ip -o link show | sed 's/^[0-9]*: //; s/[@:].*//'); do tc filter show dev $l "
		 "ingress; done; ip -o link show; } >%s", file);
	cr_assert_eq(ground_sh(cmd), 0);
}

Test(netshape, both_directions_are_limited_and_taken_off_as_if_nothing_had_been)
{
	pair("h0", "eth0");
	picture("before");
	const struct pst_netends e = ends();
	cr_assert_eq(e.n, 1);
	cr_assert_str_eq(e.v[0].name, "h0");
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'tbf 7073: .* rate 40Mbit' &&"
			       "tc qdisc show dev pst2 | grep -q 'tbf 7073: .* rate 80Mbit' &&"
			       "tc filter show dev h0 ingress | grep -q 'Redirect to device pst2'"), 0);
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK, "again changes nothing");
	cr_assert_eq(ground_sh("test $(tc filter show dev h0 ingress | grep -c Redirect) = 1"), 0);
	drop(e.v[0].index, A);
	drop(e.v[0].index, A);
	picture("after");
	cr_assert_eq(ground_sh("diff before after >&2 && test -z \"$(ls state/net)\""), 0);
}

Test(netshape, of_two_holders_the_tighter_counts_and_the_last_takes_it_off)
{
	pair("h0", "eth0");
	picture("before");
	const struct pst_netends e = ends();
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(hold(&e.v[0], B, (struct pst_netrates){{0, 8000000}}), PST_OK);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'rate 8Mbit' &&"
			       "tc qdisc show dev pst2 | grep -q 'rate 80Mbit'"), 0);
	drop(e.v[0].index, B);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'rate 40Mbit'"), 0);
	cr_assert_eq(hold(&e.v[0], B, (struct pst_netrates){{0, 8000000}}), PST_OK);
	drop(e.v[0].index, A);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'rate 8Mbit' &&"
			       "! ip link show pst2 2>/dev/null"), 0);
	drop(e.v[0].index, B);
	picture("after");
	cr_assert_eq(ground_sh("diff before after >&2"), 0);
}

#define PLUGIN                                                                                \
	"tc qdisc add dev h0 root handle 1: tbf rate %s burst 200kb latency 25ms &&"          \
	"ip link add bwp1 type ifb && ip link set bwp1 up && tc qdisc add dev h0 ingress &&" \
	"tc filter add dev h0 parent ffff: protocol all prio 7 u32 match u32 0 0 flowid 1:1 "  \
	"action mirred egress redirect dev bwp1 &&"                                           \
	"tc qdisc add dev bwp1 root handle 1: tbf rate %s burst 200kb latency 25ms"

Test(netshape, a_plugin_s_shape_is_left_when_tighter_and_lowered_and_put_back_when_not)
{
	char cmd[1024];
	pair("h0", "eth0");
	snprintf(cmd, sizeof cmd, PLUGIN, "10mbit", "1gbit");
	cr_assert_eq(ground_sh(cmd), 0);
	picture("before");
	const struct pst_netends e = ends();
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'tbf 1: .* rate 10Mbit' &&"
			       "tc qdisc show dev bwp1 | grep -q 'tbf 1: .* rate 80Mbit' &&"
			       "! ip link show pst2 2>/dev/null"), 0);
	drop(e.v[0].index, A);
	picture("after");
	cr_assert_eq(ground_sh("diff before after >&2"), 0);
}

Test(netshape, anything_else_that_stands_there_is_refused_and_left)
{
	static const char *const other[] = {
		"tc qdisc add dev h0 root handle 5: pfifo limit 10",
		"tc qdisc add dev h0 clsact",
		"tc qdisc add dev h0 ingress",
		("tc qdisc add dev h0 ingress && tc filter add dev h0 parent ffff: protocol ip prio 1 u32 "
		 "match ip dst 10.0.0.1/32 action mirred egress redirect dev lo"),
	};
	pair("h0", "eth0");
	const struct pst_netends e = ends();
	for (size_t i = 0; i < PST_NELEM(other); i++) {
		cr_assert_eq(ground_sh(other[i]), 0, "%s", other[i]);
		picture("before");
		cr_assert_eq(hold(&e.v[0], A, both), PST_E_POLICY, "%s", other[i]);
		drop(e.v[0].index, A);
		picture("after");
		cr_assert_eq(ground_sh("diff before after >&2 && test -z \"$(ls state/net)\""), 0);
		(void)ground_sh("tc qdisc del dev h0 root 2>/dev/null || true; tc qdisc del dev h0 clsact 2>/dev/null || tc qdisc del dev h0 ingress 2>/dev/null || true");
	}
}

/* What stands there was right when the container was made; it is looked at again before it starts. */
Test(netshape, what_came_between_create_and_start_is_refused)
{
	static const char *const came[] = {
		"tc qdisc replace dev h0 root handle 5: pfifo limit 10",
		("tc filter add dev h0 parent ffff: protocol ip prio 1 u32 match ip dst 10.0.0.1/32 "
		 "action mirred egress redirect dev lo"),
		"tc qdisc replace dev pst2 root handle 5: pfifo limit 10",
	};
	static const char *const took[] = {
		"tc qdisc del dev h0 root 2>/dev/null || true",
		"tc filter del dev h0 parent ffff: prio 1; tc qdisc del dev h0 ingress 2>/dev/null || true",
		"true",
	};
	pair("h0", "eth0");
	const struct pst_netends e = ends();
	for (size_t i = 0; i < PST_NELEM(came); i++) {
		cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
		cr_assert_eq(ground_sh(came[i]), 0, "%s", came[i]);
		cr_assert_eq(hold(&e.v[0], A, both), PST_E_POLICY, "%s", came[i]);
		drop(e.v[0].index, A);
		cr_assert_eq(ground_sh(took[i]), 0, "%s", took[i]);
	}
}

Test(netshape, what_they_changed_meanwhile_is_left_to_them)
{
	static const char change[] = "tc qdisc change dev h0 root handle 1: tbf rate 500mbit burst 300kb latency 25ms";
	char cmd[1024];
	pair("h0", "eth0");
	snprintf(cmd, sizeof cmd, PLUGIN, "1gbit", "1gbit");
	cr_assert_eq(ground_sh(cmd), 0);
	const struct pst_netends e = ends();
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'rate 40Mbit'"), 0);
	cr_assert_eq(ground_sh(change), 0);
	picture("before");
	cr_assert_eq(hold(&e.v[0], B, both), PST_OK, "lowered again");
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'rate 40Mbit'"), 0);
	drop(e.v[0].index, A);
	drop(e.v[0].index, B);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'tbf 1: .* rate 500Mbit burst 30'"), 0);
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(ground_sh(change), 0);
	drop(e.v[0].index, A);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q 'tbf 1: .* rate 500Mbit burst 30' &&"
			       "test -z \"$(ls state/net)\""), 0);
}

Test(netshape, one_bucket_of_theirs_for_two_links_is_refused)
{
	char cmd[1024];
	pair("h0", "eth0");
	pair("h1", "eth1");
	snprintf(cmd, sizeof cmd, PLUGIN " && tc qdisc add dev h1 ingress && tc filter add dev h1 parent ffff: protocol "
		 "all prio 7 u32 match u32 0 0 flowid 1:1 action mirred egress redirect dev bwp1", "1gbit", "1gbit");
	cr_assert_eq(ground_sh(cmd), 0);
	picture("before");
	const struct pst_netends e = ends();
	cr_assert_eq(e.n, 2);
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(hold(&e.v[1], A, both), PST_E_POLICY);
	drop(e.v[1].index, A);
	drop(e.v[0].index, A);
	picture("after");
	cr_assert_eq(ground_sh("diff before after >&2 && test -z \"$(ls state/net)\""), 0);
}

/* XDP_PASS on the link; 0 or an errno. */
static int put_xdp(uint32_t link)
{
	const struct bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2 /* XDP_PASS */},
					{.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)pass, .insn_cnt = 2,
			       .license = (uintptr_t) "GPL"};
	const int prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
	if (prog < 0)
		return errno;
	union bpf_attr link_it = {.link_create = {.prog_fd = (uint32_t)prog, .target_ifindex = link,
						  .attach_type = BPF_XDP}};
	return syscall(SYS_bpf, BPF_LINK_CREATE, &link_it, sizeof link_it) < 0 ? errno : 0;
}

Test(netshape, an_xdp_program_that_would_see_packets_first_is_refused)
{
	pair("h0", "eth0");
	const struct pst_netends e = ends();
	const int no = put_xdp(e.v[0].index);
	if (no != 0) {
		cr_skip_test("no XDP here: %s", strerror(no));
		return;
	}
	cr_assert_eq(hold(&e.v[0], A, both), PST_E_POLICY);
}

Test(netshape, links_inside_are_told_apart)
{
	struct pst_netends e;
	struct pst_err err = {0};
	cr_assert_eq(ends().n, 0, "a loopback alone");
	cr_assert_eq(sh_inside("ip link add in0 type veth peer name in1;"
			       "ip link add br0 type bridge; ip link set in0 master br0"), 0);
	cr_assert_eq(ends().n, 0, "nothing leads out");
	pair("h0", "eth0");
	pair("h1", "net1");
	cr_assert_eq(ends().n, 2);
	cr_assert_eq(sh_inside("ip link add link eth0 name mac1 type macvlan"), 0);
	cr_assert_eq(ends().n, 2, "a macvlan on a limited link");
	char cmd[200];
	snprintf(cmd, sizeof cmd, "ip link add link h1 name mac0 type macvlan && ip link set mac0 netns /proc/%d/fd/%d",
		 getpid(), inner);
	cr_assert_eq(ground_sh(cmd), 0);
	cr_assert_eq(pst_netshape_ends(inner, &e, &err), PST_E_POLICY);
	cr_assert(strstr(err.msg, "mac0 (macvlan)") != NULL, "%s", err.msg);
}

Test(netshape, a_veth_into_a_third_namespace_and_our_own_are_refused)
{
	struct pst_netends e;
	struct pst_err err = {0};
	pst_auto_fd mine = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(pst_netshape_ends(mine, &e, &err), PST_E_POLICY);
	cr_assert_eq(sh_inside("ip netns list >/dev/null; unshare --net sh -c \"sleep 5\" & sleep 0.3;"
			       "ip link add x0 type veth peer name x1 netns $!"), 0);
	cr_assert_eq(pst_netshape_ends(inner, &e, &err), PST_E_POLICY);
	cr_assert(strstr(err.msg, "x0") != NULL, "%s", err.msg);
}

Test(netshape, a_link_that_went_away_takes_the_rest_with_it)
{
	pair("h0", "eth0");
	const struct pst_netends e = ends();
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(hold(&e.v[0], B, both), PST_OK);
	cr_assert_eq(sh_inside("ip link del eth0"), 0);
	drop(e.v[0].index, A);
	cr_assert_eq(ground_sh("! ip link show pst2 2>/dev/null && test -z \"$(ls state/net)\""), 0);
	drop(e.v[0].index, B);
}

Test(netshape, a_sweep_drops_holders_without_a_container)
{
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	pair("h0", "eth0");
	picture("before");
	const struct pst_netends e = ends();
	ground_mkdir("state/c/" B);
	cr_assert_eq(ground_sh("chmod -R go-w state"), 0);
	cr_assert_eq(hold(&e.v[0], A, both), PST_OK);
	cr_assert_eq(hold(&e.v[0], B, both), PST_OK);
	cr_assert_eq(pst_netshape_sweep(&sd, &notes, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(notes.n, 1);
	cr_assert_eq(ground_sh("tc qdisc show dev h0 root | grep -q tbf && rmdir state/c/" B), 0);
	cr_assert_eq(pst_netshape_sweep(&sd, &notes, &err), PST_OK, "%s", err.msg);
	picture("after");
	cr_assert_eq(ground_sh("diff before after >&2 && test -z \"$(ls state/net)\""), 0);
	pst_notes_done(&notes);
}

Test(netshape, a_link_of_our_name_that_is_not_ours_is_left_alone)
{
	struct pst_err err = {0};
	pair("h0", "eth0");
	const struct pst_netends e = ends();
	cr_assert_eq(ground_sh("ip link add pst2 type ifb"), 0);
	cr_assert_eq(hold(&e.v[0], A, both), PST_E_STATE);
	cr_assert_eq(pst_netshape_drop(&sd, e.v[0].index, A, &err), PST_E_STATE);
	cr_assert_eq(ground_sh("ip link show pst2 && ip link del pst2"), 0);
	drop(e.v[0].index, A);
}

/* I-5: the k-th operation fails, while links are found and limited and while the limits
 * are taken off; done again, nothing is left. */
Test(netshape, no_failing_operation_leaves_anything)
{
	unsigned k;
	pair("h0", "eth0");
	picture("before");
	failing = mmap(NULL, sizeof *failing, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(failing, MAP_FAILED);
	for (k = 1; k < 500; k++) {
		struct pst_netends e = {0};
		*failing = (struct failing){.at = k, .err = k % 2 == 0 ? ENOMEM : EIO};
		failing_use(true);
		int rc = pst_netshape_ends(inner, &e, NULL);
		if (rc == PST_OK && e.n == 1)
			rc = pst_netshape_hold(&sd, &e.v[0], A, both, NULL);
		if (rc == PST_OK && e.n == 1)
			(void)!pst_netshape_drop(&sd, e.v[0].index, A, NULL);
		failing_use(false);
		if (failing->count < k)
			break;
		cr_assert(rc == PST_OK || e.n <= 1);
		drop(2, A);
		picture("after");
		cr_assert_eq(ground_sh("diff before after >&2 && test -z \"$(ls state/net)\""), 0,
			     "operation %u (%s)", k, failing->name);
	}
	cr_assert(k > 60 && k < 500, "%u", k);
}

Test(netshape, this_kernel_can_limit_both_directions)
{
	struct pst_err err = {0};
	cr_assert_eq(pst_netshape_works(&err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh("test $(ip -o link show | wc -l) = 1"), 0, "in a namespace of its own");
}

Test(netshape, what_did_not_come_from_the_kernel_is_not_an_answer)
{
	struct pst_err err = {0};
	struct pst_rtnl m;
	pst_auto_netlink n = PST_NETLINK_NONE;
	cr_assert_eq(pst_netlink_open(&n, &err), PST_OK);
	pst_rtnl_link(&m, 999);
	cr_assert_eq(pst_netlink_ask(&n, &m, NULL, NULL, "look", &err), PST_E_HOST);
	cr_assert_eq(err.sys, 19 /* ENODEV */);
	cr_assert_str_eq(err.msg, "cannot look: No such device");
}

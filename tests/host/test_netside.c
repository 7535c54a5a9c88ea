#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "ground.h"
#include "host/netside.h"
#include "host/stage.h"

TestSuite(netside, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static int here(void)
{
	return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A fresh namespace, as CNI makes one: owned by the host's user namespace. */
static int fresh(const char *type, int flag)
{
	char path[64];
	int p[2];
	cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		const char c = unshare(flag) == 0 ? 'y' : 'n';
		(void)!write(p[1], &c, 1);
		pause();
		_exit(0);
	}
	char c = 0;
	cr_assert_eq(read(p[0], &c, 1), 1);
	cr_assert_eq(c, 'y');
	(void)snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, type);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	return fd;
}

/* The machine's network namespace; process 1 of a sandbox may hide its own. */
static int machine(void)
{
	const int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

Test(netside, sysfs_shows_the_interfaces_of_that_namespace_only)
{
	struct pst_err err = {0};
	pst_auto_fd stage = here(), ns = fresh("net", CLONE_NEWNET);
	cr_assert_eq(pst_netside_sysfs(ns, stage, "sys", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh("test \"$(ls sys/class/net)\" = lo; test -z \"$(ls sys/fs/cgroup)\";"
			       "! mkdir sys/x 2>/dev/null; grep -q ' .*/sys ro,nosuid,nodev,noexec' "
			       "/proc/self/mountinfo"),
		     0);
	/* the caller has not moved */
	cr_assert_eq(pst_netside_sysfs(-1, stage, "mine", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh("test \"$(ls mine/class/net)\" = \"$(ls /sys/class/net)\""), 0);
}

Test(netside, a_descriptor_that_is_no_network_namespace_is_an_error_and_mounts_nothing)
{
	struct pst_err err = {0};
	pst_auto_fd stage = here(), ipc = fresh("ipc", CLONE_NEWIPC);
	const int before = ground_mounts();
	cr_assert_eq(pst_netside_sysfs(ipc, stage, "sys", &err), PST_E_HOST);
	cr_assert_eq(err.sys, EINVAL);
	cr_assert_eq(ground_mounts(), before);
}

Test(netside, message_queues_are_those_of_the_ipc_namespace)
{
	struct pst_err err = {0};
	pst_auto_fd stage = here(), ipc = fresh("ipc", CLONE_NEWIPC);
	cr_assert_eq(pst_netside_mqueue(ipc, stage, "mq", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_netside_mqueue(-1, stage, "mine", &err), PST_OK, "%s", err.msg);
	cr_assert_eq(ground_sh(": >mq/only-there; test ! -e mine/only-there"), 0);
}

Test(netside, parameters_are_written_in_that_namespace_and_the_old_value_told)
{
	struct pst_err err = {0};
	pst_auto_fd ns = fresh("net", CLONE_NEWNET);
	struct pst_sysctl v[] = {
		{.key = "net.ipv4.ip_unprivileged_port_start", .value = "0"},
		{.key = "net.ipv4.ping_group_range", .value = "0 2147483647"},
		{.key = "net/ipv4/conf/lo/forwarding"},
	};
	char host[64];
	(void)snprintf(host, sizeof host, "%s", ground_read("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
	cr_assert_eq(pst_netside_sysctl(ns, v, 3, &err), PST_OK, "%s", err.msg);
	cr_assert_str_eq(v[0].old, "1024");
	cr_assert(v[2].old[0] != '\0');
	struct pst_sysctl again = {.key = v[0].key};
	cr_assert_eq(pst_netside_sysctl(ns, &again, 1, &err), PST_OK);
	cr_assert_str_eq(again.old, "0");
	cr_assert_str_eq(ground_read("/proc/sys/net/ipv4/ip_unprivileged_port_start"), host);
}

Test(netside, a_failed_write_puts_the_earlier_ones_back)
{
	struct pst_err err = {0};
	pst_auto_fd ns = fresh("net", CLONE_NEWNET);
	struct pst_sysctl v[] = {
		{.key = "net.ipv4.ip_unprivileged_port_start", .value = "80"},
		{.key = "net.ipv4.ping_group_range", .value = "no range"},
	};
	cr_assert_eq(pst_netside_sysctl(ns, v, 2, &err), PST_E_HOST);
	cr_assert(strstr(err.msg, "ping_group_range") != NULL, "%s", err.msg);
	struct pst_sysctl again = {.key = v[0].key};
	cr_assert_eq(pst_netside_sysctl(ns, &again, 1, &err), PST_OK);
	cr_assert_str_eq(again.old, "1024");
}

Test(netside, the_machine_s_own_network_is_never_changed)
{
	struct pst_err err = {0};
	pst_auto_fd ns = machine();
	struct pst_sysctl v = {.key = "net.ipv4.ip_forward", .value = "0"};
	cr_assert_eq(pst_netside_sysctl(ns, &v, 1, &err), PST_E_POLICY);
	v.value = NULL;
	cr_assert_eq(pst_netside_sysctl(ns, &v, 1, &err), PST_OK, "%s", err.msg);
}

Test(netside, keys_follow_the_rules_of_sysctl)
{
	static const struct {
		const char *key, *path;
	} ok[] = {{"net.ipv4.ip_forward", "net/ipv4/ip_forward"},
		  {"net/ipv4/conf/eth0.1/mtu", "net/ipv4/conf/eth0.1/mtu"},
		  {"net.ipv4.conf.eth0/1.mtu", "net/ipv4/conf/eth0.1/mtu"}};
	static const char *const bad[] = {"kernel.hostname",	"net",	  "net.",	  "net/../kernel/x",
					  "net./.kernel", "net..ipv4", "/net/ipv4/x", ""};
	char path[256];
	struct pst_err err = {0};
	for (size_t i = 0; i < PST_NELEM(ok); i++) {
		cr_assert_eq(pst_netside_sysctl_path(ok[i].key, path, sizeof path, &err), PST_OK);
		cr_assert_str_eq(path, ok[i].path);
	}
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_assert_eq(pst_netside_sysctl_path(bad[i], path, sizeof path, &err), PST_E_SPEC, "%s",
			     bad[i]);
}

Test(netside, the_machine_s_namespaces_and_owners_are_known)
{
	struct pst_err err = {0};
	struct pst_nsid owner, mine;
	bool host = true;
	pst_auto_fd ns = fresh("net", CLONE_NEWNET), user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	pst_auto_fd one = machine(), theirs = ground_userns();
	cr_assert_eq(pst_netside_is_host(ns, "net", &host, &err), PST_OK);
	cr_assert_not(host);
	cr_assert_eq(pst_netside_is_host(one, "net", &host, &err), PST_OK);
	cr_assert(host);
	cr_assert_eq(pst_netside_owner(ns, &owner, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_netside_id(user, &mine, &err), PST_OK);
	cr_assert(owner.ino == mine.ino && owner.dev == mine.dev);
	/* a user namespace's owner is its parent */
	cr_assert_eq(pst_netside_owner(theirs, &owner, &err), PST_OK);
	cr_assert_eq(owner.ino, mine.ino);
}

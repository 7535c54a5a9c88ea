/*
 * I-4, I-5: the k-th host operation fails, for every k, through create and delete
 * of a real container over an overlay rootfs with a volume. Afterwards nothing
 * may be left: no container, lease, stage, mount of ours, state of the runtime.
 *
 * With --network NAME it joins a network namespace with one link to the host, and policy
 * limits that: its qdiscs have to be as they were, too. --every N fails each N-th only.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing.h"
#include "host/container.h"
#include "host/inspect.h"

static char dir[] = "/var/tmp/pst-fault.XXXXXX";
static char state[64], root[64], bundle[64], policy[64] = "/nonexistent/policy.json";
static const char *network; /* a namespace to be made, and the name of its link */

static int sh(const char *script)
{
	char cmd[4096];
	snprintf(cmd, sizeof cmd, "cd %s && { %s\n} >/dev/null 2>&1", dir, script);
	return system(cmd);
}

static struct pst_global global(void)
{
	return (struct pst_global){.state_dir = state, .policy_file = policy,
				   .root = root};
}

static int set_up(void)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(state, sizeof state, "%s/state", dir);
	snprintf(root, sizeof root, "%s/runc", dir);
	snprintf(bundle, sizeof bundle, "%s/b", dir);
	return sh("chmod 755 . && mkdir -p low/bin low/proc low/sys low/dev up work rootfs vol b &&"
		  "cp /bin/busybox low/bin/ && ln -s busybox low/bin/sleep &&"
		  "mount -t overlay overlay -o lowerdir=$PWD/low,upperdir=$PWD/up,workdir=$PWD/work rootfs &&"
		  "cd b && runc spec && sed -i -e 's/\"terminal\": true/\"terminal\": false/' "
		  "-e 's#\"sh\"#\"sleep\",\"100\"#' -e \"s#\\\"path\\\": \\\"rootfs\\\"#\\\"path\\\": \\\"$OLDPWD/rootfs\\\"#\" "
		  "-e \"s#\\\"mounts\\\": \\[#\\\"mounts\\\": [{\\\"destination\\\":\\\"/vol\\\",\\\"type\\\":\\\"bind\\\","
		  "\\\"source\\\":\\\"$OLDPWD/vol\\\",\\\"options\\\":[\\\"rbind\\\",\\\"ro\\\"]},#\" config.json");
}

static int set_up_network(void)
{
	char script[1024];
	if (network == NULL)
		return 0;
	snprintf(policy, sizeof policy, "%s/policy.json", dir);
	snprintf(script, sizeof script,
		 "echo '{\"version\":1,\"limits\":{\"network\":{\"egress\":\"9Mbit\",\"ingress\":\"9Mbit\"}}}' >policy.json &&"
		 "chmod 644 policy.json && ip netns add %s && ip link add %s type veth peer name eth0 netns %s &&"
		 "ip link set %s up && sed -i 's#\"type\": \"network\"#&,\"path\":\"/run/netns/%s\"#' b/config.json &&"
		 "{ tc qdisc show dev %s; ls /sys/class/net; } >net.before", network, network, network, network,
		 network, network);
	return sh(script);
}

static void remove_network(void)
{
	char script[64];
	if (network == NULL)
		return;
	snprintf(script, sizeof script, "ip netns del %s", network);
	(void)!sh(script);
}

static bool network_differs(void)
{
	char script[256];
	if (network == NULL)
		return false;
	snprintf(script, sizeof script, "{ tc qdisc show dev %s; ls /sys/class/net; } | cmp - net.before", network);
	return sh(script) != 0;
}

static unsigned entries(const char *sub)
{
	char path[128];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/%s", state, sub);
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

/* What is left, in words; "" is nothing. */
static void left(char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s%s%s%s%s", entries("c") ? "container " : "",
		 entries("making") ? "making " : "", entries("ids") ? "lease " : "",
		 entries("stage") ? "stage " : "", access(root, F_OK) == 0 && sh("! ls runc/f1") ? "runtime " : "",
		 sh("! grep -q $PWD'.* - overlay postern-' /proc/self/mountinfo") ? "mount " : "",
		 network != NULL && entries("net") ? "record " : "", network_differs() ? "network " : "");
}

/* A verb with failing operations: silent, as the front end would call it. */
static void begin(void)
{
	const int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	failing_use(true);
}

static void create(void)
{
	const struct pst_global g = global();
	const struct pst_create c = {.id = "f1", .bundle = bundle};
	struct pst_err err = {0};
	begin();
	_exit(pst_container_create(&g, &c, &err) == PST_OK ? 0 : 1);
}

static void delete(void)
{
	const struct pst_global g = global();
	struct pst_err err = {0};
	int status = 0;
	begin();
	_exit(pst_container_delete(&g, "f1", true, &status, &err) == PST_OK ? 0 : 1);
}

/* In a child of its own, as each verb is: create changes its namespaces. */
static int child(void (*what)(void))
{
	const pid_t pid = fork();
	if (pid == 0) {
		what();
		_exit(0);
	}
	int st;
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	return st;
}

static void act(void)
{
	if (child(create) == 0)
		child(delete);
}

/* The caller's own tries: delete what is whole, then doctor --repair. */
static void repair(void)
{
	const struct pst_global g = global();
	struct pst_finding v[PST_FINDINGS_MAX];
	struct pst_notes notes = {0};
	size_t n;
	struct pst_err err = {0};
	int status;
	const int null = open("/dev/null", O_RDWR);
	dup2(null, 1);
	dup2(null, 2);
	(void)!pst_inspect_doctor(&g, true, v, &n, &notes, &err);
	if (entries("c") != 0)
		(void)!pst_container_delete(&g, "f1", true, &status, &err);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const int errnos[] = {EIO, ENOSPC, EPERM, ENOMEM};
	unsigned k, bad = 0, by_itself = 0, sorts = 0;
	unsigned every = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--network") == 0)
			network = argv[i + 1];
		if (strcmp(argv[i], "--every") == 0)
			every = (unsigned)strtoul(argv[i + 1], NULL, 10);
	}
	if (geteuid() != 0 || access("/bin/busybox", X_OK) != 0) {
		const char *must = getenv("POSTERN_MUST_WORK");
		printf("1..1\n%s\n", must != NULL && *must == '1' ? "not ok 1 - needs root and busybox"
								  : "ok 1 - loop # SKIP needs root and busybox");
		return 0;
	}
	failing = mmap(NULL, sizeof *failing, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (failing == MAP_FAILED || set_up() != 0 || set_up_network() != 0) {
		printf("1..1\nnot ok 1 - set-up\n");
		return 1;
	}
	*failing = (struct failing){0};
	act(); /* caches are warm from here on: the same operations every time */
	for (k = 1; k < 2000; k += every) {
		char words[200];
		*failing = (struct failing){.at = k, .err = errnos[k % 4]};
		act();
		if (failing->count < k)
			break;
		left(words, sizeof words);
		by_itself += words[0] == '\0';
		child(repair);
		left(words, sizeof words);
		sorts++;
		if (words[0] != '\0') {
			printf("# operation %u (%s, errno %d) leaves: %s\n", k, failing->name,
			       errnos[k % 4], words);
			bad++;
		}
	}
	printf("1..2\n%sok 1 - I-5: of %u failing operations none leaves anything after doctor --repair\n",
	       bad == 0 ? "" : "not ", sorts);
	printf("%sok 2 - enough operations were tried (%u, %u undone without repair)\n",
	       sorts > 100 / every ? "" : "not ", sorts, by_itself);
	remove_network();
	(void)!sh("umount -l rootfs; true");
	(void)!sh("cd / && rm -rf --one-file-system \"$OLDPWD\"");
	return bad != 0;
}

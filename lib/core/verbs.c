#include "core/verbs.h"

#include <string.h>

#define B(n, a, h) {.name = (n), .alt = (a), .kind = PST_FLAG_BOOL, .help = (h)}
#define V(n, a, h) {.name = (n), .alt = (a), .kind = PST_FLAG_VALUE, .help = (h)}
#define L(n, a, h) {.name = (n), .alt = (a), .kind = PST_FLAG_LIST, .help = (h)}
#define OUR(n, h) {.name = (n), .kind = PST_FLAG_VALUE, .ours = true, .help = (h)}
#define END {.name = NULL}

const struct pst_flag pst_global_flags[] = {
	OUR("policy", "policy file of this node, instead of the one it was built with"),
	OUR("runtime", "OCI runtime to drive: a path, or a name found in PATH"),
	OUR("class", "class of the policy to apply"),
	B("debug", 0, "make the runtime log its debug messages"),
	V("log", 0, "file that gets the log records; the last one is the error"),
	V("log-format", 0, "form of the log records: text or json"),
	V("root", 0, "directory of the runtime's container state"),
	V("criu", 0, "criu program for checkpoint and restore"),
	B("systemd-cgroup", 0, "let systemd make the cgroups"),
	V("rootless", 0, "ignore cgroup permission errors: true, false or auto"),
	V("cgroup-manager", 0, NULL), /* crun's */
	B("help", 'h', "show help"),
	B("version", 'v', "print the version of the runtime, then ours"),
	END,
};

#define HELP B("help", 'h', "show help")
#define BUNDLE V("bundle", 'b', "bundle directory, the current one by default")
#define CONSOLE V("console-socket", 0, "unix socket that gets the terminal's master end")
#define PIDFD V("pidfd-socket", 0, "unix socket that gets a pidfd of the process")
#define PID_FILE V("pid-file", 0, "file to write the process id to")
#define NO_PIVOT B("no-pivot", 0, "chroot instead of pivot_root, for a rootfs on a ramdisk")
#define NO_KEYRING B("no-new-keyring", 0, "keep the caller's session keyring")
#define PRESERVE V("preserve-fds", 0, "number of descriptors to pass on, from 3")
#define NO_REAPER B("no-subreaper", 0, "do not adopt the container's orphans")
#define DETACH B("detach", 'd', "return once the process runs")

static const struct pst_flag none[] = {HELP, END};

static const struct pst_flag create_flags[] = {
	BUNDLE, CONSOLE, PIDFD, PID_FILE, NO_PIVOT, NO_KEYRING, PRESERVE,
	OUR("hold", "for the containerd shim: descriptor that gets the held runtime"),
	{.name = "hold-look", .kind = PST_FLAG_BOOL, .ours = true,
	 .help = "for the containerd shim: it calls start --held before it lets that through"},
	{.name = "rootfs-mount", .kind = PST_FLAG_LIST, .ours = true,
	 .help = "for the containerd shim: TYPE,SOURCE,OPTIONS to mount at BUNDLE/rootfs"},
	HELP, END,
};

static const struct pst_flag run_flags[] = {
	BUNDLE,	   CONSOLE,  PIDFD,	 DETACH,   B("keep", 0, "keep the container after its end"),
	PID_FILE,  NO_REAPER, NO_PIVOT, NO_KEYRING, PRESERVE,
	HELP,	   END,
};

static const struct pst_flag denials_flags[] = {
	B("follow", 'f', "go on with what comes"),
	V("since", 0, "only newer ones: a time as 2026-01-31T12:00:00Z, or a duration as 10m"),
	V("format", 0, "text or json"),
	B("all", 'a', "also what the runtime's own init tried"),
	HELP, END,
};

static const struct pst_flag delete_flags[] = {
	B("force", 'f', "kill the container first if it runs"),
	HELP,
	END,
};

static const struct pst_flag start_flags[] = {
	{.name = "held", .kind = PST_FLAG_BOOL, .ours = true,
	 .help = "for the containerd shim: all but the start, which a held runtime does"},
	HELP,
	END,
};

static const struct pst_flag exec_flags[] = {
	CONSOLE,
	PIDFD,
	V("cwd", 0, "working directory inside"),
	L("env", 'e', "variable to set, NAME=VALUE"),
	B("tty", 't', "give it a terminal"),
	V("user", 'u', "user inside, UID[:GID]"),
	L("additional-gids", 'g', "more group ids"),
	V("process", 'p', "process.json that says all of it"),
	DETACH,
	PID_FILE,
	V("process-label", 0, "SELinux label"),
	V("apparmor", 0, "AppArmor profile"),
	B("no-new-privs", 0, "set no_new_privs; never takes it away"),
	L("cap", 'c', "capability to add, within the container's ceiling"),
	PRESERVE,
	L("cgroup", 0, "existing sub-cgroup, [CONTROLLER:]PATH"),
	B("ignore-paused", 0, "also in a paused container"),
	HELP,
	END,
};

#define CRIU_COMMON                                                                              \
	V("image-path", 0, "directory of the image files"),                                      \
		V("work-path", 0, "directory of work files and logs"),                           \
		B("tcp-established", 0, "allow open TCP connections"),                           \
		B("ext-unix-sk", 0, "allow external unix sockets"),                              \
		B("shell-job", 0, "allow shell jobs"),                                           \
		B("file-locks", 0, "handle file locks"),                                         \
		V("manage-cgroups-mode", 0, "soft, full, strict or ignore"),                     \
		L("empty-ns", 0, "namespace to make without its properties"),                    \
		B("auto-dedup", 0, "deduplicate memory images"),                                 \
		B("lazy-pages", 0, "move memory pages when they are touched")

static const struct pst_flag checkpoint_flags[] = {
	CRIU_COMMON,
	V("parent-path", 0, "image files of the pre-dump before"),
	B("leave-running", 0, "let the container run on"),
	B("tcp-skip-in-flight", 0, "skip TCP connections being made"),
	B("link-remap", 0, "link unlinked files back"),
	V("status-fd", 0, "descriptor criu writes to when lazy pages are ready"),
	V("page-server", 0, "ADDRESS:PORT of the page server"),
	B("pre-dump", 0, "dump memory only and let the container run on"),
	HELP,
	END,
};

static const struct pst_flag restore_flags[] = {
	BUNDLE,
	CONSOLE,
	CRIU_COMMON,
	DETACH,
	PID_FILE,
	NO_REAPER,
	NO_PIVOT,
	V("lsm-profile", 0, "TYPE:NAME of the LSM profile to restore with"),
	V("lsm-mount-context", 0, "LSM mount context to restore with"),
	HELP,
	END,
};

static const struct pst_flag update_flags[] = {
	V("resources", 'r', "file with the resources, - for standard input"),
	V("blkio-weight", 0, "cgroup weight of block IO, 10 to 1000"),
	V("cpu-period", 0, "CPU period in microseconds"),
	V("cpu-quota", 0, "CPU time in a period, in microseconds"),
	V("cpu-burst", 0, "CPU time that may be saved up, in microseconds"),
	V("cpu-share", 0, "CPU weight against other containers"),
	V("cpu-rt-period", 0, "realtime period in microseconds"),
	V("cpu-rt-runtime", 0, "realtime time in a period, in microseconds"),
	V("cpuset-cpus", 0, "CPUs to use"),
	V("cpuset-mems", 0, "memory nodes to use"),
	V("cpu-idle", 0, "1: run only when nothing else does"),
	V("kernel-memory", 0, NULL),
	V("kernel-memory-tcp", 0, NULL),
	V("memory", 0, "memory limit in bytes"),
	V("memory-reservation", 0, "soft memory limit in bytes"),
	V("memory-swap", 0, "limit of memory and swap in bytes, -1 for none"),
	V("pids-limit", 0, "greatest number of processes"),
	V("l3-cache-schema", 0, "Intel RDT schema of the L3 cache"),
	V("mem-bw-schema", 0, "Intel RDT schema of memory bandwidth"),
	HELP,
	END,
};

static const struct pst_flag list_flags[] = {
	V("format", 'f', "table or json"),
	B("quiet", 'q', "ids only"),
	HELP,
	END,
};

static const struct pst_flag ps_flags[] = {V("format", 'f', "table or json"), HELP, END};

static const struct pst_flag events_flags[] = {
	V("interval", 0, "time between two records, 5s by default"),
	B("stats", 0, "one record, then end"),
	HELP,
	END,
};

static const struct pst_flag kill_flags[] = {
	B("all", 'a', "every process of the container"),
	HELP,
	END,
};

static const struct pst_flag spec_flags[] = {
	V("bundle", 'b', "bundle directory to write config.json to"),
	B("rootless", 0, "for a runtime without root"),
	HELP,
	END,
};

#define ID "CONTAINER-ID"

static const struct pst_flag plan_flags[] = {
	BUNDLE,
	V("facts", 0, "facts of another machine (postern facts): no privilege is needed then"),
	V("format", 'f', "text or json, text by default"),
	HELP,
	END,
};

static const struct pst_flag facts_flags[] = {
	V("bundle", 'b', "add what a plan needs to know of this bundle"),
	HELP,
	END,
};

static const struct pst_flag doctor_flags[] = {
	B("repair", 0, "clear away what dead containers left"),
	HELP,
	END,
};

static const struct pst_flag launch_flags[] = {
	V("rootfs", 0, "directory to run in; what is written there stays"),
	V("image", 0, "OCI image layout to run, LAYOUT[:TAG]: a directory or its tar"),
	V("name", 0, "container id, made up by default"),
	V("profile", 0, "syscall profile, one the policy allows to choose"),
	L("volume", 'v', "bind /SOURCE:/DESTINATION[:ro|rw]"),
	L("env", 'e', "set NAME=VALUE, or pass NAME on"),
	V("user", 'u', "USER[:GROUP], names or numbers of the container"),
	V("workdir", 'w', "working directory inside"),
	V("hostname", 0, "host name inside"),
	V("net", 0, "none (its own, empty network) or host; none by default"),
	V("memory", 'm', "memory limit, such as 256m"),
	V("cpus", 0, "cpu limit in cores, such as 0.5"),
	V("pids", 0, "most processes at a time"),
	V("disk", 0, "most bytes it may write into its root file system, such as 1Gi"),
	L("annotation", 0, "KEY=VALUE of the spec; postern/... tighten"),
	B("tty", 't', "give it a terminal"),
	B("interactive", 'i', "keep stdin open (always so; for the habit)"),
	B("read-only", 0, "nothing in the root file system can be written"),
	B("rm", 0, "remove the container afterwards (always so; for the habit)"),
	HELP,
	END,
};

static const struct pst_flag learn_flags[] = {
	V("out", 'o', "file for the proposed profile; standard output by default"),
	V("recording", 0, "file for the recording"),
	L("merge", 0, "recordings of earlier runs and replicas to add"),
	V("name", 0, "name of the profile, learned by default"),
	V("ready", 0, "tcp:PORT, file:PATH, quiet:SECONDS or told (SIGUSR1); quiet:2 by default"),
	V("patience", 0, "seconds until it has to be ready, 60 by default"),
	V("exercise", 0, "shell command, run in its network when it is ready; then it is stopped"),
	V("for", 0, "seconds of serving instead; without either until it ends"),
	B("no-verify", 0, "do not run it again under the proposal"),
	HELP,
	END,
};

static const struct pst_flag profile_flags[] = {
	V("format", 'f', "text or json, text by default"),
	V("caps", 0, "capabilities beside it: default, docker, all, none, or names with commas"),
	HELP,
	END,
};

static const struct pst_flag surface_flags[] = {
	V("html", 0, "write one page for a browser to this file, - for standard output"),
	V("format", 'f', "text or json, text by default"),
	V("used", 0, "calls seen in use: one name a line, or a recording of learn"),
	V("caps", 0, "for a profile, capabilities beside it: default, docker, all, none, or names"),
	HELP,
	END,
};

#define INSTALL_FLAGS                                                                            \
	B("dry-run", 'n', "print what would change, change nothing"),                            \
		V("config", 0, "the engine's configuration file, for containerd and docker"),    \
		B("restart", 0, "tell the engine to read its configuration again, by systemctl")

static const struct pst_flag install_flags[] = {
	INSTALL_FLAGS,
	V("bin", 0, "folder of postern's programs as the engine shall find them"),
	HELP,
	END,
};

static const struct pst_flag uninstall_flags[] = {INSTALL_FLAGS, HELP, END};

#define ENGINES "containerd|docker|podman|crio"

static const struct pst_flag top_flags[] = {
	B("once", '1', "print once and end; always so where the output is no terminal"),
	V("format", 'f', "text or json, text by default"),
	HELP, END,
};

static const struct pst_flag metrics_flags[] = {
	V("listen", 0, "serve them at [ADDRESS:]PORT, 127.0.0.1 where no address is given"),
	V("textfile", 0, "write them to this file, all or nothing"),
	HELP, END,
};

/* name, arguments, summary, flags, min, max, order, by, oci, has_id */
const struct pst_verb pst_verbs[] = {
	{"checkpoint", ID, "save the state of a running container", checkpoint_flags, 1, 1,
	 PST_ARGS_MOVED, PST_BY_RUNTIME, true, true},
	{"create", ID, "create a hardened container", create_flags, 1, 1, PST_ARGS_MOVED,
	 PST_BY_US, true, true},
	{"delete", ID, "delete a container and everything made for it", delete_flags, 1, 1,
	 PST_ARGS_MOVED, PST_BY_US, true, true},
	{"events", ID, "show resource use and events of a container", events_flags, 1, 1,
	 PST_ARGS_MOVED, PST_BY_RUNTIME, true, true},
	{"exec", ID " COMMAND [ARGS...]", "run a process in a container, confined as it is",
	 exec_flags, 1, -1, PST_ARGS_ASIS, PST_BY_US, true, true},
	{"features", "", "what the runtime and postern can do, as JSON", none, 0, 0,
	 PST_ARGS_MOVED, PST_BY_US, true, false},
	{"kill", ID " [SIGNAL]", "send a signal to a container, TERM by default", kill_flags, 1, 2,
	 PST_ARGS_MOVED, PST_BY_RUNTIME, true, true},
	{"list", "", "list containers", list_flags, 0, 0, PST_ARGS_MOVED, PST_BY_US, true, false},
	{"pause", ID, "suspend all processes of a container", none, 1, 1, PST_ARGS_MOVED,
	 PST_BY_RUNTIME, true, true},
	{"ps", ID " [PS-OPTIONS]", "show the processes of a container", ps_flags, 1, -1,
	 PST_ARGS_ASIS, PST_BY_RUNTIME, true, true},
	{"restore", ID, "restore a container from a checkpoint", restore_flags, 1, 1,
	 PST_ARGS_MOVED, PST_BY_US, true, true},
	{"resume", ID, "let a paused container go on", none, 1, 1, PST_ARGS_MOVED,
	 PST_BY_RUNTIME, true, true},
	{"run", ID, "create and start a hardened container, wait for it and delete it", run_flags,
	 1, 1, PST_ARGS_MOVED, PST_BY_US, true, true},
	{"spec", "", "write a config.json to start from", spec_flags, 0, 0, PST_ARGS_MOVED,
	 PST_BY_RUNTIME, true, false},
	{"start", ID, "start a created container that was verified", start_flags, 1, 1, PST_ARGS_MOVED,
	 PST_BY_US, true, true},
	{"state", ID, "show the state of a container", none, 1, 1, PST_ARGS_MOVED, PST_BY_US, true,
	 true},
	{"update", ID, "change resource limits within the policy's", update_flags, 1, 1,
	 PST_ARGS_MOVED, PST_BY_US, true, true},
	{"launch", "[--] [COMMAND [ARGS...]]", "run a command hardened, with no bundle at hand",
	 launch_flags, 0, -1, PST_ARGS_ASIS, PST_BY_US, false, false},
	{"learn", "-- LAUNCH-OPTIONS [COMMAND...] | ID | --merge FILE...", "record what a workload calls, and propose its profile",
	 learn_flags, 0, -1, PST_ARGS_ASIS, PST_BY_US, false, false},
	{"plan", "", "say what would be done to a bundle and why; do nothing", plan_flags, 0, 0,
	 PST_ARGS_MOVED, PST_BY_US, false, false},
	{"facts", "", "what a plan needs to know of this machine, as JSON", facts_flags, 0, 0,
	 PST_ARGS_MOVED, PST_BY_US, false, false},
	{"doctor", "", "is this node ready, and what to do where it is not", doctor_flags, 0, 0,
	 PST_ARGS_MOVED, PST_BY_US, false, false},
	{"denials", "[ID]", "what was refused, by which process, and what would allow it",
	 denials_flags, 0, 1, PST_ARGS_MOVED, PST_BY_US, false, false},
	{"top", "", "hardened containers: ids, profile, use, limits met, denials", top_flags, 0, 0,
	 PST_ARGS_MOVED, PST_BY_US, false, false},
	{"metrics", "", "the same for Prometheus", metrics_flags, 0, 0, PST_ARGS_MOVED, PST_BY_US,
	 false, false},
	{"profile",
	 "list|show P|explain P|diff A B|intersect A B|test P SYSCALL [ARGS...]|check FILE|compile P",
	 "work on syscall profiles", profile_flags, 1, -1, PST_ARGS_MOVED, PST_BY_US, false, false},
	{"surface", "[ID|PROFILE]", "what of the kernel and the host is reachable, with a picture",
	 surface_flags, 0, 1, PST_ARGS_MOVED, PST_BY_US, false, false},
	{"install", ENGINES, "write the handlers of this node into an engine's configuration",
	 install_flags, 1, 1, PST_ARGS_MOVED, PST_BY_US, false, false},
	{"uninstall", ENGINES, "take out of an engine's configuration what install wrote",
	 uninstall_flags, 1, 1, PST_ARGS_MOVED, PST_BY_US, false, false},
	{.name = NULL},
};

const struct pst_verb *pst_verb_find(const char *name)
{
	for (const struct pst_verb *v = pst_verbs; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const struct pst_flag *pst_flag_find(const struct pst_flag *flags, const char *name, size_t n)
{
	for (const struct pst_flag *f = flags; f->name != NULL; f++)
		if ((n == 1 && f->alt == name[0] && f->alt != '\0') ||
		    (strlen(f->name) == n && memcmp(f->name, name, n) == 0))
			return f;
	return NULL;
}

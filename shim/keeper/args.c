/* The arguments of a denied call, in words. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/oneline.h"
#include "keeper.h"

/*
 * How to print: one letter an argument. s text in the process's memory, d number, x hex,
 * o octal, D descriptor or AT_FDCWD, n namespace flags, F T socket family and type, A the
 * family of an address in its memory.
 * Calls without a line: three numbers in hex.
 */
static const struct {
	const char *name, *form;
} forms[] = {
	{"access", "so"}, {"acct", "s"}, {"add_key", "ss"}, {"bind", "DA"}, {"bpf", "d"},
	{"chdir", "s"}, {"chmod", "so"}, {"chown", "sdd"}, {"chroot", "s"}, {"clone", "n"},
	{"connect", "DA"}, {"creat", "so"}, {"delete_module", "sx"}, {"execve", "s"},
	{"execveat", "Ds"}, {"faccessat", "Dso"}, {"faccessat2", "Dsox"}, {"fanotify_init", "xx"},
	{"fchdir", "D"}, {"fchmod", "Do"}, {"fchmodat", "Dso"}, {"fchmodat2", "Dsox"},
	{"fchown", "Ddd"}, {"fchownat", "Dsddx"}, {"finit_module", "Ds"}, {"flock", "Dx"},
	{"fsetxattr", "Ds"}, {"fsmount", "Dxx"}, {"fsopen", "sx"}, {"fspick", "Dsx"},
	{"futimesat", "Ds"}, {"getxattr", "ss"}, {"init_module", "xd"},
	{"inotify_add_watch", "Dsx"}, {"inotify_init1", "x"}, {"io_uring_setup", "d"},
	{"ioctl", "Dxx"}, {"ioperm", "ddd"}, {"iopl", "d"}, {"kcmp", "ddd"},
	{"kexec_file_load", "DDx"}, {"keyctl", "dx"}, {"kill", "dd"}, {"lchown", "sdd"},
	{"lgetxattr", "ss"}, {"link", "ss"}, {"linkat", "DsDsx"}, {"listen", "Dd"},
	{"listxattr", "s"}, {"lsetxattr", "ss"}, {"lstat", "s"}, {"memfd_create", "sx"},
	{"memfd_secret", "x"}, {"mkdir", "so"}, {"mkdirat", "Dso"}, {"mknod", "sox"},
	{"mknodat", "Dsox"}, {"mount", "sssx"}, {"mount_setattr", "Dsx"}, {"move_mount", "DsDsx"},
	{"move_pages", "dd"}, {"mq_open", "sxo"}, {"mq_unlink", "s"}, {"name_to_handle_at", "Ds"},
	{"newfstatat", "Ds"}, {"open", "sxo"}, {"open_by_handle_at", "Dxx"}, {"open_tree", "Dsx"},
	{"openat", "Dsxo"}, {"openat2", "Ds"}, {"perf_event_open", "xddDx"}, {"personality", "x"},
	{"pidfd_getfd", "DDx"}, {"pivot_root", "ss"}, {"prctl", "dxx"}, {"prlimit64", "dd"},
	{"process_vm_readv", "d"}, {"process_vm_writev", "d"}, {"ptrace", "dd"},
	{"quotactl", "xs"}, {"readlink", "s"}, {"readlinkat", "Ds"}, {"reboot", "xxx"},
	{"removexattr", "s"}, {"rename", "ss"}, {"renameat", "DsDs"}, {"renameat2", "DsDsx"},
	{"request_key", "sss"}, {"rmdir", "s"}, {"setdomainname", "sd"}, {"setgid", "d"},
	{"sethostname", "sd"}, {"setns", "Dn"}, {"setpriority", "ddd"}, {"setrlimit", "d"},
	{"setuid", "d"}, {"setxattr", "ss"}, {"signalfd4", "Dxdx"}, {"socket", "FTd"},
	{"socketpair", "FTd"}, {"stat", "s"}, {"statfs", "s"}, {"statx", "Dsxx"}, {"swapoff", "s"},
	{"swapon", "sx"}, {"symlink", "ss"}, {"symlinkat", "sDs"}, {"sysfs", "ds"},
	{"syslog", "d"}, {"tgkill", "ddd"}, {"tkill", "dd"}, {"truncate", "sd"}, {"umount2", "sx"},
	{"unlink", "s"}, {"unlinkat", "Dsx"}, {"unshare", "n"}, {"uselib", "s"},
	{"userfaultfd", "x"}, {"utime", "s"}, {"utimensat", "Ds"}, {"utimes", "s"},
	{"vhangup", ""}, {"vmsplice", "Ddd"},
};

struct word {
	uint64_t value;
	const char *text;
};

static const struct word families[] = {
	{AF_UNIX, "AF_UNIX"}, {AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"},
	{AF_NETLINK, "AF_NETLINK"}, {AF_PACKET, "AF_PACKET"}, {AF_KEY, "AF_KEY"},
	{AF_RDS, "AF_RDS"}, {AF_CAN, "AF_CAN"}, {AF_TIPC, "AF_TIPC"},
	{AF_BLUETOOTH, "AF_BLUETOOTH"}, {AF_ALG, "AF_ALG"}, {AF_NFC, "AF_NFC"},
	{AF_VSOCK, "AF_VSOCK"}, {AF_KCM, "AF_KCM"}, {AF_QIPCRTR, "AF_QIPCRTR"},
	{AF_SMC, "AF_SMC"}, {AF_XDP, "AF_XDP"}, {0, NULL},
};

static const struct word types[] = {
	{SOCK_STREAM, "SOCK_STREAM"}, {SOCK_DGRAM, "SOCK_DGRAM"}, {SOCK_RAW, "SOCK_RAW"},
	{SOCK_RDM, "SOCK_RDM"}, {SOCK_SEQPACKET, "SOCK_SEQPACKET"}, {SOCK_DCCP, "SOCK_DCCP"},
	{0, NULL},
};

static const struct word spaces[] = {
	{CLONE_NEWUSER, "CLONE_NEWUSER"}, {CLONE_NEWNS, "CLONE_NEWNS"},
	{CLONE_NEWPID, "CLONE_NEWPID"}, {CLONE_NEWNET, "CLONE_NEWNET"},
	{CLONE_NEWIPC, "CLONE_NEWIPC"}, {CLONE_NEWUTS, "CLONE_NEWUTS"},
	{CLONE_NEWCGROUP, "CLONE_NEWCGROUP"}, {0x80, "CLONE_NEWTIME"}, {0, NULL},
};

static void one_word(const struct word *w, uint64_t v, struct pst_buf *out)
{
	for (; w->text != NULL; w++)
		if (w->value == v) {
			pst_buf_str(out, w->text);
			return;
		}
	pst_buf_fmt(out, "%" PRIu64, v);
}

static void flag_words(uint64_t v, struct pst_buf *out)
{
	bool any = false;
	for (const struct word *w = spaces; w->text != NULL; w++)
		if ((v & w->value) != 0) {
			pst_buf_fmt(out, "%s%s", any ? "|" : "", w->text);
			v &= ~w->value;
			any = true;
		}
	if (v != 0 || !any)
		pst_buf_fmt(out, "%s0x%" PRIx64, any ? "|" : "", v);
}

/* Text of the process, at most 200 bytes; the quotes are for JSON to escape. */
static void text_at(pid_t pid, uint64_t at, struct pst_buf *out)
{
	char text[201];
	struct iovec to = {.iov_base = text, .iov_len = sizeof text - 1};
	struct iovec from = {.iov_base = (void *)(uintptr_t)at, .iov_len = sizeof text - 1};
	if (at == 0) {
		pst_buf_str(out, "NULL");
		return;
	}
	ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	if (n < 0) { /* the text ends just before a page that is not there */
		from.iov_len = 4096 - (at & 4095);
		if (from.iov_len < sizeof text - 1)
			n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
	if (n < 0) {
		pst_buf_fmt(out, "0x%" PRIx64, at);
		return;
	}
	text[n] = '\0';
	const bool cut = strlen(text) == sizeof text - 1;
	pst_buf_char(out, '"');
	pst_oneline(out, text);
	pst_buf_str(out, cut ? "\"..." : "\"");
}

/* sa_family of a socket address, and the path of AF_UNIX. */
static void address_at(pid_t pid, uint64_t at, struct pst_buf *out)
{
	uint16_t family = 0;
	const struct iovec to = {.iov_base = &family, .iov_len = sizeof family};
	const struct iovec from = {.iov_base = (void *)(uintptr_t)at, .iov_len = sizeof family};
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != (ssize_t)sizeof family) {
		pst_buf_fmt(out, "0x%" PRIx64, at);
		return;
	}
	one_word(families, family, out);
	if (family != AF_UNIX)
		return;
	pst_buf_char(out, ' ');
	text_at(pid, at + sizeof family, out);
}

static void one(const struct seccomp_notif *n, char form, uint64_t v, struct pst_buf *out)
{
	const int32_t number = (int32_t)v;
	switch (form) {
	case 's':
		text_at((pid_t)n->pid, v, out);
		break;
	case 'D':
		if (number == -100)
			pst_buf_str(out, "AT_FDCWD");
		else
			pst_buf_fmt(out, "%d", number);
		break;
	case 'd':
		pst_buf_fmt(out, "%" PRId64, (int64_t)v);
		break;
	case 'o':
		pst_buf_fmt(out, "0%" PRIo64, v);
		break;
	case 'n':
		flag_words(v, out);
		break;
	case 'A':
		address_at((pid_t)n->pid, v, out);
		break;
	case 'F':
		one_word(families, (uint32_t)v, out);
		break;
	case 'T':
		one_word(types, v & 15, out);
		if ((v & ~UINT64_C(15)) != 0)
			pst_buf_fmt(out, "|0x%" PRIx64, v & ~UINT64_C(15));
		break;
	default:
		pst_buf_fmt(out, "0x%" PRIx64, v);
	}
}

void args_text(const struct seccomp_notif *n, const char *name, struct pst_buf *out)
{
	const char *form = "xxx";
	const size_t len = strcspn(name, "\t\n");
	for (size_t i = 0; i < PST_NELEM(forms); i++)
		if (strlen(forms[i].name) == len && strncmp(forms[i].name, name, len) == 0)
			form = forms[i].form;
	for (size_t i = 0; form[i] != '\0'; i++) {
		if (i > 0)
			pst_buf_str(out, ", ");
		one(n, form[i], n->data.args[i], out);
	}
}

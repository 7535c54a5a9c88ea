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
 * o octal, D descriptor or AT_FDCWD, n namespace flags, F T socket family and type.
 * Calls without a line: three numbers in hex.
 */
static const struct {
	const char *name, *form;
} forms[] = {
	{"acct", "s"}, {"add_key", "ss"}, {"bpf", "d"}, {"chroot", "s"}, {"clone", "n"},
	{"delete_module", "sx"}, {"fanotify_init", "xx"}, {"finit_module", "Ds"}, {"fsopen", "sx"},
	{"fsmount", "Dxx"}, {"fspick", "Dsx"}, {"init_module", "xd"}, {"io_uring_setup", "d"},
	{"ioperm", "ddd"}, {"iopl", "d"}, {"kcmp", "ddd"}, {"keyctl", "dx"},
	{"kexec_file_load", "DDx"}, {"memfd_secret", "x"}, {"mknod", "sox"}, {"mknodat", "Dsox"},
	{"mount", "sssx"}, {"mount_setattr", "Dsx"}, {"move_mount", "DsDsx"},
	{"move_pages", "dd"}, {"mq_open", "sxo"}, {"mq_unlink", "s"}, {"name_to_handle_at", "Ds"},
	{"open_by_handle_at", "Dxx"}, {"open_tree", "Dsx"}, {"perf_event_open", "xddDx"},
	{"personality", "x"}, {"pidfd_getfd", "DDx"}, {"pivot_root", "ss"},
	{"process_vm_readv", "d"}, {"process_vm_writev", "d"}, {"ptrace", "dd"},
	{"quotactl", "xs"}, {"reboot", "xxx"}, {"request_key", "sss"}, {"sethostname", "sd"},
	{"setdomainname", "sd"}, {"setns", "Dn"}, {"socket", "FTd"}, {"socketpair", "FTd"},
	{"swapoff", "s"}, {"swapon", "sx"}, {"sysfs", "ds"}, {"syslog", "d"}, {"umount2", "sx"},
	{"unshare", "n"}, {"userfaultfd", "x"}, {"uselib", "s"}, {"vhangup", ""}, {"vmsplice", "Ddd"},
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

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "host/hostops.h"
#include "host/scload.h"

/*
 * What no mode may ever allow and neither runc nor crun calls on create, start,
 * exec, kill or delete. Not bpf (device rules of cgroup v2), mount, ptrace, keyctl.
 * An errno here outranks a notification, so these denials are not recorded.
 */
#define IF_NR(nr, errno_) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errno_))

#define X32_OFF 0xbfffffffu /* without __X32_SYSCALL_BIT: x32 shares the table */

static const struct sock_filter net[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 39, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, X32_OFF),
	IF_NR(163, EPERM),  /* acct */
	IF_NR(167, EPERM),  /* swapon */
	IF_NR(168, EPERM),  /* swapoff */
	IF_NR(169, EPERM),  /* reboot */
	IF_NR(172, EPERM),  /* iopl */
	IF_NR(173, EPERM),  /* ioperm */
	IF_NR(175, EPERM),  /* init_module */
	IF_NR(176, EPERM),  /* delete_module */
	IF_NR(246, EPERM),  /* kexec_load */
	IF_NR(528, EPERM),  /* kexec_load of x32 */
	IF_NR(313, EPERM),  /* finit_module */
	IF_NR(320, EPERM),  /* kexec_file_load */
	IF_NR(134, ENOSYS), /* uselib */
	IF_NR(156, ENOSYS), /* _sysctl */
	IF_NR(174, ENOSYS), /* create_module */
	IF_NR(180, ENOSYS), /* nfsservctl */
	IF_NR(212, ENOSYS), /* lookup_dcookie */
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	/* i386: the jump of the second instruction lands here */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	IF_NR(51, EPERM),   /* acct */
	IF_NR(87, EPERM),   /* swapon */
	IF_NR(115, EPERM),  /* swapoff */
	IF_NR(88, EPERM),   /* reboot */
	IF_NR(110, EPERM),  /* iopl */
	IF_NR(101, EPERM),  /* ioperm */
	IF_NR(128, EPERM),  /* init_module */
	IF_NR(129, EPERM),  /* delete_module */
	IF_NR(283, EPERM),  /* kexec_load */
	IF_NR(350, EPERM),  /* finit_module */
	IF_NR(86, ENOSYS),  /* uselib */
	IF_NR(149, ENOSYS), /* _sysctl */
	IF_NR(127, ENOSYS), /* create_module */
	IF_NR(169, ENOSYS), /* nfsservctl */
	IF_NR(253, ENOSYS), /* lookup_dcookie */
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

struct pst_bpf pst_scload_net_program(void)
{
	return (struct pst_bpf){.insn = net, .n = PST_NELEM(net)};
}

int pst_scload_net(struct pst_err *err)
{
	/* the kernel only reads the program; its struct has no const */
	union {
		const struct sock_filter *in;
		struct sock_filter *out;
	} insn = {.in = net};
	struct sock_fprog prog = {.len = PST_NELEM(net), .filter = insn.out};
	if (pst_host->seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog) != 0)
		return pst_fail_sys(err, "put the safety net on");
	return PST_OK;
}

"""The syscall profile an engine would hand over: a wide allowlist, as container engines ship by default.

Made here from the kernel's list of calls minus what engines deny an unprivileged container, so that the
tests need no file of anybody's. It is input for tests, nothing that postern applies.
"""
import os
import re

UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"

# What a default engine profile keeps from containers without CAP_SYS_ADMIN and friends.
DENIED = """
_sysctl acct add_key afs_syscall bpf clock_settime create_module delete_module fanotify_init
finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg init_module
io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mbind memfd_secret mount
mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open
pidfd_getfd pivot_root process_vm_readv process_vm_writev putpmsg query_module quotactl quotactl_fd
reboot request_key security set_mempolicy set_mempolicy_home_node setdomainname sethostname setns
settimeofday swapoff swapon sysfs syslog tuxcall umount2 unshare uselib userfaultfd ustat vhangup
vserver
""".split()

# Allowed only under conditions, below.
CONDITIONAL = ["clone", "clone3", "personality", "socket"]

CLONE_NEW_ANY = 0x7E020000  # every namespace flag of clone(2)
AF_VSOCK = 40
ENOSYS = 38
PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF]  # what personality(2) is really used with


def kernel_calls():
    """Names of the x86-64 calls, from the kernel's user headers."""
    if not os.path.exists(UNISTD):
        raise SystemExit(f"seccomp_default: no {UNISTD}: install linux-libc-dev")
    with open(UNISTD, encoding="ascii") as header:
        return sorted(set(re.findall(r"^#define __NR_(\w+)", header.read(), re.M)))


def profile():
    """linux.seccomp of config.json."""
    plain = [n for n in kernel_calls() if n not in DENIED and n not in CONDITIONAL]
    rules = [{"names": plain, "action": "SCMP_ACT_ALLOW"}]
    for value in PERSONALITIES:
        rules.append({"names": ["personality"], "action": "SCMP_ACT_ALLOW",
                      "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]})
    rules.append({"names": ["socket"], "action": "SCMP_ACT_ALLOW",
                  "args": [{"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}]})
    rules.append({"names": ["clone"], "action": "SCMP_ACT_ALLOW",
                  "args": [{"index": 0, "value": CLONE_NEW_ANY, "valueTwo": 0,
                            "op": "SCMP_CMP_MASKED_EQ"}]})
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS})
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": rules}

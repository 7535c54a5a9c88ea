#!/usr/bin/env python3
"""host_uses_table SYSCALLS ALLOWED ARCHIVE...: effects go through the table of host operations.

An undefined symbol that bears the name of a system call (SYSCALLS: the table of
them in profiles/) is a direct call, and so are the library's wrappers listed
below. ALLOWED names the exceptions, each with its reason. hostops.c is the table.
"""

import re
import sys

import source

TABLE = "hostops.c.o"

# Wrappers whose name is not that of the system call they make.
WRAPPERS = {
    "fopen", "fdopen", "freopen", "tmpfile", "opendir", "fdopendir", "readdir", "scandir", "nftw",
    "ftw", "fts_open", "glob", "mkfifo", "mkfifoat", "mkstemp", "mkostemp", "mkdtemp", "remove",
    "realpath", "canonicalize_file_name", "system", "popen", "posix_spawn", "posix_spawnp",
    "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "daemon", "sleep",
    "usleep", "raise", "wait", "waitid", "shm_open", "mq_open", "statvfs", "fstatvfs", "syslog",
    "printf", "puts", "putchar", "fprintf", "vprintf", "vfprintf", "dprintf", "fwrite", "fputs",
    "perror", "getpwnam", "getpwuid", "getgrnam", "getgrgid", "setenv", "putenv", "sysctl",
    "seteuid", "setegid", "initgroups", "openpty", "forkpty", "posix_openpt", "signal",
    "json_load_file", "json_dump_file", "json_loadfd", "json_dumpfd",
}


def syscall_names(path):
    """Second or first column, whichever holds the names."""
    names = set()
    with open(path, encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                names.update(w for w in line.rstrip("\n").split("\t")[:2] if re.match(r"[a-z]", w))
    return names


def plain(name):
    """open64, __open_2 and __read_chk are open, open and read."""
    name = re.sub(r"^__(\w+)_(chk|2)$", r"\1", name)
    return re.sub(r"64(_2)?$", "", name) if name not in ("getdents64", "prlimit64") else name


def direct(names, calls, allowed):
    for name in names:
        c_name = plain(name)
        if (c_name in calls or name in calls or c_name == "syscall") and c_name not in allowed:
            yield name


def main():
    calls = syscall_names(sys.argv[1]) | WRAPPERS
    allowed = set(source.table(sys.argv[2]))
    faults = []
    for archive in sys.argv[3:]:
        for member, names in source.undefined_by_member(archive).items():
            if member == TABLE:
                continue
            for name in direct(names, calls, allowed):
                faults.append(f"{member}: calls {name}, not pst_host->{plain(name)}")
    source.finish(faults)


if __name__ == "__main__":
    main()

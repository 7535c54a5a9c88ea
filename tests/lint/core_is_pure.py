#!/usr/bin/env python3
"""core_is_pure ALLOWED ARCHIVE...: the archives call nothing but what ALLOWED lists.

The pure layers decide; they read no file, no clock and no environment, so their
undefined symbols are a short list. What is not on it is a fault: a system call
and a library call that makes one (json_load_file) look alike here.
"""

import fnmatch
import sys

import source

SANITIZERS = ("__asan_*", "__ubsan_*", "__sanitizer_*", "__tsan_*", "__msan_*", "__sancov_*",
              "__gcov_*", "__llvm_*")


def plain(name):
    """The name as written in C: __snprintf_chk is snprintf under _FORTIFY_SOURCE."""
    if name.startswith("__") and name.endswith("_chk"):
        return name[2:-4]
    if name.startswith("__isoc99_") or name.startswith("__isoc23_"):
        return name.split("_", 3)[3]
    return name


def impure(names, allowed):
    patterns = [*allowed, *SANITIZERS]
    forbidden = [p[1:] for p in allowed if p.startswith("!")]
    for name in names:
        c_name = plain(name)
        known = any(fnmatch.fnmatchcase(c_name, p) for p in patterns)
        if not known or any(fnmatch.fnmatchcase(c_name, p) for p in forbidden):
            yield name


def main():
    allowed = source.table(sys.argv[1])
    faults = []
    for archive in sys.argv[2:]:
        faults += [f"{archive}: calls {n}" for n in impure(source.undefined(archive), allowed)]
    source.finish(faults)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""headers_alone ROOT BUILD: every header compiles alone, with each compiler there is.

A .c that has a header of its own includes it first, which proves the same at
every build; this covers the headers that no .c goes with.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

import source

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c"]


def compile_alone(cc, root, build, header):
    banned = os.path.join(root, "lib/base/banned.h")
    run = subprocess.run(
        [cc, *FLAGS, "-I", os.path.join(root, "lib"), "-I", build,
         "-I", os.path.join(root, "shim"), "-I", os.path.join(build, "lib"),
         "-I", os.path.join(root, os.path.dirname(header)), "-include", banned,
         "-include", os.path.join(root, header), "/dev/null"],
        capture_output=True, text=True, check=False,
    )
    return f"{header} ({cc}): {run.stderr.strip()}" if run.returncode != 0 else None


def own_header_first(root, path):
    header = path[:-2] + ".h"
    if not path.startswith("lib/") or not os.path.exists(os.path.join(root, header)):
        return None
    first = re.search(r'^#\s*include\s+[<"]([^>"]+)', source.read(root, path), re.M)
    want = header[len("lib/"):]
    if first is None or first.group(1) != want:
        return f'{path}: the first include is not "{want}"'
    return None


def main():
    root, build = sys.argv[1], sys.argv[2]
    compilers = [cc for cc in ("gcc", "clang") if shutil.which(cc)]
    if not compilers:
        source.skip("neither gcc nor clang is installed")
    jobs = [(cc, root, build, h) for h in source.walk(root, "*.h") for cc in compilers]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [f for f in pool.map(lambda job: compile_alone(*job), jobs) if f]
    faults += [f for c in source.walk(root, "*.c") if (f := own_header_first(root, c))]
    print("compilers:", *compilers)
    source.finish(faults)


if __name__ == "__main__":
    main()

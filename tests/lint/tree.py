#!/usr/bin/env python3
"""tree ROOT: nothing stands at the top but what belongs there.

With git at hand only what git knows or would add counts, so that a person's
ignored build folders are no fault.
"""

import os
import subprocess
import sys

import source

ALLOWED = {
    # parts
    "shim", "profiles", "lib", "tests", "docs", "deploy", "bench",
    # build and the two commands
    "meson.build", "meson_options.txt", "setup-demo", "setup-tests",
    # pages
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE",
    # tools
    ".ci", ".git", ".gitignore", ".clang-format", ".clang-tidy", ".editorconfig",
}


def names(root):
    run = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "--cached", "--others",
         "--exclude-standard"],
        capture_output=True, text=True, check=False,
    )
    if run.returncode == 0 and run.stdout:
        return {path.split("/")[0] for path in run.stdout.splitlines()}
    return {n for n in os.listdir(root) if not n.startswith("build")}


def main():
    source.finish([f"{n}: not a name the top level has" for n in sorted(names(sys.argv[1]) - ALLOWED)])


if __name__ == "__main__":
    main()

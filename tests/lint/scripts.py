#!/usr/bin/env python3
"""scripts ROOT: shell scripts pass shellcheck, Python ones parse, each may be executed."""

import ast
import os
import shutil
import subprocess
import sys

import source


def shell_scripts(root):
    for path in source.walk(root):
        first = shebang_words(root, path)
        if path.endswith(".sh") or any(w in ("sh", "bash", "dash") for w in first):
            yield path


def shebang_words(root, path):
    return [os.path.basename(w) for w in source.shebang(root, path)[2:].split()]


def python_faults(root):
    for path in source.walk(root):
        if path.endswith(".py") or "python3" in shebang_words(root, path):
            try:
                ast.parse(source.read(root, path), path)
            except SyntaxError as e:
                yield f"{path}:{e.lineno}: {e.msg}"


def mode_faults(root):
    for path in source.walk(root):
        run = os.access(os.path.join(root, path), os.X_OK)
        named = path.endswith((".py", ".sh"))
        if source.shebang(root, path) and not run and not named:
            yield f"{path}: starts with #! and may not be executed; chmod +x"


def main():
    root = sys.argv[1]
    faults = [*python_faults(root), *mode_faults(root)]
    if shutil.which("shellcheck") is None:
        if faults:
            source.finish(faults)
        source.skip("shellcheck is not installed")
    scripts = list(shell_scripts(root))
    run = subprocess.run(["shellcheck", "--external-sources", "--source-path=SCRIPTDIR",
                          "--format=gcc", *scripts],
                         cwd=root, capture_output=True, text=True, check=False)
    faults += run.stdout.splitlines()
    if run.returncode != 0 and not run.stdout:
        faults.append(run.stderr.strip())
    print(f"{len(scripts)} shell scripts")
    source.finish(faults)


if __name__ == "__main__":
    main()

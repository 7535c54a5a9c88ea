"""What the lints share: the files of the tree, and how a lint ends.

A lint prints one line per fault and exits 1; nothing to say is exit 0. One that
cannot run exits 77, which meson counts as skipped; with POSTERN_MUST_WORK=1 that
is a failure, so that a build server cannot pass by doing nothing.
"""

import fnmatch
import os
import subprocess
import sys

SKIPPED_DIRS = {".git", ".cache", "__pycache__", "subprojects"}


def walk(root, *patterns):
    """Paths relative to root, sorted, of files whose name matches a pattern (or all)."""
    found = []
    for here, dirs, names in os.walk(root):
        top = os.path.samefile(here, root)
        dirs[:] = sorted(
            d for d in dirs if d not in SKIPPED_DIRS and not (top and d.startswith("build"))
        )
        for name in names:
            if name in SKIPPED_DIRS:  # .git is a file in a work tree of git's
                continue
            if patterns and not any(fnmatch.fnmatch(name, p) for p in patterns):
                continue
            found.append(os.path.relpath(os.path.join(here, name), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def shebang(root, path):
    """The first line if it is #!..., else ""."""
    with open(os.path.join(root, path), "rb") as f:
        line = f.readline(200)
    return line.decode("utf-8", "replace").strip() if line.startswith(b"#!") else ""


def undefined_by_member(archive):
    """{object file: names it leaves to somebody else} of an archive or of one object (nm -u)."""
    text = subprocess.run(
        ["nm", "--undefined-only", "--format=posix", archive],
        check=True, capture_output=True, text=True,
    ).stdout
    members, names = {}, members_entry({}, archive)
    for line in text.splitlines():
        words = line.split()
        if line.endswith("]:"):
            names = members_entry(members, line[line.rindex("[") + 1:-2])
        elif len(words) >= 2 and words[1] in "Uw":
            names.append(words[0])
    return members or {os.path.basename(archive): names}


def members_entry(members, path):
    """The list of one member; meson names objects LIB.p/DIR_FILE.c.o or FILE.c.o."""
    return members.setdefault(os.path.basename(path), [])


def undefined(archive):
    return sorted({n for names in undefined_by_member(archive).values() for n in names})


def table(path):
    """First words of the lines of a list file; # starts a comment."""
    with open(path, encoding="utf-8") as f:
        lines = (line.split("#", 1)[0].split() for line in f)
        return [words[0] for words in lines if words]


def skip(reason):
    print(f"not run: {reason}")
    if os.environ.get("POSTERN_MUST_WORK") == "1":
        print("POSTERN_MUST_WORK=1: a skip counts as a failure")
        sys.exit(1)
    sys.exit(77)


def finish(faults):
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault(s)")
    sys.exit(1 if faults else 0)

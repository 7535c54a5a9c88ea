#!/usr/bin/env python3
"""verbs POSTERN [RUNC]: every verb and flag of the installed runc is in the table.

Compared are the help texts of both: names, one-letter names, and whether a flag takes
a value - a flag read with the wrong number of words would make the next word the
container. Flags that only one version of runc has may be more with us.
"""

import re
import shutil
import subprocess
import sys

import source

FLAG = re.compile(r"^\s+--([\w-]+)( value)?(?:, -(\w)( value)?)?(?:\s\s|$)")
VERB = re.compile(r"^   ([a-z]+)(?:, [a-z])?\s\s+\S")


def help_of(*command):
    return subprocess.run([*command, "--help"], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def section(lines, head):
    """Lines below a heading that contains `head`, up to the next heading."""
    inside = False
    for line in lines:
        if re.match(r"^[A-Z].*:$", line):
            inside = head in line
        elif inside:
            yield line


def flags(lines, head):
    """{name: (one-letter name, takes a value)}"""
    found = {}
    for line in section(lines, head):
        m = FLAG.match(line)
        if m:
            found[m[1]] = (m[3] or "", bool(m[2] or m[4]))
    return found


def verbs(lines):
    return [m[1] for m in map(VERB.match, section(lines, "COMMANDS")) if m]


def differences(where, theirs, ours):
    for name, (letter, valued) in sorted(theirs.items()):
        if name not in ours:
            yield f"{where}: runc has --{name}, the table has not"
        elif ours[name][1] != valued:
            yield f"{where}: --{name}: runc {'takes' if valued else 'takes no'} value, we differ"
        elif letter not in ("", ours[name][0]):
            yield f"{where}: runc calls --{name} also -{letter}, the table does not"


def main():
    postern = sys.argv[1]
    runc = sys.argv[2] if len(sys.argv) > 2 else shutil.which("runc")
    if runc is None:
        source.skip("runc is not installed")
    theirs, ours = help_of(runc), help_of(postern)
    names = [v for v in verbs(theirs) if v != "help"]
    if len(names) < 15:
        source.finish([f"{runc} --help lists only {names}: is this still its form?"])

    faults = list(differences("global", flags(theirs, "GLOBAL OPTIONS"),
                              flags(ours, "GLOBAL OPTIONS")))
    known = verbs(ours)
    for name in names:
        if name not in known:
            faults.append(f"runc has the verb {name}, the table has not")
            continue
        faults += differences(name, flags(help_of(runc, name), "OPTIONS"),
                              flags(help_of(postern, name), "OPTIONS"))
    source.finish(faults)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""manpage ROOT POSTERN: the pages and the help texts list the same verbs and flags.

postern.1 has every verb; a page postern-VERB.1 has the flags of its verb under OPTIONS; postern-profile.5 has
every member of `postern` that the built-in profiles have or the programs read. Every page is installed.

Compared both ways: a flag the page lacks, a flag it has too many, and one whose
value or one-letter name differs. The page is read as roff source.
"""

import json
import os
import re
import subprocess
import sys

import source
import verbs

TAG = re.compile(r"^--([\w-]+)(?:, -(\w))?( value)?$")
# The page says once that every command has it.
EVERYWHERE = {"help"}


def plain(line):
    return re.sub(r"\\f[BIRP]", "", line).replace("\\-", "-").replace("\\e", "\\")


def page_flags(text):
    """{section or verb: {flag: (one-letter name, takes a value)}}"""
    found, here, tagged = {}, None, False
    for line in text.splitlines():
        if line.startswith((".SH ", ".SS ")):
            words = plain(line).split()
            here = words[1] if line.startswith(".SS") else plain(line)[4:]
            found.setdefault(here, {})
        elif tagged and (m := TAG.match(plain(line))):
            found[here][m[1]] = (m[2] or "", bool(m[3]))
        tagged = line == ".TP"
    return found


def own_pages(root, wanted):
    """Pages of single verbs, where they write flags as postern.1 does."""
    for path in source.walk(os.path.join(root, "docs", "man"), "postern-*.1"):
        name = path.removeprefix("postern-").removesuffix(".1")
        written = page_flags(source.read(os.path.join(root, "docs", "man"), path)).get("OPTIONS", {})
        for flag in sorted(set(wanted.get(name, {})) | set(written)) if written else ():
            if wanted.get(name, {}).get(flag) != written.get(flag):
                yield f"{path}: --{flag}: help {wanted.get(name, {}).get(flag)}, page {written.get(flag)}"


def profile_members(root, postern):
    """Faults of postern-profile.5: its METADATA against the profiles and the sources."""
    text = source.read(root, os.path.join("docs", "man", "postern-profile.5"))
    section = text.split(".SH METADATA", 1)[-1].split("\n.SH ", 1)[0]
    written = set(re.findall(r"^\.TP\n\.B (\w+)$", section, re.M))
    wanted = {"complete"}  # of a learned one, for people
    shown = subprocess.run([postern, "profile", "list", "--format", "json"], check=True, capture_output=True, text=True).stdout
    for entry in json.loads(shown):
        one = subprocess.run([postern, "profile", "show", entry["name"]], check=True, capture_output=True, text=True).stdout
        wanted |= set(json.loads(one)["postern"])
    for folder in ("lib/core", "shim/postern"):
        for path in source.walk(os.path.join(root, folder), "*.c"):
            wanted |= set(re.findall(r'"/postern/(\w+)"', source.read(os.path.join(root, folder), path)))
    for name in sorted(wanted ^ written):
        yield f"postern-profile.5: {name}: {'not in the page' if name in wanted else 'nothing has or reads it'}"


def installed(root):
    """Pages that no install_man() names."""
    build = source.read(root, "meson.build")
    for path in source.walk(os.path.join(root, "docs", "man")):
        if f"'docs/man/{path}'" not in build:
            yield f"{path}: not installed"


def main():
    root, postern = sys.argv[1:3]
    page = page_flags(source.read(root, os.path.join("docs", "man", "postern.1")))
    own = verbs.help_of(postern)
    names = verbs.verbs(own)
    wanted = {"GLOBAL OPTIONS": verbs.flags(own, "GLOBAL OPTIONS")}
    for name in names:
        theirs = verbs.flags(verbs.help_of(postern, name), "OPTIONS")
        wanted[name] = {f: v for f, v in theirs.items() if f not in EVERYWHERE}

    faults = []
    for where, flags in wanted.items():
        written = page.get(where)
        if written is None:
            faults.append(f"postern.1 has no section {where}")
            continue
        for flag in sorted(set(flags) | set(written)):
            if flags.get(flag) != written.get(flag):
                faults.append(f"{where}: --{flag}: help {flags.get(flag)}, page {written.get(flag)}")
    for where in page:
        if where.islower() and where not in wanted:
            faults.append(f"postern.1 has a section {where}, which is no command")
    faults += own_pages(root, {n: wanted[n] for n in names})
    faults += profile_members(root, postern)
    faults += installed(root)
    source.finish(faults)


if __name__ == "__main__":
    main()

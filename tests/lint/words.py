#!/usr/bin/env python3
"""words ROOT: what must not stand in the tree.

Names of public registries (nothing here fetches from one), paths of the machine
it was written on, notes to oneself, code switched off instead of removed, and
modules with names that say nothing.
"""

import os
import re
import sys

import source

# (pattern, what it is); spelt so that no line of this file matches itself.
EVERYWHERE = [
    (re.compile(r"\b(index\.|registry-1\.)?docker\.io/|\b(quay|ghcr|gcr|k8s\.gcr)\.io\b|"
                r"\bregistry\.k8s\.io\b|\bmcr\.microsoft\.com\b|\bpublic\.ecr\.aws\b"),
     "names a registry"),
    (re.compile(r"(?<![\w.])/(work|Users/\w+)/"), "a path of somebody's machine"),
    (re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b"), "a note to oneself; do it or leave it out"),
]
IN_C = [
    (re.compile(r"^\s*#\s*if\s+0\b"), "code switched off; remove it"),
    (re.compile(r"^\s*//.*[;{}]\s*$"), "commented-out code; remove it"),
    (re.compile(r"^\s*/\*.*;\s*\*/\s*$"), "commented-out code; remove it"),
]
VAGUE = re.compile(r"^(.*_)?(utils?|common|misc|helpers?|manager|linux)$")
FREE = {"LICENSE"}


def lines_with(patterns, path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in patterns:
            if pattern.search(line):
                yield f"{path}:{number}: {what}: {line.strip()[:80]}"


def vague_name(path):
    stem, ext = os.path.splitext(os.path.basename(path))
    if ext in (".c", ".h", ".py", ".sh", "") and VAGUE.match(stem):
        yield f"{path}: the name says nothing; name what it does"


def check(path, text):
    if path in FREE:
        return
    yield from vague_name(path)
    yield from lines_with(EVERYWHERE, path, text)
    if path.endswith((".c", ".h")):
        yield from lines_with(IN_C, path, text)


def main():
    root = sys.argv[1]
    faults = []
    for path in source.walk(root):
        faults += check(path, source.read(root, path))
    source.finish(faults)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""doc_links ROOT: links between the pages lead somewhere, anchors included."""

import os
import re
import sys

import source

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(text):
    """GitHub's: lower case, spaces to hyphens, other punctuation gone."""
    heads = re.findall(r"^#+\s+(.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def check(root, path, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(root, to)):
            yield f"{path}: links to {target}, which is not there"
        elif anchor and to.endswith(".md") and anchor not in anchors(source.read(root, to)):
            yield f"{path}: links to {target}, but {to} has no such heading"


def main():
    root = sys.argv[1]
    faults = []
    for path in source.walk(root, "*.md"):
        faults += check(root, path, source.read(root, path))
    source.finish(faults)


if __name__ == "__main__":
    main()

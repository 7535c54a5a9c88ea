#!/usr/bin/env python3
"""layers ROOT LAYER=BELOW,...: includes, closure targets and ARCHITECTURE.md agree.

The arguments come from the table in tests/lint/meson.build that also makes the
closure targets. Checked: a file of a layer includes nothing above it, and the
table of docs/ARCHITECTURE.md lists the same layers with the same ones below.
"""

import re
import sys

import source

INCLUDE = re.compile(r'^#\s*include\s+"(\w+)/', re.M)
ROW = re.compile(r"^\|\s*`lib/(\w+)`\s*\|[^|]*\|([^|]*)\|", re.M)
FRONT_ENDS = ("shim/postern/", "shim/containerd/")


def upward_includes(path, text, layer, below):
    for used in INCLUDE.findall(text):
        if used != layer and used not in below:
            yield f"{path}: includes {used}/, which is not below lib/{layer}"


def documented(text):
    """{layer: [below]} as the table of ARCHITECTURE.md says."""
    return {name: re.findall(r"`lib/(\w+)`", cell) for name, cell in ROW.findall(text)}


def main():
    root = sys.argv[1]
    layers = {}
    for arg in sys.argv[2:]:
        name, _, below = arg.partition("=")
        layers[name] = [b for b in below.split(",") if b]

    faults = []
    for path in source.walk(root, "*.c", "*.h"):
        part = path.split("/")
        text = source.read(root, path)
        if part[0] == "lib" and part[1] in layers:
            faults += upward_includes(path, text, part[1], layers[part[1]])
        elif part[0] == "lib":
            faults.append(f"{path}: lib/{part[1]} is not in the table of tests/lint/meson.build")
        for mine in FRONT_ENDS:
            for other in FRONT_ENDS:
                if mine != other and path.startswith(mine) and f'"{other}' in text:
                    faults.append(f"{path}: the front ends do not include each other")

    docs = documented(source.read(root, "docs/ARCHITECTURE.md"))
    for name in sorted(set(layers) | set(docs)):
        if sorted(docs.get(name, ["no row"])) != sorted(layers.get(name, ["not built"])):
            faults.append(f"docs/ARCHITECTURE.md: lib/{name}: the table says "
                          f"{docs.get(name)}, the build links {layers.get(name)}")
    source.finish(faults)


if __name__ == "__main__":
    main()

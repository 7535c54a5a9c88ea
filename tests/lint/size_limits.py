#!/usr/bin/env python3
"""size_limits ROOT: no C file above 500 lines, no function above 60.

A function is what stands between a line that ends a parameter list and is
followed by "{" in column 0, and the "}" in column 0 that closes it; its length
is counted from the "{" to the "}" inclusive. The house layout (.clang-format)
puts every function's braces there. criterion's Test(...) bodies count too.
"""

import re
import sys

import source

FILE_LINES = 500
FUNCTION_LINES = 60
HEAD = re.compile(r"(\w+)\s*\(")


def name_of(lines, brace):
    """The function whose body opens at lines[brace]; "" if that is a struct or an array."""
    start = brace - 1
    while start > 0 and lines[start][:1] in (" ", "\t"):
        start -= 1
    head = " ".join(lines[start:brace])
    if not head.rstrip().endswith(")"):
        return ""
    if re.match(r"(Test|ParameterizedTest|Theory)\s*\(", head):
        return head.strip()
    names = [n for n in HEAD.findall(head) if not n.startswith(("PST_", "__attribute"))]
    return names[0] if names else ""


def functions(text):
    """(name, first line, length) of each function of a C file."""
    lines = text.splitlines()
    open_at = None
    for i, line in enumerate(lines):
        if line.startswith("{") and open_at is None:
            open_at = i
        elif line.startswith("}") and open_at is not None:
            name = name_of(lines, open_at)
            if name:
                yield name, open_at + 1, i - open_at + 1
            open_at = None


def check(path, text):
    count = text.count("\n")
    if count > FILE_LINES:
        yield f"{path}: {count} lines, {FILE_LINES} are allowed"
    for name, line, length in functions(text):
        if length > FUNCTION_LINES:
            yield f"{path}:{line}: {name} has {length} lines, {FUNCTION_LINES} are allowed"


def main():
    root = sys.argv[1]
    faults = []
    for path in source.walk(root, "*.c", "*.h"):
        faults += check(path, source.read(root, path))
    source.finish(faults)


if __name__ == "__main__":
    main()

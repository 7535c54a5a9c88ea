#!/usr/bin/env python3
"""invariants ROOT: every numbered promise is cited by a test.

docs/invariants.md gives each a heading "## I-N Name". A test cites it as I-N, in
a test's name or a comment. One that nothing can show yet says so in a line
"Not yet shown: reason"; with a reason and a test, the line is out of date.
"""

import re
import sys

import source

HEADING = re.compile(r"^## (I-\d+)\b.*$", re.M)
LATER = re.compile(r"^Not yet shown: \S.*$", re.M)
WHERE = ("tests/unit/", "tests/props/", "tests/fault/", "tests/golden/", "tests/host/",
         "tests/cli/", "tests/integ/", "tests/fuzz/")


def promises(text):
    """{number: text of its section}"""
    parts = HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2]))


def cited(number, texts):
    pattern = re.compile(rf"\b{re.escape(number)}\b(?!\d)")
    return sorted(path for path, text in texts.items() if pattern.search(text))


def check(sections, texts):
    if not sections:
        yield "docs/invariants.md: no heading of the form '## I-1 Name'"
    for number, text in sections.items():
        tests = cited(number, texts)
        later = LATER.search(text)
        if not tests and not later:
            yield f"{number}: no test cites it"
        if tests and later:
            yield f"{number}: cited by {tests[0]}; remove '{later.group(0)}'"
    known = set(sections)
    for path, text in texts.items():
        for number in sorted(set(re.findall(r"\bI-\d+\b", text)) - known):
            yield f"{path}: cites {number}, which docs/invariants.md does not have"


def main():
    root = sys.argv[1]
    texts = {p: source.read(root, p) for p in source.walk(root) if p.startswith(WHERE)}
    sections = promises(source.read(root, "docs/invariants.md"))
    for number in sections:
        print(f"{number}: {len(cited(number, texts))} test file(s)")
    source.finish(list(check(sections, texts)))


if __name__ == "__main__":
    main()

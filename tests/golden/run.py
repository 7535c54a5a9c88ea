#!/usr/bin/env python3
"""run.py [--update] POSTERN [CASE...] - decisions against what was written down.

A case is a folder beside this file:

  config.json    the caller's spec; or config.gen, a Python expression that gives its bytes
  facts.json     what is known of the machine; without it ../facts.json
  policy.json    the node's policy; without it {"version": 1}
  args           the command line, a word a line, instead of the usual
                 plan --bundle @CASE@ --facts @CASE@/facts.json --format json
  plan.json, config.out.json   expected, when the plan is made: the plan, and the spec it gives
  plan.txt                     the same for a case whose args ask for text
  error.txt                    expected, when it is refused: "exit N" and the lines of stderr

The inputs are copied to a scratch folder first; its path is printed as @CASE@.
A filter equal to ../baseline.json (the profile without a caller's) is printed as
"@baseline@", so that a line in a profile changes one file and not each case.

Each case also shows: the same bytes when asked twice; the caller's config.json as it
was (I-6); an edit without a reason or a source never (I-8). TAP on stdout.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
USUAL = ["plan", "--bundle", "@CASE@", "--facts", "@CASE@/facts.json", "--format", "json"]
EXPECTED = ("plan.json", "plan.txt", "config.out.json", "error.txt")


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)


def prepare(case, scratch):
    """Copy the inputs; files end up owned by us and writable by nobody else, as policy must be."""
    source = os.path.join(HERE, case)
    shutil.copytree(source, scratch, symlinks=True, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns(*EXPECTED, "config.gen", "args"))
    generator = os.path.join(source, "config.gen")
    if os.path.exists(generator):
        with open(os.path.join(scratch, "config.json"), "wb") as f:
            f.write(eval(read(generator), {}))  # pylint: disable=eval-used # a file of ours
    if not os.path.exists(os.path.join(scratch, "facts.json")):
        shutil.copy(os.path.join(HERE, "facts.json"), scratch)
    if not os.path.exists(os.path.join(scratch, "policy.json")):
        write(os.path.join(scratch, "policy.json"), '{"version": 1}\n')
    for name in ("policy.json", "facts.json"):
        os.chmod(os.path.join(scratch, name), 0o600)


def command(postern, case, scratch):
    path = os.path.join(HERE, case, "args")
    words = read(path).splitlines() if os.path.exists(path) else USUAL
    if "--policy" not in words:
        words = ["--policy", "@CASE@/policy.json", *words]
    return [postern, *(w.replace("@CASE@", scratch) for w in words)]


def pretty(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def with_marker(value, baseline):
    """The same tree with filters equal to the baseline replaced by its name."""
    if baseline is not None and value == baseline:
        return "@baseline@"
    if isinstance(value, dict):
        return {k: with_marker(v, baseline) for k, v in value.items()}
    if isinstance(value, list):
        return [with_marker(v, baseline) for v in value]
    return value


def big_numbers_kept(text):
    """json.loads, but numbers stay as they were written."""
    return json.loads(text, parse_float=lambda s: f"@{s}", parse_constant=lambda s: f"@{s}")


def timeless(text):
    return re.sub(r'time="[^"]*"', 'time="@TIME@"', text)


def outcome(run, scratch, baseline):
    """{file name: text} as the case would expect it."""
    if run.returncode != 0:
        text = f"exit {run.returncode}\n{timeless(run.stderr)}"
        if run.stdout:
            text += f"and on stdout:\n{run.stdout}"
        return {"error.txt": text.replace(scratch, "@CASE@")}
    try:
        plan = with_marker(big_numbers_kept(run.stdout.replace(scratch, "@CASE@")), baseline)
    except ValueError:
        return {"plan.txt": run.stdout.replace(scratch, "@CASE@")}
    found = {}
    if isinstance(plan, dict) and "spec" in plan:
        found["config.out.json"] = pretty(plan.pop("spec"))
    found["plan.json"] = pretty(plan)
    return found


def unexplained(found):
    """Edits that do not say why (I-8)."""
    try:
        plan = json.loads(found.get("plan.json", "{}"))
    except ValueError:
        return []
    edits = plan.get("edits", []) if isinstance(plan, dict) else []
    return [e["pointer"] for e in edits if not e.get("reason") or not e.get("source")]


def decide(postern, case, baseline):
    """What postern says to a case, and what is wrong with that whatever it says."""
    faults = []
    with tempfile.TemporaryDirectory() as scratch:
        prepare(case, scratch)
        config = os.path.join(scratch, "config.json")
        before = open(config, "rb").read() if os.path.isfile(config) else None
        argv = command(postern, case, scratch)
        runs = [subprocess.run(argv, capture_output=True, text=True, errors="surrogateescape",
                               check=False, timeout=60, stdin=subprocess.DEVNULL, cwd=scratch)
                for _ in range(2)]
        if len({(r.stdout, timeless(r.stderr)) for r in runs}) != 1:
            faults.append("two runs differ")
        if before is not None and open(config, "rb").read() != before:
            faults.append("the caller's config.json was written (I-6)")
        found = outcome(runs[0], scratch, baseline)
    faults += [f"no reason or no source (I-8): {p}" for p in unexplained(found)]
    return found, faults


def expected(case):
    paths = {name: os.path.join(HERE, case, name) for name in EXPECTED}
    return {name: read(path) for name, path in paths.items() if os.path.exists(path)}


def differences(want, got):
    for name in sorted(set(want) | set(got)):
        yield from difflib.unified_diff(
            want.get(name, "").splitlines(), got.get(name, "").splitlines(),
            f"expected {name}", f"got {name}", lineterm="", n=2)


def update(case, found):
    for name in EXPECTED:
        path = os.path.join(HERE, case, name)
        if name in found:
            write(path, found[name])
        elif os.path.exists(path):
            os.remove(path)


def cases(wanted):
    """Folders with files in them; badinput holds folders only, the cases of tests/integ."""
    every = sorted(n for n in os.listdir(HERE) if os.path.isdir(os.path.join(HERE, n)))
    return [n for n in every if (not wanted or n in wanted) and n != "__pycache__" and
            any(os.path.isfile(os.path.join(HERE, n, f)) for f in os.listdir(os.path.join(HERE, n)))]


def load_baseline(postern, rewrite):
    """The filter a container without one gets; the case `no-filter` has none."""
    path = os.path.join(HERE, "baseline.json")
    if rewrite:
        found, _ = decide(postern, "no-filter", None)
        write(path, pretty(json.loads(found["config.out.json"])["linux"]["seccomp"]))
    return json.loads(read(path))


def main():
    args = sys.argv[1:]
    rewrite = args[:1] == ["--update"]
    postern, wanted = os.path.abspath(args[rewrite]), args[rewrite + 1:]
    baseline = load_baseline(postern, rewrite)
    names = cases(wanted)
    failed = not names
    print(f"1..{len(names)}")
    for number, case in enumerate(names, 1):
        found, faults = decide(postern, case, baseline)
        if rewrite:
            update(case, found)
        faults += differences(expected(case), found)
        print(f"{'not ' if faults else ''}ok {number} - {case}")
        for line in faults[:200]:
            print("#", line)
        failed = failed or bool(faults)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

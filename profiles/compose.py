#!/usr/bin/env python3
"""Make the OCI seccomp object of a class: compose.py SYSCALLS.tsv CLASS.json OUT.json GROUP.tsv...

What a class may say stands in profiles/README.md. Output order is fixed: same input, same bytes.
"""
import errno
import json
import os
import sys

LOW32 = 0xFFFFFFFF
ALL64 = 0xFFFFFFFFFFFFFFFF


def rows(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def die(text):
    sys.exit(f"compose.py: {text}")


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


class Table:
    def __init__(self, syscalls, group_files):
        self.ints = {r[1]: r[4] for r in rows(syscalls) if r[0] != "-"}
        self.groups = {os.path.basename(p).removesuffix(".tsv"): [r[0] for r in rows(p)] for p in group_files}

    def names(self, words):
        """Expand @group, name and -name, in order."""
        out = {}
        for word in words:
            if word.startswith("@"):
                if word[1:] not in self.groups:
                    die(f"no group {word}")
                out.update(dict.fromkeys(self.groups[word[1:]]))
                continue
            name = word.removeprefix("-")
            if name not in self.ints:
                die(f"no call {name}")
            if not word.startswith("-"):
                out[name] = None
            elif name in out:
                del out[name]
            else:
                die(f"{word} takes out what is not in")
        return sorted(out)


def blocks(lo, hi):
    """[lo, hi] as aligned power-of-two blocks: (value, mask over 32 bits)."""
    while lo <= hi:
        size = lo & -lo if lo else 1 << 32
        while size > hi - lo + 1:
            size >>= 1
        yield lo, LOW32 & ~(size - 1)
        lo += size


def cubes(cond, is_int):
    """(value, mask) pairs of one condition."""
    width = LOW32 if is_int else ALL64
    if "in" in cond:
        values = set(cond["in"])
        out = []
        for v in sorted(values):
            # two values that differ in one bit are one cube: AF_INET and AF_INET6
            partner = [w for w in values if bin(v ^ w).count("1") == 1]
            if len(values) == 2 and partner:
                return [(v & partner[0], width & ~(v ^ partner[0]))]
            out.append((v, width))
        return out
    if "range" in cond:
        if not is_int:
            die("a range needs an argument of 32 bits")
        return list(blocks(*cond["range"]))
    return [(cond["is"], cond["mask"])]


def arg(index, value, mask):
    if mask == ALL64:
        return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}


def rule_args(table, rule):
    """All argument lists of a rule: the product over its conditions."""
    ints = {table.ints[c] for c in rule["calls"]}
    lists = [[]]
    for cond in rule["args"]:
        is_int = all(str(cond["arg"]) in i for i in ints)
        lists = [l + [arg(cond["arg"], v, m)] for l in lists for v, m in cubes(cond, is_int)]
    return lists


def deny(name):
    return {"action": "SCMP_ACT_ERRNO", "errnoRet": getattr(errno, name)}


def derive(table, cls, folder):
    """A class with a base: what the base allows, less its own `without`, with the base's errnos and rules."""
    if "base" not in cls:
        return cls, []
    base = load(os.path.join(folder, cls["base"] + ".json"))
    parts = load(os.path.join(folder, "../parts.json"))
    without, gone, refused = [], set(), []
    for part in cls["without"]:
        part = parts.get(part) or die(f"no part {part}") if isinstance(part, str) else part
        if not part["why"]:
            die("calls left out without a reason")
        allowed = set(table.names(base["allow"])) | {c for r in base["rules"] for c in r["calls"]}
        lost = set(part["calls"]) - allowed
        if lost:
            die(f"{lost}: the base does not allow it")
        gone |= set(part["calls"])
        without.append(part)
        if "errno" in part:
            refused.append({"calls": part["calls"], **part["errno"]})
    new = base["newer"]
    refused += cls.get("errno", [])
    own = {c for e in refused for c in e["calls"]}
    newer = [c for c in new["calls"] if c in gone - own]
    errno_rules = base["errno"] + refused
    if newer:
        errno_rules = errno_rules + [{"calls": newer, "errno": new["errno"], "why": new["why"]}]
    out = {"default": base["default"], "errno": errno_rules,
           "allow": base["allow"] + ["-" + c for c in sorted(gone) if c in table.names(base["allow"])],
           "rules": [r for r in base["rules"] if not gone & set(r["calls"])]}
    return {**cls, **out}, without


def answers(cls, calls):
    """(errno, calls) for calls that are left out: of the errno rules, else the default."""
    found = {}
    for call in calls:
        names = [e["errno"] for e in cls["errno"] if call in e["calls"]]
        found.setdefault(names[-1] if names else cls["default"], []).append(call)
    return sorted(found.items())


def compose(table, cls, without):
    rules = [{"names": table.names(cls["allow"]), "action": "SCMP_ACT_ALLOW"}]
    taken = set(rules[0]["names"])
    by_errno = {}
    for entry in cls["errno"]:
        if not entry["why"]:
            die("an errno without a reason")
        by_errno.setdefault(entry["errno"], []).extend(table.names(entry["calls"]))
    for name, calls in by_errno.items():
        if taken & set(calls):
            die(f"allowed and denied: {taken & set(calls)}")
        taken |= set(calls)
        rules.append({"names": sorted(calls), **deny(name)})
    for rule in cls["rules"]:
        if not rule["why"]:
            die("a rule without a reason")
        if taken & set(rule["calls"]):
            die(f"a rule for a call decided already: {rule['calls']}")
        action = {"action": "SCMP_ACT_ALLOW"} if rule["action"] == "allow" else deny(rule["action"])
        for args in rule_args(table, rule):
            rules.append({"names": rule["calls"], **action, "args": args})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": getattr(errno, cls["default"]),
        "architectures": ["SCMP_ARCH_X86_64"],
        "flags": [],
        "syscalls": rules,
        "postern": {k: cls[k] for k in ("title", "summary", "leavesOut", "observed")}
        | ({"newer": cls["newer"]["calls"]} if "newer" in cls else {})
        | ({"reference": True} if cls.get("reference") else {})
        | {"why": [{"calls": calls, "action": action, "why": p["why"]} for p in without
                   for action, calls in answers(cls, p["calls"])]
           + [{"calls": e["calls"], "action": e.get("errno", e.get("action")), "why": e["why"]}
              | ({"args": rule_args(table, e)} if "args" in e else {})
              for e in cls["errno"] + cls["rules"]]},
    }


def main():
    syscalls, cls, out, group_files = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    table = Table(syscalls, group_files)
    profile = compose(table, *derive(table, load(cls), os.path.dirname(cls)))
    with open(out, "w", encoding="utf-8") as f:
        json.dump(profile, f, indent=1)
        f.write("\n")


main()

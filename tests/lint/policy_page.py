#!/usr/bin/env python3
"""policy_page [--write] ROOT POLICY_KEYS: the policy's page and its schema are what the code knows.

Every key of the table (policy_keys prints it) is in docs/man/postern-policy.5 with its words, and
every key of the page is in the table. profiles/policy.schema.json is made from the table: --write
writes it, else it is compared. The built-in policy, the page's example and every policy of
tests/golden that the program takes are valid by it.
"""

import glob
import json
import os
import re
import subprocess
import sys

import source

try:
    import jsonschema
except ImportError:
    source.skip("python3-jsonschema is not installed")

NUMBER = r"^[0-9]*(\.[0-9]*)?(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$"


def value_schema(key):
    """The schema of one key that has no keys below it."""
    kind = key["kind"]
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "word":
        return {"enum": [w for w in key["words"] if w not in key["refused"]]}
    if kind == "number":
        return {"type": "integer", "minimum": key["min"], "maximum": key["max"]}
    if kind in ("amount", "bits"):
        text = NUMBER.replace("?$", "?(bit|bps)?$") if kind == "bits" else NUMBER
        return {"anyOf": [{"type": "integer", "minimum": key["min"]}, {"type": "string", "pattern": text}]}
    if kind == "milli":
        return {"anyOf": [{"type": "number", "minimum": key["min"] / 1000}, {"type": "string", "pattern": NUMBER}]}
    if kind == "text":
        return {"type": "string"}
    if kind == "caps":
        return {"type": "array", "items": {"type": "string", "pattern": r"^(CAP_[A-Z_]+|\*)$"}}
    return {"type": "array", "items": {"type": "string"}}


def or_null(schema, key):
    return {"anyOf": [schema, {"type": "null"}]} if key["null"] else schema


def object_schema(keys, pointer, in_class):
    """The object at `pointer`, with what the table has below it."""
    properties = {}
    for key in keys:
        parent, _, name = key["pointer"].rpartition("/")
        if parent != pointer or (in_class and key["top"]):
            continue
        if key["kind"] == "object":
            inner = object_schema(keys, key["pointer"], in_class)
        elif key["kind"] == "classes":
            inner = {"type": "object", "propertyNames": {"pattern": "^[a-z0-9-]{1,40}$"},
                     "additionalProperties": {"$ref": "#/$defs/class"}}
        else:
            inner = value_schema(key)
        properties[name] = or_null(inner, key)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def make_schema(keys):
    top = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "policy of postern",
           "description": "postern-policy(5). Made from the table of keys by tests/lint/policy_page.py."}
    top.update(object_schema(keys, "", False))
    top["$defs"] = {"class": object_schema(keys, "", True)}
    return top


def plain(line):
    return re.sub(r"\\f[BIRP]", "", line).replace("\\-", "-").replace("\\e", "\\")


def page_faults(keys, text):
    wanted = {k["pointer"] for k in keys}
    lines = [plain(line) for line in text.splitlines()]
    tags = [line.removeprefix(".B ").strip() for before, line in zip(lines, lines[1:])
            if before in (".TP", ".TQ") and line.startswith(".B /")]
    yield from (f"the page lacks {p}" for p in sorted(wanted - set(tags)))
    yield from (f"the page has {p}, which is no key" for p in sorted(set(tags) - wanted))
    words = set(re.findall(r"[A-Za-z]+", " ".join(lines)))
    for key in keys:
        for word in key["words"]:
            if word not in key["refused"] and word not in words and not key["pointer"].startswith("/images"):
                yield f"{key['pointer']}: the page does not say {word}"


def policies(root, page):
    """(name, document) that have to be valid."""
    yield "policy.default.json", json.loads(source.read(root, "profiles/policy.default.json"))
    yield "the example of the page", json.loads(page.split(".nf\n")[1].split(".fi")[0])
    for path in sorted(glob.glob(os.path.join(root, "tests/golden/*/policy.json"))):
        case = os.path.dirname(path)
        if not os.path.basename(case).startswith("bad-"):
            with open(path, encoding="utf-8") as file:
                yield os.path.relpath(path, root), json.load(file)


def main():
    args = [a for a in sys.argv[1:] if a != "--write"]
    root, program = args
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    keys = [json.loads(line) for line in out.splitlines()]
    schema = make_schema(keys)
    text = json.dumps(schema, indent=1) + "\n"
    path = os.path.join(root, "profiles", "policy.schema.json")
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    page = source.read(root, "docs/man/postern-policy.5")
    faults = list(page_faults(keys, page))
    if not os.path.exists(path) or source.read(root, "profiles/policy.schema.json") != text:
        faults.append("profiles/policy.schema.json is not what the table says: policy_page.py --write")
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    for name, document in policies(root, page):
        faults += [f"{name}: {e.json_path}: {e.message}" for e in judge.iter_errors(document)]
    if judge.is_valid({"version": 1, "limits": {"pid": 5}}):
        faults.append("the schema takes a key that is none")
    source.finish(faults)


if __name__ == "__main__":
    main()

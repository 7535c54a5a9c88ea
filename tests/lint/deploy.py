#!/usr/bin/env python3
"""deploy ROOT: the manifests of deploy/base parse, hold together, and ask for no more rights than meant."""

import json
import os
import re
import sys

import source

RIGHTS = {"SYS_ADMIN", "SYS_CHROOT", "SETUID", "SETGID", "SETPCAP", "DAC_OVERRIDE"}
WRITABLE = {"/opt/postern", "/etc/containerd", "/etc/postern"}


def documents(root, yaml):
    """(file, document) of every manifest; the kustomization is not among them."""
    for path in source.walk(os.path.join(root, "deploy", "base"), "*.yaml"):
        if path != "kustomization.yaml":
            for doc in yaml.safe_load_all(source.read(root, f"deploy/base/{path}")):
                yield path, doc


def of_kind(docs, kind):
    return [d for _, d in docs if d["kind"] == kind]


def listed(root, yaml, docs):
    """Every file is a resource of the kustomization, once, and says what it is."""
    kust = yaml.safe_load(source.read(root, "deploy/base/kustomization.yaml"))
    files = {path for path, _ in docs}
    yield from (f"{f}: not in kustomization.yaml" for f in sorted(files - set(kust["resources"])))
    yield from (f"kustomization.yaml: {f} is not there" for f in sorted(set(kust["resources"]) - files))
    seen = set()
    for path, d in docs:
        name = (d.get("kind"), d.get("metadata", {}).get("name"))
        if not d.get("apiVersion") or None in name or name in seen:
            yield f"{path}: {name} has no apiVersion, kind or name, or comes twice"
        seen.add(name)
    for d in of_kind(docs, "Namespace"):
        if d["metadata"]["name"] != kust["namespace"]:
            yield "namespace.yaml: not the kustomization's namespace"


def classes(root, docs):
    """A RuntimeClass for `postern` and for each class of the policy, selecting the label that the installer sets."""
    policy = json.loads(source.read(root, "deploy/base/policy.json"))
    want = {"postern"} | {"postern-" + c for c in policy["classes"]}
    found = of_kind(docs, "RuntimeClass")
    handlers = {d["handler"] for d in found}
    if handlers != want:
        yield f"runtimeclasses.yaml: handlers {sorted(handlers)}, policy.json wants {sorted(want)}"
    script = source.read(root, "deploy/image/node-installer")
    for d in found:
        label = d["scheduling"]["nodeSelector"]
        if d["metadata"]["name"] != d["handler"] or not d["overhead"]["podFixed"]:
            yield f"runtimeclasses.yaml: {d['handler']} is named otherwise or has no overhead"
        if label != {"postern/node": "ready"} or "postern/node" not in script or "label '\"ready\"'" not in script:
            yield f"runtimeclasses.yaml: {d['handler']} selects {label}, which the installer does not set"


def accounts(docs):
    """Who is named in bindings, the admission policy and the DaemonSet is the one account."""
    space = of_kind(docs, "Namespace")[0]["metadata"]["name"]
    account = of_kind(docs, "ServiceAccount")[0]["metadata"]["name"]
    for d in of_kind(docs, "ClusterRoleBinding") + of_kind(docs, "RoleBinding"):
        if d["subjects"] != [{"kind": "ServiceAccount", "name": account, "namespace": space}]:
            yield f"rbac.yaml: {d['metadata']['name']} binds another account"
        if (d["roleRef"]["kind"], d["roleRef"]["name"]) not in {(r["kind"], r["metadata"]["name"]) for _, r in docs}:
            yield f"rbac.yaml: {d['metadata']['name']} names a role that is not there"
    policy = of_kind(docs, "ValidatingAdmissionPolicy")[0]
    if f"'system:serviceaccount:{space}:{account}'" not in policy["spec"]["matchConditions"][0]["expression"]:
        yield "admission.yaml: matches another account"
    daemon = of_kind(docs, "DaemonSet")[0]
    if daemon["spec"]["template"]["spec"]["serviceAccountName"] != account:
        yield "node-installer.yaml: another account"
    if of_kind(docs, "Role")[0]["rules"][0]["resourceNames"] != [daemon["metadata"]["name"]]:
        yield "rbac.yaml: the role is for another DaemonSet"


def rights(docs):
    """The installer's pod has the rights that docs/kubernetes.md lists and no others."""
    daemon = of_kind(docs, "DaemonSet")[0]["spec"]
    pod = daemon["template"]["spec"]
    if daemon["selector"]["matchLabels"] != daemon["template"]["metadata"]["labels"]:
        yield "node-installer.yaml: the selector does not match"
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"node-installer.yaml: {key}"
    box = pod["containers"][0]
    context = box["securityContext"]
    if context.get("privileged") or context["allowPrivilegeEscalation"] or not context["readOnlyRootFilesystem"]:
        yield "node-installer.yaml: privileged, may gain privileges, or has a writable root"
    if context["capabilities"]["drop"] != ["ALL"] or set(context["capabilities"]["add"]) != RIGHTS:
        yield f"node-installer.yaml: capabilities {context['capabilities']}"
    volumes = {v["name"]: v for v in pod["volumes"]}
    for m in box["volumeMounts"]:
        path = volumes[m["name"]].get("hostPath", {}).get("path")
        if path and not m.get("readOnly") and path not in WRITABLE:
            yield f"node-installer.yaml: {path} of the host is writable"


def main():
    root = sys.argv[1]
    try:
        import yaml
    except ImportError:
        source.skip("python3-yaml is not installed")
    docs = list(documents(root, yaml))
    faults = [*listed(root, yaml, docs), *classes(root, docs), *accounts(docs), *rights(docs)]
    page = source.read(root, "docs/kubernetes.md")
    faults += [f"docs/kubernetes.md: does not name {r}" for r in sorted(RIGHTS) if not re.search(rf"\b(CAP_)?{r}\b", page)]
    source.finish(faults)


if __name__ == "__main__":
    main()

"""What the tests of the cluster ask of it: manifests under a handler, pods that are ready, processes on the host."""
import contextlib
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "shim"))
from node import until  # noqa: E402


class World:
    """A cluster and the handler its pods name; handler "" leaves the manifests alone."""

    def __init__(self, cluster, handler):
        self.c, self.handler = cluster, handler

    def objects(self, name, **replace):
        """A manifest as objects, pods and pod templates naming the handler."""
        with open(f"{HERE}/manifests/{name}.yaml", encoding="utf-8") as f:
            text = f.read()
        for word, value in replace.items():
            text = text.replace(word, value)
        out = self.c.need("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=text)
        decoder, at, found = json.JSONDecoder(), 0, []
        while at < len(out.rstrip()):
            document, at = decoder.raw_decode(out, at + len(out[at:]) - len(out[at:].lstrip()))
            found += document["items"] if document["kind"] == "List" else [document]
        for o in found:
            self.name_handler(o)
        return found

    def name_handler(self, o):
        """Set runtimeClassName wherever there is a pod."""
        spec = o.get("spec", {})
        if o["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if o["kind"] != "Pod":
            spec = spec.get("template", {}).get("spec")
        if spec and "containers" in spec and self.handler:
            spec["runtimeClassName"] = self.handler

    def classes(self):
        """A RuntimeClass for each handler."""
        self.apply([{"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": n}, "handler": n}
                    for n in ("postern", "runc")])

    def apply(self, objects):
        """kubectl apply of objects."""
        return self.c.need("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def pod(self, name, containers, **spec):
        """Make one pod from parts."""
        for number, container in enumerate(containers):
            container.setdefault("name", f"c{number}")
            container.setdefault("image", "localhost/pst/busybox:1")
            container.setdefault("command", ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"])
        meta = {"name": name, "annotations": spec.pop("annotations", {})}
        spec.setdefault("terminationGracePeriodSeconds", 1)
        o = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": dict(spec, containers=containers)}
        if "namespace" in spec:
            meta["namespace"] = o["spec"].pop("namespace")
        self.name_handler(o)
        self.apply([o])

    def get(self, what, path):
        """A value by jsonpath."""
        return self.c.kubectl("get", *what.split(), "-o", "jsonpath=" + path).stdout

    def ready(self, what, seconds=90):
        """Wait for pods; "" or what is wrong with them."""
        done = self.c.kubectl("wait", "--for=condition=Ready", *what.split(), f"--timeout={seconds}s",
                              timeout=seconds + 30)
        return "" if done.returncode == 0 else done.stderr[-300:] + self.events()

    def events(self):
        """Warnings of the cluster, the last ones."""
        out = self.c.kubectl("get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp",
                             "-o", "jsonpath={range .items[*]}{.involvedObject.name}: {.message}{\"\\n\"}{end}").stdout
        return out[-1500:]

    def describe_reason(self, name, seconds=45):
        """The refusal in `kubectl describe pod`: the line of the event, or "" when there is none in time."""
        def look():
            out = self.c.kubectl("describe", "pod", name).stdout
            found = re.findall(r"(?:Error|Failed to create pod sandbox): .*", out)
            return found[-1].strip() if found else ""
        return until(seconds, look) or ""

    def exec(self, pod, *command, container=None, stdin=None):
        """kubectl exec; the CompletedProcess."""
        more = ["-c", container] if container else []
        return self.c.kubectl("exec", "-q", *(["-i"] if stdin is not None else []), pod, *more, "--", *command, stdin=stdin)

    def sh(self, pod, script, container=None):
        """Output of a script inside, both streams, stripped."""
        done = self.exec(pod, "sh", "-c", script, container=container)
        return (done.stdout + done.stderr).strip()

    # ---- the host
    def processes(self, uid=None):
        """Pids of all pods' processes (of one pod's, by its uid), by the cgroups of the kubelet."""
        found = []
        for base, _, _ in os.walk(f"/sys/fs/cgroup/memory/{self.c.cgroup}/kubepods"):
            if uid is None or uid in base:
                with contextlib.suppress(OSError), open(f"{base}/cgroup.procs", encoding="ascii") as f:
                    found += [int(pid) for pid in f]
        return found

    @staticmethod
    def ids(pid):
        """(uids, gids, first line of uid_map) of a process, as the host sees them; None when it is gone."""
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
                text = f.read()
            with open(f"/proc/{pid}/uid_map", encoding="ascii") as f:
                first = f.readline().split()
            return ([int(n) for n in re.search(r"Uid:(.*)", text)[1].split()],
                    [int(n) for n in re.search(r"Gid:(.*)", text)[1].split()], [int(n) for n in first])
        return None

    def as_host_ids(self):
        """Lines for processes of pods that have an id below 65536 on the host, and how many were looked at."""
        bad, seen = [], 0
        for pid in self.processes():
            found = self.ids(pid)
            if found:
                seen += 1
                if min(found[0] + found[1] + [found[2][1]]) < 65536:
                    bad.append(f"pid {pid}: {found}")
        return bad, seen

    def block(self, pod):
        """First host id of a pod's block; 0 when its processes do not agree."""
        found = {f[2][1] for f in map(self.ids, self.processes(self.get(f"pod {pod}", "{.metadata.uid}"))) if f}
        return found.pop() if len(found) == 1 else 0

    def sandbox(self, pod):
        """Id of a pod's sandbox."""
        return self.c.crictl("pods", "--name", f"^{pod}$", "-s", "Ready", "-q").stdout.strip()

    def shims(self, sandbox=""):
        """Pids of shims: of all, or those of one sandbox."""
        found = []
        for pid in self.c.below():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                words = f.read().split("\0")
                if "containerd-shim" in words[0] and (not sandbox or sandbox in words):
                    found.append(pid)
        return found

    def left(self):
        """What pods leave when they are gone: lines, none when all is well."""
        out = [f"shim {pid}" for pid in self.shims()] + [f"process {pid} in a pod's cgroup" for pid in self.processes()]
        for top in ("ids", "c", "keeper", "stage", "net"):
            with contextlib.suppress(OSError):
                out += [f"/run/postern/{top}/{e}" for e in os.listdir(f"/run/postern/{top}") if e[0] != "." and e != "lock"]
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            points = [line.split()[4] for line in f]
        out += [f"mount {p}" for p in points if p.startswith((f"{self.c.dir}/state/", "/var/lib/kubelet/pods/"))]
        return out + [f"netns {e}" for e in os.listdir("/run/netns")]

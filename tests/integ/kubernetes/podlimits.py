"""Limits that pods ask for in annotations: in force inside and on the host, and told by kubectl when they are met."""
import os
import re
import socket
import subprocess
import sys

from cluster import ADDRESS

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "shim")]
import netspeed  # noqa: E402
from node import program, until  # noqa: E402

# The node's ceilings: every pod of the suite lives below them.
CEILINGS = {"limits": {"pids": {"max": 32768}, "memory": {"max": "8Gi"}, "cpu": {"max": 2}, "disk": {"writeBps": "512Mi"},
                       "network": {"egress": "1Gbit", "ingress": "1Gbit"}}}
ASKED = {"pids": "40", "memory": "64Mi", "cpu": "200m", "disk-read": "4Mi", "disk-write": "4Mi", "disk-read-iops": "100",
         "disk-write-iops": "100", "net-egress": "40Mbit", "net-ingress": "20Mbit"}
# Children of a shell until no more can be made; the subshell that made them is gone when they are counted.
BOMB = "(i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done) 2>/dev/null; set -- /proc/[0-9]*; echo $(($# + 1))"
ABOVE = {"memory": "16Gi", "cpu": "8", "disk-write": "2Gi", "net-egress": "10Gbit"}
# Pods that meet a limit and end: what they ask for, what they run, what is told.
MEET = {
    "bomber": ({"pids": "20"}, BOMB, r"reached its limit of 20 processes, \d+ could not start: limit from annotation postern/pids"),
    "hog": ({"memory": "64Mi"}, "exec tail /dev/zero", r"OOM-killed at 64 MiB: limit from annotation postern/memory; largest: tail 6\d"),
    "burner": ({"cpu": "100m"}, "(while :; do :; done) & sleep 6; kill $!",
               r"throttled in \d+ % of its time at 0\.10 cores, for [\d.]+ s: limit from annotation postern/cpu"),
    "filler": ({"disk-size": "20Mi"}, "dd if=/dev/zero of=/f bs=1M count=60; sync; sleep 60",
               r"stopped at [\d.]+ MiB in its own layer, above 20 MiB: limit from annotation postern/disk-size"),
}


def annotations(asked):
    return {f"postern/{name}": value for name, value in asked.items()}


def cgroup(pid, controller, file):
    """A file of a process's cgroup."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        path = next(line.split(":")[2].strip() for line in f if controller in line.split(":")[1].split(","))
    with open(f"/sys/fs/cgroup/{controller}/{path}/{file}", encoding="ascii") as f:
        return f.read().split()


def times(w, script):
    """Seconds that `time` says of a script in the pod: real, user, sys."""
    said = w.sh("limited", "time " + script)
    found = {m[1]: int(m[2]) * 60 + float(m[3]) for m in re.finditer(r"(real|user|sys)\s+(\d+)m ?([\d.]+)s", said)}
    if len(found) != 3:
        raise RuntimeError(said)
    return found


def cpu_share(w):
    took = times(w, "timeout 5 sh -c 'while :; do :; done'")
    return (took["user"] + took["sys"]) / took["real"]


def test_limits_inside(t, w):
    """One pod that asks for all of them."""
    w.pod("limited", [{"volumeMounts": [{"name": "v", "mountPath": "/v"}]}], volumes=[{"name": "v", "emptyDir": {}}],
          annotations=annotations(ASKED))
    if not t.equal("limits: the pod becomes ready", w.ready("pod/limited"), ""):
        return
    pid = min(p for p in w.processes(w.get("pod limited", "{.metadata.uid}")) if program(p) == "busybox")
    t.equal("limits: pids, memory and cpu in the container's cgroup",
            (cgroup(pid, "pids", "pids.max"), cgroup(pid, "memory", "memory.limit_in_bytes"),
             cgroup(pid, "cpu", "cpu.cfs_quota_us"), cgroup(pid, "cpu", "cpu.cfs_period_us")),
            (["40"], [str(64 << 20)], ["20000"], ["100000"]))
    t.near("limits: cpu, cores", 0.2, 5, lambda: cpu_share(w))
    for what, size, amount, words in (
            ("disk-write, own layer, bytes a second", 4 << 20, 16 << 20, "if=/dev/zero of=/f bs=64k count=256 oflag=direct"),
            ("disk-write, emptyDir, bytes a second", 4 << 20, 16 << 20, "if=/dev/zero of=/v/f bs=64k count=256 oflag=direct"),
            ("disk-read, bytes a second", 4 << 20, 16 << 20, "if=/f of=/dev/null bs=64k count=256 iflag=direct"),
            ("disk-write-iops", 100, 300, "if=/dev/zero of=/f bs=4k count=300 oflag=direct"),
            ("disk-read-iops", 100, 300, "if=/f of=/dev/null bs=4k count=300 iflag=direct")):
        t.near(f"limits: {what}", size, 10, lambda a=amount, x=words: a / times(w, f"dd {x} status=none")["real"])
    inside, address = f"/proc/{pid}/ns/net", w.get("pod limited", "{.status.podIP}")
    netspeed.hold(t, "limits: net-egress", 40, socket.SOCK_STREAM, ADDRESS, inside, None, 2)
    netspeed.hold(t, "limits: net-ingress", 20, socket.SOCK_STREAM, address, None, inside, 2)
    w.c.need("delete", "pod", "limited")
    shown = subprocess.run(["tc", "qdisc", "show"], check=True, capture_output=True, text=True).stdout
    t.ok("rate 40Mbit" not in shown and "rate 20Mbit" not in shown, "limits: no shaping is left of the pod", shown)


def test_limits_met(t, w):
    """What kubectl tells of a limit that was met."""
    for name, (asked, script, _) in MEET.items():
        w.pod(name, [{"command": ["sh", "-c", script]}], restartPolicy="Never", annotations=annotations(asked))
    for name, (_, _, words) in MEET.items():
        said = until(60, lambda n=name: w.get(f"pod {n}", "{.status.containerStatuses[0].state.terminated.message}")) or ""
        t.ok(re.search(words, said), f"limit met, and told: {name}", said or w.c.kubectl("describe", "pod", name).stdout[-1500:])
        print(f"# {name}: {said.strip()}", flush=True)
    t.equal("pids: exactly", w.c.kubectl("logs", "bomber").stdout, "20\n")
    t.equal("memory: the kubelet calls it by its name",
            w.get("pod hog", "{.status.containerStatuses[0].state.terminated.reason}"), "OOMKilled")
    t.ok("postern: OOM-killed at 64 MiB" in w.c.kubectl("describe", "pod", "hog").stdout, "kubectl describe shows the sentence")
    w.c.kubectl("delete", "pods", *MEET)


def test_limits_refused(t, w):
    """Annotations above the node's ceiling."""
    for name, value in ABOVE.items():
        w.pod(f"above-{name}", [{}], annotations=annotations({name: value}))
    for name, value in ABOVE.items():
        said = w.describe_reason(f"above-{name}")
        print(f"# above-{name}: {said}", flush=True)
        t.ok(f"annotation postern/{name}: {value} is above the node's ceiling" in said, f"refused, and described: {name}", said)
    w.c.kubectl("delete", "pods", *(f"above-{name}" for name in ABOVE), "--force", "--grace-period=0")


GROUPS = (test_limits_inside, test_limits_met, test_limits_refused)

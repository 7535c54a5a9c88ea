"""A private place to run a shim in: mount namespace, /run, containerd, cgroup names, and what is left in it.

The program that makes a Node moves itself into a mount namespace of its own with fresh /run/containerd and
/run/postern, and becomes the parent of every orphan below it, so that a process that was forgotten is seen
whatever it is called.
"""
import contextlib
import ctypes
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tap import SLOW

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = "localhost/pst/busybox:1"
CLONE_NEWNS, MS_REC, MS_PRIVATE, PR_SET_CHILD_SUBREAPER = 0x20000, 0x4000, 1 << 18, 36
CONFIG = """version = 2
root = "{0}/root"
state = "{0}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{0}/c.sock"
[ttrpc]
  address = "{0}/c.sock.ttrpc"
"""


def must(result, what):
    """A libc call that has to succeed."""
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


@functools.cache
def private_place():
    """Own mount table, own /run/containerd and /run/postern, orphans come to us; once a program."""
    libc = ctypes.CDLL(None, use_errno=True)
    must(libc.unshare(CLONE_NEWNS), "unshare")
    must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")
    for path in ("/run/containerd", "/run/postern"):
        os.makedirs(path, exist_ok=True)
        must(libc.mount(b"tmpfs", path.encode(), b"tmpfs", 0, b"mode=711"), f"mount {path}")
    must(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def until(seconds, test):
    """Poll a test; its last value."""
    end = time.monotonic() + seconds * SLOW
    while not (value := test()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def alive(pid):
    """A process that is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def program(pid):
    """Base name of what a process executes, or its comm."""
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).removesuffix(" (deleted)")
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as f:
        return f.read().strip()
    return "?"


class Node:
    """One private place for one shim program."""

    def __init__(self, shim, containerd="containerd", tag=""):
        if os.geteuid():
            sys.exit("1..0 # SKIP needs root")
        found = shutil.which(shim)
        if not found:
            sys.exit(f"Bail out! no shim {shim}")
        private_place()
        self.shim = os.path.realpath(found)
        self.dir = tempfile.mkdtemp(prefix="pst-shim.", dir="/var/tmp")
        os.chmod(self.dir, 0o711)
        self.ns = f"pst{os.getpid()}{tag}"
        self.sock = f"{self.dir}/c.sock"
        self.containerd, self.daemon, self.others, self.count = containerd, None, [], 0
        name = re.fullmatch(r"containerd-shim-(\w+)-(v\d+)", os.path.basename(self.shim))
        if not name:
            sys.exit(f"Bail out! {self.shim}: not named containerd-shim-NAME-vN")
        self.runtime = f"io.containerd.{name[1]}.{name[2]}"
        os.mkdir(f"{self.dir}/bin")
        os.symlink(self.shim, f"{self.dir}/bin/{os.path.basename(self.shim)}")
        self.env = dict(os.environ, PATH=f"{self.dir}/bin:" + os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.stock = self.runtime == "io.containerd.runc.v2"
        self.mounts_before = self.mounts()

    # ---- containerd
    def start(self):
        """Start containerd (again) on the same directories."""
        with open(f"{self.dir}/config.toml", "w", encoding="ascii") as f:
            f.write(CONFIG.format(self.dir))
        with open(f"{self.dir}/containerd.log", "ab") as log:
            self.daemon = subprocess.Popen([self.containerd, "--config", f"{self.dir}/config.toml"], env=self.env,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(20, lambda: self.ctr("version").returncode == 0):
            raise RuntimeError("containerd did not start: " + self.log()[-600:])

    def log(self):
        """containerd's own log."""
        with open(f"{self.dir}/containerd.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def image(self):
        """Import busybox."""
        subprocess.run([f"{HERE}/../bundle.py", "image", f"{self.dir}/image.tar", IMAGE], check=True)
        self.need("image", "import", f"{self.dir}/image.tar")

    def argv(self, *args):
        return ["ctr", "--address", self.sock, "--namespace", self.ns, *args]

    def ctr(self, *args, stdin="", timeout=60):
        """One ctr; the CompletedProcess with text."""
        return subprocess.run(self.argv(*args), env=self.env, input=stdin, capture_output=True, text=True,
                              timeout=timeout * SLOW, check=False)

    def need(self, *args, **more):
        """One ctr that has to succeed; its standard output."""
        done = self.ctr(*args, **more)
        if done.returncode:
            raise RuntimeError(f"ctr {' '.join(args)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def run(self, *args, **more):
        """ctr run with the shim."""
        return self.ctr("run", "--runtime", self.runtime, *args, **more)

    def name(self):
        """A container id never used before."""
        self.count += 1
        return f"{self.ns}c{self.count}"

    def up(self, *args, options=(), name=None):
        """A detached container; (id, pid of init)."""
        name = name or self.name()
        self.need("run", "--runtime", self.runtime, "-d", *options, IMAGE, name, *(args or ("sleep", "1000")))
        return name, self.task(name)[0]

    def task(self, name):
        """(pid, status) of a task; (0, "") when there is none."""
        for line in self.ctr("task", "ls").stdout.splitlines():
            words = line.split()
            if words and words[0] == name:
                return int(words[1]), words[2]
        return 0, ""

    def stopped(self, name, seconds=10):
        """Until the task has ended."""
        return until(seconds, lambda: self.task(name)[1] in ("STOPPED", ""))

    def down(self, name):
        """Kill and forget a container, whatever state it is in."""
        self.ctr("task", "kill", "-s", "KILL", "-a", name)
        self.stopped(name)
        self.ctr("task", "delete", "-f", name)
        return self.ctr("container", "delete", name)

    # ---- processes
    def processes(self):
        """Everything alive below this program, by pid: program name. Zombies that are ours are reaped."""
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                words = f.read().rsplit(")", 1)[1].split()
                parents[int(entry)] = (int(words[1]), words[0])
        me, known = os.getpid(), {p.pid for p in self.others} | ({self.daemon.pid} if self.daemon else set())
        found = {}
        for pid, (parent, state) in parents.items():
            if state in "ZX":
                if parent == me and pid not in known:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
                continue
            above, steps = parent, 0
            while above in parents and above != me and steps < 64:
                above, steps = parents[above][0], steps + 1
            if above == me and pid not in known:
                found[pid] = program(pid)
        return found

    def servers(self):
        """Pids of running shims."""
        return sorted(p for p, name in self.processes().items() if name == os.path.basename(self.shim))

    # ---- what is left
    @staticmethod
    def mounts():
        """Mount points and types of this namespace."""
        out = []
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            for line in f:
                words = line.split()
                out.append(f"{words[4]} {words[words.index('-') + 1]}")
        return sorted(out)

    def cgroups(self):
        """Control groups of our containers."""
        out = []
        for top, dirs, _ in os.walk("/sys/fs/cgroup"):
            for d in list(dirs):
                if self.ns in d and d != self.ns:
                    out.append(f"{top}/{d}")
                    dirs.remove(d)
        return out

    def left(self):
        """What containers and shims left behind, one line each; empty is good."""
        out = [f"process {pid} {name}" for pid, name in self.processes().items()]
        before = list(self.mounts_before)
        for line in self.mounts():
            if line in before:
                before.remove(line)
            else:
                out.append(f"mount {line}")
        places = {"socket": "/run/containerd/s", "runc": f"/run/containerd/runc/{self.ns}",
                  "bundle": f"{self.dir}/state/io.containerd.runtime.v2.task/{self.ns}",
                  "postern container": "/run/postern/c"}
        for what, path in places.items():
            with contextlib.suppress(OSError):
                out += [f"{what} {e}" for e in os.listdir(path) if e != "lock" and e[0] != "."]
        for top, _, files in os.walk("/run/postern/ids"):
            out += [f"lease {top}/{e}" for e in files if e != "lock" and e[0] != "."]
        return out + [f"cgroup {c}" for c in self.cgroups()]

    def nothing_left(self, seconds=8):
        """Poll until nothing is left; the lines that stay."""
        until(seconds, lambda: not self.left())
        return "\n".join(self.left())

    def stop(self):
        """End containerd and whatever is below us, and take the directories away."""
        if self.daemon:
            self.daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.daemon.wait(10)
        for _ in range(20):
            rest = self.processes()
            for pid in rest:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not rest:
                break
            time.sleep(0.1)
        libc = ctypes.CDLL(None)
        for line in reversed([m for m in self.mounts() if m.startswith(self.dir)]):
            libc.umount2(line.rsplit(" ", 1)[0].encode(), 2)
        for top, dirs, _ in os.walk("/sys/fs/cgroup"):
            for d in [d for d in dirs if d.startswith(self.ns)]:
                for base, _, _ in os.walk(f"{top}/{d}", topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(base)
        shutil.rmtree(self.dir, ignore_errors=True)

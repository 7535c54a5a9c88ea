"""A shim without a containerd: bundles, `start`, a connection, fifos, `delete`; events go to a receiver of ours."""
import contextlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bundle  # noqa: E402
import ttrpc  # noqa: E402
from ttrpc import Client, Message, pack  # noqa: E402

SPEC = "types.containerd.io/opencontainers/runtime-spec/1/"


class Pod:
    """One container with its own connection; several share a server when `group` is given."""

    def __init__(self, node, args, group="", terminal=False, annotations=(), service=ttrpc.TASK2):
        self.node, self.id, self.service = node, node.name(), service
        self.bundle = f"{node.dir}/b/{self.id}"
        self.rootfs = f"{node.dir}/rootfs"
        if not os.path.isdir(self.rootfs):
            bundle.make_rootfs(self.rootfs)
        for d in ("rootfs", "upper", "work"):
            os.makedirs(f"{self.bundle}/{d}")
        more = ["--tty"] if terminal else []
        for a in list(annotations) + ([f"io.kubernetes.cri.sandbox-id={group}"] if group else []):
            more += ["--annotation", a]
        bundle.make_bundle(bundle.parse(["bundle", self.bundle, "--rootfs", "rootfs", "--cgroup",
                                         f"/{node.ns}/{self.id}", *more, "--", *args]))
        os.chmod(self.bundle, 0o700)
        os.mkfifo(f"{self.bundle}/log", 0o700)
        self.log = os.open(f"{self.bundle}/log", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.mount_options = ()
        self.terminal, self.client, self.address, self.pid, self.init = terminal, None, "", 0, 0
        self.fifos = {}

    def popen(self, action, stdin=subprocess.PIPE, stdout=subprocess.PIPE):
        """The shim's `start` or `delete`, begun; a Popen."""
        env = dict(self.node.env, TTRPC_ADDRESS=self.node.sock + ".ttrpc", GRPC_ADDRESS=self.node.sock,
                   NAMESPACE=self.node.ns, MAX_SHIM_VERSION="2", GOMAXPROCS="2")
        argv = [self.node.shim, "-namespace", self.node.ns, "-address", self.node.sock, "-publish-binary",
                "/usr/bin/containerd", "-id", self.id]
        if action == "delete":
            argv += ["-bundle", self.bundle]
        return subprocess.Popen(argv + [action], cwd=self.bundle, env=env, stdin=stdin, stdout=stdout,
                                stderr=subprocess.PIPE)

    def command(self, action, stdin=b""):
        """The same to its end; a CompletedProcess."""
        with self.popen(action) as p:
            out, err = p.communicate(stdin, timeout=30)
            return subprocess.CompletedProcess(p.args, p.returncode, out, err)

    def start_shim(self):
        """`start`, then connect; self."""
        done = self.command("start")
        text = done.stdout.decode().strip()
        if done.returncode or done.stderr or not text:
            raise RuntimeError(f"start: exit {done.returncode}: {text} {done.stderr.decode()}")
        self.address = json.loads(text)["address"] if text.startswith("{") else text
        self.client = Client(self.address.removeprefix("unix://"), self.service)
        self.pid = self.client.call("Connect", (1, self.id)).num(1)
        return self

    def fifo(self, name, flags=os.O_RDONLY | os.O_NONBLOCK):
        """A fifo for a stream with our end open; its path."""
        path = f"{self.bundle}/{name}"
        os.mkfifo(path)
        self.fifos[name] = os.open(path, flags | os.O_CLOEXEC)
        return path

    def mount(self):
        """The overlay mount of the create request."""
        return pack((1, "overlay"), (2, "overlay"), (4, f"lowerdir={self.rootfs}"),
                    (4, f"upperdir={self.bundle}/upper"), (4, f"workdir={self.bundle}/work"),
                    *((4, option) for option in self.mount_options))

    def create(self, stdin="", stdout="", stderr=""):
        """Create; the pid of init."""
        self.init = self.client.call("Create", (1, self.id), (2, self.bundle), (3, self.mount()), (4, self.terminal),
                                     (5, stdin), (6, stdout), (7, stderr)).num(1)
        return self.init

    def begin(self):
        """Start; the pid."""
        return self.client.call("Start", (1, self.id)).num(1)

    def up(self):
        """All of it up to a running init without streams; self."""
        self.start_shim().create()
        self.begin()
        return self

    def state(self, exec_id=""):
        return self.client.call("State", (1, self.id), (2, exec_id))

    def wait(self, exec_id="", timeout=30):
        """Exit status."""
        return self.client.call("Wait", (1, self.id), (2, exec_id), timeout=timeout).num(1)

    def exec(self, exec_id, args, stdin="", stdout="", stderr="", terminal=False):
        """Register an exec, its terminal named in the request alone; status code 0 or that of the failure."""
        process = {"args": list(args), "cwd": "/", "env": [bundle.PATH], "user": {"uid": 0, "gid": 0}}
        spec = pack((1, SPEC + "Process"), (2, json.dumps(process)))
        return self.client.code("Exec", (1, self.id), (2, exec_id), (3, terminal), (4, stdin), (5, stdout),
                                (6, stderr), (7, spec))

    def end(self):
        """Kill, Delete, Shutdown, `delete`, whatever state it is in; the answer of `delete`."""
        if not self.client:
            return self.forget()
        with contextlib.suppress(ttrpc.Failed, OSError, EOFError):
            self.client.code("Kill", (1, self.id), (3, 9), (4, True))
            if self.client.code("Wait", (1, self.id), timeout=10) == 0:
                self.client.code("Delete", (1, self.id))
        with contextlib.suppress(ttrpc.Failed, OSError, EOFError):
            self.client.code("Shutdown", (1, self.id))
        return self.forget()

    def forget(self):
        """Close what is ours and run `delete`; its DeleteResponse."""
        if self.client:
            self.client.close()
        for fd in [*self.fifos.values(), self.log]:
            with contextlib.suppress(OSError):
                os.close(fd)
        self.fifos, self.log = {}, -1
        done = self.command("delete")
        if done.returncode and not self.node.stock:  # the stock one of 1.6 fails when Create never ran
            raise RuntimeError(f"delete: exit {done.returncode}: {done.stderr.decode()}")
        return Message(done.stdout)

"""A cluster of one node for tests: etcd, Kubernetes' own programs, a containerd, all in namespaces of this program.

The program that makes a Cluster moves itself into a mount, a network and an ipc namespace of its own. Every directory the
programs write by name (/var/lib/kubelet, /run/postern, /etc/cni, ...) is replaced there by one below the scratch
directory, every address is one of that network, and every cgroup lies below one of that name, so that nothing of it
meets what else runs on the machine. stop() ends all of it.
"""
import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "shim"))
import images  # noqa: E402
from node import CLONE_NEWNS, MS_PRIVATE, MS_REC, PR_SET_CHILD_SUBREAPER, alive, must, until  # noqa: E402

CLONE_NEWNET, CLONE_NEWIPC, MS_SHARED, MS_BIND = 0x40000000, 0x08000000, 1 << 20, 4096
NODE, ADDRESS, PODS, SERVICES = "node", "10.99.0.1", "10.97.0.0/16", "10.98.0.0/16"
CACHE = os.environ.get("POSTERN_CACHE", "/var/cache/postern-test")
# What is replaced in the mount namespace; the kubelet and containerd know these by name.
OURS = ("/run/containerd", "/run/postern", "/run/runc", "/run/netns", "/var/lib/postern", "/etc/postern",
        "/etc/cni", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/run/flannel")
CNI = {"cniVersion": "0.4.0", "name": "pst", "plugins": [
    {"type": "bridge", "bridge": "pods0", "isGateway": True, "isDefaultGateway": True, "ipMasq": False,
     "hairpinMode": True, "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "dataDir": "/var/lib/cni"}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}
# The kubelet would set these for the whole machine; it is shown files that already say what it wants.
TUNABLES = {"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
            "kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000"}


def containerd_config(top, version, runc):
    """config.toml of containerd `version` ("1.6" or "2.1") with the stock handler alone."""
    old = version == "1.6"
    runtime = "io.containerd.grpc.v1.cri" if old else "io.containerd.cri.v1.runtime"
    image = "" if old else f'''
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{images.PAUSE}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "{top}/certs.d"
[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
'''
    old_image = f'''  sandbox_image = "{images.PAUSE}"
  [plugins."{runtime}".registry]
    config_path = "{top}/certs.d"
''' if old else ""
    stock = f'''
  [plugins."{runtime}".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."{runtime}".containerd.runtimes.runc.options]
      BinaryName = "{runc}"'''
    return f'''version = {2 if old else 3}
root = "{top}/root"
state = "{top}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.opt"{"" if old else ', "io.containerd.nri.v1.nri"'}]
[grpc]
  address = "{top}/c.sock"
[ttrpc]
  address = "{top}/c.sock.ttrpc"
{image}[plugins."{runtime}"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
{old_image}  [plugins."{runtime}".cni]
    bin_dir{"" if old else "s"} = {'"/usr/lib/cni"' if old else '["/usr/lib/cni"]'}
    conf_dir = "/etc/cni/net.d"
  [plugins."{runtime}".containerd]
    default_runtime_name = "runc"{stock}
'''


class Cluster:
    """One node and its control plane. containerd: "1.6" or "2.1"."""

    ours = OURS

    def __init__(self, shim, containerd="1.6", default="postern", policy=()):
        if os.geteuid():
            sys.exit("1..0 # SKIP needs root")
        self.shim, self.version, self.default = os.path.realpath(shim), containerd, default
        self.policy, self.daemons, self.down = policy, {}, False
        self.dir = tempfile.mkdtemp(prefix="pst-kube.", dir="/var/tmp")
        os.chmod(self.dir, 0o711)
        self.cgroup = "pstkube" + secrets.token_hex(3)
        made = subprocess.run([f"{HERE}/programs"], check=True, stdout=subprocess.PIPE, text=True)
        self.programs = made.stdout.strip()
        self.images = images.make(f"{CACHE}/images")
        self.runc = "/usr/sbin/runc" if containerd == "1.6" else f"{self.programs}/next/bin/runc"
        self.token = secrets.token_hex(16)
        try:
            self.place()
        except Exception:
            self.stop()
            raise

    # ---- the place
    def place(self):
        """Own mount, network and ipc namespace, own directories; orphans come to us."""
        for sig in (signal.SIGTERM, signal.SIGINT):  # also in the background: stop() runs
            signal.signal(sig, signal.default_int_handler)
        libc = ctypes.CDLL(None, use_errno=True)
        must(libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC), "unshare")
        must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")
        must(libc.mount(b"none", b"/", None, MS_REC | MS_SHARED, None), "mount --make-rshared /")
        must(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
        for path in self.ours:
            mine = f"{self.dir}/at{path}"
            os.makedirs(mine, mode=0o711)
            os.makedirs(path, exist_ok=True)
            must(libc.mount(mine.encode(), path.encode(), None, MS_BIND, None), f"mount {path}")
        for command in ("link set lo up", "link add node0 type bridge", f"addr add {ADDRESS}/24 dev node0",
                        "link set node0 up", f"route add default via {ADDRESS} dev node0"):
            subprocess.run(["ip", *command.split()], check=True)
        os.makedirs("/etc/cni/net.d")
        self.write("/etc/cni/net.d/10-pst.conflist", json.dumps(CNI))
        self.write(f"{self.dir}/resolv.conf", "nameserver 10.98.0.10\n")
        self.write("/etc/postern/policy.json", json.dumps({"version": 1, "runtime": {"path": self.runc},
                                                           "limits": {"pids": {"max": 32768}},
                                                           "exempt": {"namespaces": ["kube-system"]},
                                                           **dict(self.policy)}))
        self.copy_programs()
        for controller in os.listdir("/sys/fs/cgroup"):
            own = f"/sys/fs/cgroup/{controller}/{self.cgroup}"
            if os.path.isdir(os.path.dirname(own)) and not os.path.islink(os.path.dirname(own)):
                os.makedirs(own, exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                with contextlib.suppress(OSError), open(f"{own}/../{name}", encoding="ascii") as f:
                    self.write(f"{own}/{name}", f.read())
        with contextlib.suppress(OSError):  # the pods' share is not what else the machine does
            self.write(f"/sys/fs/cgroup/cpu/{self.cgroup}/cpu.shares", "65536")

    def copy_programs(self):
        """Ours, as an installation has them: out of the shim's folder, or of a build tree."""
        os.makedirs(f"{self.dir}/bin")
        for name, folder in (("containerd-shim-postern-v2", "."), ("postern", "../postern"), ("postern-gate", "../postern"),
                             ("postern-keeper", "../keeper")):
            top = os.path.dirname(self.shim)
            found = next(p for p in (f"{top}/{name}", f"{top}/{folder}/{name}") if os.path.exists(p))
            shutil.copy(found, f"{self.dir}/bin/{name}")

    @staticmethod
    def write(path, text, mode=0o644):
        """A file with this text."""
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
            os.chmod(path, mode) if not path.startswith("/sys") else None

    # ---- programs
    def spawn(self, name, *argv, env=(), wrap=()):
        """A program of the cluster, its output in NAME.log."""
        path = argv[0] if argv[0].startswith("/") else f"{self.programs}/bin/{argv[0]}"
        with open(f"{self.dir}/{name}.log", "ab") as log:
            self.daemons[name] = subprocess.Popen([*wrap, path, *argv[1:]], stdin=subprocess.DEVNULL, stdout=log,
                                                  stderr=log, env=dict(os.environ, **dict(env)), cwd=self.dir)

    def log(self, name, size=1500):
        """The end of a program's log."""
        with open(f"{self.dir}/{name}.log", encoding="utf-8", errors="replace") as f:
            return f.read()[-size:]

    def end(self, name, sig=signal.SIGTERM):
        """End one program."""
        process = self.daemons.pop(name, None)
        if process:
            process.send_signal(sig)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def configure(self, env):
        """containerd's configuration with the stock handler and ours, which `postern install` writes; its path."""
        config = f"{self.dir}/config.toml"
        self.write(config, containerd_config(self.dir, self.version, self.runc))
        subprocess.run([f"{self.dir}/bin/postern", "install", "containerd", "--config", config], check=True,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, **env))
        if self.default != "runc":
            with open(config, encoding="ascii") as f:
                text = f.read()
            self.write(config, text.replace('default_runtime_name = "runc"', f'default_runtime_name = "{self.default}"'))
        return config

    def start_containerd(self):
        """containerd; again on the same directories."""
        old = self.version == "1.6"
        env = {"PATH": ("" if old else f"{self.programs}/next/bin:") + f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        self.spawn("containerd", "/usr/bin/containerd" if old else f"{self.programs}/next/bin/containerd", "--config",
                   self.configure(env), env=env)
        if not until(30, lambda: self.crictl("version").returncode == 0):
            raise RuntimeError("containerd did not start: " + self.log("containerd"))

    def load_images(self):
        """Import the test images."""
        for path in self.images.values():
            subprocess.run(["ctr", "--address", f"{self.dir}/c.sock", "-n", "k8s.io", "images", "import", path],
                           check=True, stdout=subprocess.DEVNULL)

    def crictl(self, *args, timeout=60):
        """crictl on this containerd."""
        return subprocess.run([f"{self.programs}/bin/crictl", "-r", f"unix://{self.dir}/c.sock", "-t", "30s", *args],
                              capture_output=True, text=True, timeout=timeout, check=False)

    def start_control_plane(self):
        """etcd, apiserver, controller manager, scheduler; kubeconfig for all of them."""
        top = self.dir
        subprocess.run(["openssl", "genrsa", "-out", f"{top}/sa.key", "2048"], check=True, capture_output=True)
        self.write(f"{top}/tokens", f"{self.token},admin,admin,system:masters\n", 0o600)
        self.spawn("etcd", "/usr/bin/etcd", "--data-dir", f"{top}/etcd", "--unsafe-no-fsync")
        self.spawn("kube-apiserver", "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
                   f"--cert-dir={top}/pki", f"--advertise-address={ADDRESS}", f"--token-auth-file={top}/tokens",
                   "--authorization-mode=RBAC", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged=true",
                   "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={top}/sa.key",
                   f"--service-account-signing-key-file={top}/sa.key",
                   "--kubelet-preferred-address-types=InternalIP")
        ready = until(90, lambda: os.path.exists(f"{top}/pki/apiserver.crt"))
        if not ready:
            raise RuntimeError("kube-apiserver did not start: " + self.log("kube-apiserver"))
        self.write(f"{top}/kubeconfig", json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"https://{ADDRESS}:6443",
                                                   "certificate-authority": f"{top}/pki/apiserver.crt"}}],
            "users": [{"name": "u", "user": {"token": self.token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}), 0o600)
        if not until(120, lambda: self.kubectl("get", "--raw", "/readyz").returncode == 0):
            raise RuntimeError("kube-apiserver is not ready: " + self.log("kube-apiserver"))
        common = (f"--kubeconfig={top}/kubeconfig", "--leader-elect=false")
        self.spawn("kube-controller-manager", "kube-controller-manager", *common,
                   f"--service-account-private-key-file={top}/sa.key", f"--root-ca-file={top}/pki/apiserver.crt")
        self.spawn("kube-scheduler", "kube-scheduler", *common)

    def start_kubelet(self):
        """The kubelet, in a mount namespace where the machine's tunables are files of ours."""
        top = self.dir
        self.write(f"{top}/kubelet.json", json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"}, "address": ADDRESS, "readOnlyPort": 0,
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self.cgroup}", "failSwapOn": False, "failCgroupV1": False,
            "containerRuntimeEndpoint": f"unix://{top}/c.sock", "resolvConf": f"{top}/resolv.conf", "maxPods": 200,
            "oomScoreAdj": 0, "enforceNodeAllocatable": [], "eventRecordQPS": 0, "kubeAPIQPS": 100,
            "kubeAPIBurst": 200, "makeIPTablesUtilChains": False, "clusterDNS": ["10.98.0.10"],
            "clusterDomain": "cluster.local", "syncFrequency": "5s", "nodeStatusUpdateFrequency": "5s",
            "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99, "runtimeRequestTimeout": "2m",
            "allowedUnsafeSysctls": ["net.ipv4.tcp_*", "kernel.msg*", "net.core.somaxconn"],
            "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
            "featureGates": {"UserNamespacesSupport": True}}))
        os.makedirs(f"{top}/tunables", exist_ok=True)
        script = ["mount --make-rprivate /proc"]
        for name, value in TUNABLES.items():
            mine = f"{top}/tunables/{os.path.basename(name)}"
            self.write(mine, value + "\n")
            script.append(f"mount --bind {mine} /proc/sys/{name}")
        self.spawn("kubelet", f"{self.programs}/bin/kubelet", f"--config={top}/kubelet.json",
                   f"--kubeconfig={top}/kubeconfig", f"--hostname-override={NODE}", f"--node-ip={ADDRESS}",
                   wrap=("unshare", "-m", "--propagation", "unchanged", "sh", "-ec",
                         "; ".join(script) + '; exec "$@"', "kubelet"))

    def start_proxy(self):
        """kube-proxy; what it may not set in this network namespace is left alone."""
        self.write(f"{self.dir}/proxy.json", json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
            "clientConnection": {"kubeconfig": f"{self.dir}/kubeconfig"}, "clusterCIDR": PODS,
            "hostnameOverride": NODE, "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s",
                                                    "tcpCloseWaitTimeout": "0s"}}))
        self.spawn("kube-proxy", "kube-proxy", f"--config={self.dir}/proxy.json")

    def kubectl(self, *args, stdin=None, timeout=120):
        """kubectl; the CompletedProcess with text."""
        return subprocess.run([f"{self.programs}/bin/kubectl", f"--kubeconfig={self.dir}/kubeconfig", *args],
                              input=stdin, capture_output=True, text=True, timeout=timeout, check=False)

    def need(self, *args, **more):
        """kubectl that has to succeed; its output."""
        done = self.kubectl(*args, **more)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(args)}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def ready(self):
        """Is the node ready, and does its kubelet answer by itself?"""
        if self.kubectl("get", "--raw", f"/api/v1/nodes/{NODE}/proxy/healthz").stdout != "ok":
            return False
        return self.kubectl("get", "node", NODE, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
                            ).stdout == "True"

    def start(self, proxy=True):
        """All of it, to a node that is ready."""
        self.start_containerd()
        self.load_images()
        self.start_control_plane()
        self.start_kubelet()
        if proxy:
            self.start_proxy()
        if not until(180, self.ready):
            raise RuntimeError("the node is not ready: " + self.log("kubelet"))

    # ---- the end
    def below(self):
        """Everything alive below this program but its known daemons: pids."""
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                parents[int(entry)] = int(f.read().rsplit(")", 1)[1].split()[1])
        found, me = [], os.getpid()
        for pid in parents:
            above, steps = pid, 0
            while above in parents and above != me and steps < 64:
                above, steps = parents[above], steps + 1
            if above == me and pid != me and alive(pid):
                found.append(pid)
        return found

    def stop(self):
        """End everything and take the directories away."""
        if self.down:
            return
        self.down = True
        for name in ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd",
                     "containerd"):
            self.end(name)
        for _ in range(40):
            rest = self.below()
            for pid in rest:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not rest:
                break
            time.sleep(0.1)
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            mounted = [line.split()[4] for line in f]
        libc = ctypes.CDLL(None)
        for path in reversed(mounted):
            if path.startswith(self.dir + "/") or path.startswith(self.ours):
                libc.umount2(path.encode(), 2)
        for controller in os.listdir("/sys/fs/cgroup"):
            for base, _, _ in os.walk(f"/sys/fs/cgroup/{controller}/{self.cgroup}", topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(base)
        if os.environ.get("KEEP") != "1":
            shutil.rmtree(self.dir, ignore_errors=True)

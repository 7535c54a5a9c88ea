#!/usr/bin/env python3
"""Makes bundles, busybox trees and images for the integration tests.

  bundle.py rootfs DIR                      a busybox tree
  bundle.py bundle DIR [options] -- ARGS    DIR/config.json, and DIR/rootfs unless --rootfs is given
  bundle.py image OUT.tar NAME[:TAG] [-- ARGS]   an OCI image layout of busybox as a tar

The default config is what an engine would write for an ordinary container: 14 capabilities, namespaces
of its own, the usual mounts and masked paths, no no_new_privs, and a wide seccomp profile.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

import seccomp_default

CAPS = ["CAP_" + c for c in """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP
SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE""".split()]
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
          "/sys/firmware", "/sys/devices/virtual/powercap"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
MOUNTS = [
    ("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/pts", "devpts", "devpts",
     ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
    ("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "noexec", "nodev"]),
    ("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
]
BUSYBOX_DIRS = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "proc": 0o755,
                "root": 0o700, "run": 0o755, "sbin": 0o755, "sys": 0o755, "tmp": 0o1777,
                "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "var": 0o755}
PASSWD = ("root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
          "www-data:x:33:33:www-data:/var/www:/bin/false\n"
          "nobody:x:65534:65534:nobody:/home:/bin/false\n")
GROUP = "root:x:0:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def busybox():
    """Path of a static busybox of this machine."""
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            with open(path, "rb") as binary:
                if b"ld-linux" not in binary.read(4096):
                    return path
    raise SystemExit("bundle: no static busybox: apt-get install busybox-static")


def make_rootfs(top):
    """A busybox tree at `top`: every applet a symlink in /bin, and the files login programs want."""
    for name, mode in BUSYBOX_DIRS.items():
        os.makedirs(os.path.join(top, name), exist_ok=True)
        os.chmod(os.path.join(top, name), mode)
    os.chmod(top, 0o755)
    program = busybox()
    shutil.copyfile(program, os.path.join(top, "bin/busybox"))
    os.chmod(os.path.join(top, "bin/busybox"), 0o755)
    for applet in subprocess.check_output([program, "--list"], text=True).split():
        link = os.path.join(top, "bin", applet)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    for name, text in (("etc/passwd", PASSWD), ("etc/group", GROUP)):
        with open(os.path.join(top, name), "w", encoding="ascii") as file:
            file.write(text)


def mount_entry(text):
    """SRC:DST[:OPT,OPT] as an entry of mounts[]."""
    source, destination, *options = text.split(":")
    return {"destination": destination, "type": "bind", "source": os.path.abspath(source),
            "options": ["rbind"] + (options[0].split(",") if options else [])}


def namespaces(net):
    """linux.namespaces; `net` is own, host, or the path of a network namespace."""
    spaces = [{"type": t} for t in ("pid", "ipc", "uts", "mount")]
    if net == "own":
        spaces.append({"type": "network"})
    elif net != "host":
        spaces.append({"type": "network", "path": net})
    return spaces


def process(opts):
    """process of config.json."""
    uid, gid = (int(n) for n in (opts.user + ":0").split(":")[:2])
    caps = {"all": CAPS, "none": []}.get(opts.caps)
    if caps is None:
        caps = ["CAP_" + c for c in opts.caps.split(",")]
    root_sets = {s: caps for s in ("bounding", "effective", "permitted")}
    if uid != 0:
        root_sets = {"bounding": caps, "effective": [], "permitted": []}
    return {"terminal": opts.tty, "user": {"uid": uid, "gid": gid}, "args": opts.args,
            "env": [PATH, "TERM=xterm", "HOME=/root"] + opts.env, "cwd": opts.cwd,
            "capabilities": root_sets, "noNewPrivileges": opts.no_new_privs}


def config(opts, rootfs):
    """The whole config.json."""
    mounts = [{"destination": d, "type": t, "source": s, "options": o} for d, t, s, o in MOUNTS]
    linux = {"namespaces": namespaces(opts.net), "maskedPaths": MASKED, "readonlyPaths": READONLY,
             "resources": {"devices": [{"allow": False, "access": "rwm"}]}}
    if opts.seccomp == "engine":
        linux["seccomp"] = seccomp_default.profile()
    if opts.cgroup:
        linux["cgroupsPath"] = opts.cgroup
    return {"ociVersion": "1.0.2", "process": process(opts),
            "root": {"path": rootfs, "readonly": opts.readonly}, "hostname": opts.hostname,
            "mounts": mounts + [mount_entry(b) for b in opts.bind], "linux": linux,
            "annotations": dict(a.split("=", 1) for a in opts.annotation)}


def make_bundle(opts):
    """config.json, and a busybox tree unless another rootfs is named."""
    os.makedirs(opts.dir, exist_ok=True)
    os.chmod(opts.dir, 0o711)
    rootfs = opts.rootfs or "rootfs"
    if not opts.rootfs:
        make_rootfs(os.path.join(opts.dir, "rootfs"))
    with open(os.path.join(opts.dir, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config(opts, rootfs), file, indent=1)
        file.write("\n")


def blob(layout, data, kind):
    """Stores a blob in a layout under construction; returns its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    layout["blobs/sha256/" + digest] = data
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}


def layer_tar(tree):
    """The tree as an uncompressed layer, owned by root, with fixed times."""
    def reset(info):
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        return info
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in sorted(os.listdir(tree)):
            tar.add(os.path.join(tree, name), arcname=name, filter=reset)
    return out.getvalue()


def make_image(opts):
    """An OCI image layout in one tar: index, manifest, config, one gzip layer."""
    tree = opts.out + ".tree"
    make_rootfs(tree)
    layer = layer_tar(tree)
    shutil.rmtree(tree)
    kind = "application/vnd.oci.image."
    layout = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    image = {"architecture": "amd64", "os": "linux",
             "config": {"Env": [PATH], "Cmd": opts.args, "WorkingDir": "/"},
             "rootfs": {"type": "layers",
                        "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                "config": blob(layout, json.dumps(image).encode(), kind + "config.v1+json"),
                "layers": [blob(layout, gzip.compress(layer, 1, mtime=0),
                                kind + "layer.v1.tar+gzip")]}
    descriptor = blob(layout, json.dumps(manifest).encode(), manifest["mediaType"])
    tag = opts.name.rsplit(":", 1)[-1]
    descriptor["annotations"] = {"io.containerd.image.name": opts.name,
                                 "org.opencontainers.image.ref.name": tag}
    layout["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
    with tarfile.open(opts.out, "w") as tar:
        for name, data in layout.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))


def parse(argv):
    """The command line."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("rootfs").add_argument("dir")
    image = verbs.add_parser("image")
    image.add_argument("out")
    image.add_argument("name")
    make = verbs.add_parser("bundle")
    make.add_argument("dir")
    make.add_argument("--rootfs", help="root.path (default: a new busybox tree DIR/rootfs)")
    make.add_argument("--caps", default="all", help="all (the 14), none, or CHOWN,SETUID,...")
    make.add_argument("--seccomp", default="engine", choices=["engine", "none"])
    make.add_argument("--net", default="own", help="own, host, or the path of a namespace")
    make.add_argument("--user", default="0:0")
    make.add_argument("--cwd", default="/")
    make.add_argument("--hostname", default="box")
    make.add_argument("--cgroup")
    make.add_argument("--tty", action="store_true")
    make.add_argument("--readonly", action="store_true")
    make.add_argument("--no-new-privs", action="store_true")
    for name in ("--bind", "--env", "--annotation"):
        make.add_argument(name, action="append", default=[])
    if "--" in argv:
        cut = argv.index("--")
        argv, rest = argv[:cut], argv[cut + 1:]
    else:
        rest = ["sh"]
    opts = top.parse_args(argv)
    opts.args = rest
    return opts


def main():
    """Dispatch."""
    opts = parse(sys.argv[1:])
    if opts.verb == "rootfs":
        make_rootfs(opts.dir)
    elif opts.verb == "image":
        make_image(opts)
    else:
        make_bundle(opts)


if __name__ == "__main__":
    main()

"""OCI image archives of the test cluster, made from trees of this machine and kept in the cache."""
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import bundle  # noqa: E402

KIND = "application/vnd.oci.image."
BUSYBOX, DEBIAN, PAUSE = "localhost/pst/busybox:1", "localhost/pst/debian:12", "localhost/pst/pause:1"


# Of the Debian tree what neither server needs.
LEFT_OUT = ["./usr/lib/x86_64-linux-gnu/libnode*", "./usr/lib/x86_64-linux-gnu/libz3*", "./usr/lib/python3*", "./usr/include",
            "./usr/lib/x86_64-linux-gnu/perl", "./usr/lib/x86_64-linux-gnu/gconv", "./usr/share/perl*", "./usr/share/node*",
            "./usr/share/doc", "./usr/bin/redis*", "./usr/bin/python3*", "./var/cache/*", "./root/*.deb"]


def pack(tree, out):
    """A tree as an uncompressed layer; owners and file capabilities as they are on disk."""
    subprocess.run(["tar", "--numeric-owner", "--xattrs", "--xattrs-include=security.*", "--sort=name",
                    *(f"--exclude={e}" for e in LEFT_OUT), "-C", tree, "-cf", out, "."], check=True)


def digest_of(path):
    """sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def archive(tree, name, out, config):
    """Write `tree` as a one-layer image `name` to `out`."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(out)) as top:
        blobs = f"{top}/blobs/sha256"
        os.makedirs(blobs)
        pack(tree, f"{top}/layer")
        digest = digest_of(f"{top}/layer")
        size = os.path.getsize(f"{top}/layer")
        os.rename(f"{top}/layer", f"{blobs}/{digest}")

        def blob(document, kind):
            data = json.dumps(document).encode()
            found = hashlib.sha256(data).hexdigest()
            with open(f"{blobs}/{found}", "wb") as file:
                file.write(data)
            return {"mediaType": KIND + kind, "digest": "sha256:" + found, "size": len(data)}

        image = blob({"architecture": "amd64", "os": "linux", "config": config,
                      "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}, "config.v1+json")
        manifest = blob({"schemaVersion": 2, "mediaType": KIND + "manifest.v1+json", "config": image, "layers": [
            {"mediaType": KIND + "layer.v1.tar", "digest": "sha256:" + digest, "size": size}]}, "manifest.v1+json")
        manifest["annotations"] = {"io.containerd.image.name": name,
                                   "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1]}
        for file, text in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                           ("index.json", {"schemaVersion": 2, "manifests": [manifest]})):
            with open(f"{top}/{file}", "w", encoding="utf-8") as f:
                json.dump(text, f)
        with tarfile.open(out + ".new", "w") as tar:
            for file in ("oci-layout", "index.json", "blobs"):
                tar.add(f"{top}/{file}", arcname=file)
        os.rename(out + ".new", out)


def make(directory):
    """Paths of the three archives in `directory`, made when they are not there."""
    os.makedirs(directory, exist_ok=True)
    path = {name: f"{directory}/{name.split('/')[-1].split(':')[0]}.tar" for name in (BUSYBOX, DEBIAN, PAUSE)}
    env = [bundle.PATH]
    with tempfile.TemporaryDirectory(dir=directory) as top:
        if not os.path.exists(path[BUSYBOX]):
            bundle.make_rootfs(f"{top}/busybox")
            archive(f"{top}/busybox", BUSYBOX, path[BUSYBOX], {"Env": env, "Cmd": ["sh"], "WorkingDir": "/"})
        if not os.path.exists(path[PAUSE]):
            os.makedirs(f"{top}/pause")
            subprocess.run(["gcc", "-static", "-O2", "-o", f"{top}/pause/pause", f"{HERE}/pause.c"], check=True)
            archive(f"{top}/pause", PAUSE, path[PAUSE], {"Env": env, "Entrypoint": ["/pause"], "WorkingDir": "/"})
    if not os.path.exists(path[DEBIAN]):
        tree = subprocess.run([f"{HERE}/../debian-rootfs"], check=True, capture_output=True, text=True).stdout.strip()
        archive(tree, DEBIAN, path[DEBIAN], {"Env": env, "Cmd": ["bash"], "WorkingDir": "/"})
    return path

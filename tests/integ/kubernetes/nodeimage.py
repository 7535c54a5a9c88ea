"""The node installer's image, built by its own recipe with Podman, on a base that debootstrap makes: no registry is asked."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BASE = "localhost/pst/debian:12"
# Storage stays for its layers of packages; mounts and the state of this run go with the namespace.
SCRIPT = '''
p() { podman --root "$STORE" --runroot "$RUN" --cgroup-manager=cgroupfs "$@"; }
mount -t tmpfs tmpfs "$RUN"
p image exists "$BASE" || tar -C "$TREE" --numeric-owner -c . | p import - "$BASE"
build() { p build --network host --isolation chroot --build-arg "BASE=$BASE" -f "$TOP/deploy/image/Dockerfile" "$@" "$TOP"; }
build --target build -t "$BASE-build" # a name, so that its packages are not pruned
build -t "$NAME"
p save --format docker-archive -o "$OUT" "$NAME"
p image prune -f --external || : # space, nothing else
'''


def build(cache, top, name, out):
    """Build the tree `top` as image `name` and write it to `out`; layers are kept in `cache`."""
    tree = subprocess.run([f"{HERE}/../debian-rootfs", "base"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    run = f"{cache}/podman.run"  # Podman's storage keeps this path
    os.makedirs(run, exist_ok=True)
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-euc", SCRIPT], check=False, capture_output=True,
                          text=True, errors="replace",
                          env=dict(os.environ, STORE=f"{cache}/podman", RUN=run, BASE=BASE, TREE=tree, TOP=top, NAME=name, OUT=out))
    if done.returncode:
        sys.exit(f"Bail out! the image {name} was not built: {(done.stdout + done.stderr)[-1500:]}")


def another_version(copy, version):
    """A copy of this tree that says it is `version`."""
    shutil.copytree(TOP, copy, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git", ".cache", "__pycache__", "integ"))
    with open(f"{copy}/meson.build", encoding="utf-8") as f:
        text = f.read()
    new = text.replace("version: '0.1.0'", f"version: '{version}'", 1)
    if new == text:
        sys.exit("Bail out! meson.build does not say version 0.1.0")
    with open(f"{copy}/meson.build", "w", encoding="utf-8") as f:
        f.write(new)
    return copy

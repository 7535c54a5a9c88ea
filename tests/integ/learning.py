"""What the tests of profiles share: a tree to run in, a run of `postern learn`, and what a profile leaves open."""
import json
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
RUNTIME = os.environ.get("RUNTIME", "postern")
DOCKER = 307  # names Docker's default allows with its default capabilities


class Tree:
    """A tree of debian-rootfs with a fresh upper layer, mounted at `root`."""

    def __init__(self, work, tree="bookworm"):
        lower = subprocess.check_output([os.path.join(HERE, "debian-rootfs"), tree], text=True).strip()
        self.root = os.path.join(work, "rootfs")
        parts = [os.path.join(work, part) for part in ("upper", "work")]
        for path in (*parts, self.root):
            os.mkdir(path)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={lower},upperdir={parts[0]},workdir={parts[1]}", self.root], check=True)
        self.write("etc/nginx/sites-enabled/site", "server { listen 80; location / { return 200 \"hello\\n\"; } }\n")

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)

    def run(self, script):
        """A shell script in the tree, on the host; a failure is an exception with what it said."""
        done = subprocess.run(["unshare", "-m", "-p", "-f", "--mount-proc=" + self.path("proc"), "chroot", self.root, "sh", "-ec",
                               script], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{script}: {done.returncode}: {done.stdout[-2000:]}")

    def clean(self):
        for name in os.listdir(self.path("tmp")):
            path = os.path.join(self.path("tmp"), name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.remove(path)

    def end(self):
        subprocess.run(["umount", "-l", self.root], check=False)


def learn(work, *words, flags=()):
    """(exit status, text, profile, recording)"""
    out, rec = os.path.join(work, "out.json"), os.path.join(work, "rec.json")
    for path in (out, rec):
        if os.path.exists(path):
            os.remove(path)
    done = subprocess.run([RUNTIME, *flags, "learn", "--out", out, "--recording", rec, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)
    docs = []
    for path in (out, rec):
        docs.append(None)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                docs[-1] = json.load(f)
    return done.returncode, done.stdout + done.stderr, *docs


def allowed(profile):
    return {n for r in profile["syscalls"] if r["action"] == "SCMP_ACT_ALLOW" for n in r["names"]}


def surface(profile, caps="default"):
    """(calls that get through, known bugs left open, how many are known) of a profile by name or file."""
    text = subprocess.check_output([RUNTIME, "surface", profile, "--caps", caps, "--format", "json"], text=True)
    doc = json.loads(text)
    return doc["counts"]["allowed"] + doc["counts"]["conditional"], doc["cves"]["open"], doc["cves"]["of"]


def denials(name):
    """What a container was denied, which may have ended: its records."""
    done = subprocess.run([RUNTIME, "denials", "--format", "json", name], capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]

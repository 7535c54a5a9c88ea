"""Containers with limits from a policy of their own: for hits and metrics."""
import glob
import json
import os
import random
import subprocess
import time

import bundle
from tap import SLOW

RUNTIME = os.environ.get("RUNTIME", "postern")


def until(what, seconds=20):
    """The first true answer of what(), or the last one."""
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    return what()


class Box:
    """A detached container with limits from a policy of its own and a termination message."""

    def __init__(self, work, limits, script, denials=True):
        self.id = f"hits{os.getpid()}-{random.randrange(1 << 30):x}"
        self.dir = os.path.join(work, self.id)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o711)
        self.message = os.path.join(self.dir, "message")
        self.policy = os.path.join(self.dir, "policy.json")
        with open(self.message, "w", encoding="ascii"):
            os.chmod(self.message, 0o666)
        with open(self.policy, "w", encoding="utf-8") as f:
            json.dump({"version": 1, "limits": limits, "volumeRoots": [work], "denials": {"record": denials}}, f)
        bundle.make_bundle(bundle.parse(["bundle", self.dir, "--rootfs", os.path.join(work, "rootfs"),
                                         "--bind", f"{self.message}:/dev/termination-log:rw",
                                         "--annotation", "io.kubernetes.cri.sandbox-name=pod-1",
                                         "--", "sh", "-c", script]))

    def run(self, *words):
        """(status, what it printed) of a verb."""
        done = subprocess.run([RUNTIME, "--policy", self.policy, *words], capture_output=True, text=True, timeout=60 * SLOW,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def __enter__(self):
        with open(os.path.join(self.dir, "out"), "w", encoding="utf-8") as out:
            subprocess.run([RUNTIME, "--policy", self.policy, "run", "--detach", "--bundle", self.dir, self.id], check=True,
                           stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60 * SLOW)
        self.key = self.find_key()
        return self

    def __exit__(self, *_):
        self.run("delete", "--force", self.id)

    def find_key(self):
        for record in glob.glob("/run/postern/c/*/record.json"):
            with open(record, encoding="utf-8") as f:
                if json.load(f)["id"] == self.id:
                    return os.path.basename(os.path.dirname(record))
        return None

    def records(self):
        try:
            with open(f"/run/postern/denials/{self.key}.limits.ndjson", encoding="utf-8") as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []

    def told(self):
        with open(self.message, encoding="utf-8") as f:
            return f.read()

    def stopped(self):
        status, out = self.run("state", self.id)
        return status == 0 and json.loads(out)["status"] == "stopped"

    def counts(self):
        """What the keeper has counted, asked for by a verb."""
        self.run("denials", self.id)
        with open(f"/run/postern/c/{self.key}/counts", encoding="ascii") as f:
            return dict(line.split(maxsplit=1) for line in f.read().splitlines())

"""How fast bytes get from one network namespace to another: real sockets, counted where they arrive."""
import contextlib
import ctypes
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim"))
from node import must  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
MBIT = 1000000
PORT = 5209


def flood(kind, address, path, seconds):
    """A child that sends as fast as it may from the namespace `path` (None: this one)."""
    pid = os.fork()
    if pid:
        return pid
    with contextlib.suppress(Exception):
        if path:
            with open(path, "rb") as ns:
                must(LIBC.setns(ns.fileno(), CLONE_NEWNET), "setns")
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as out:
            out.connect((address, PORT))
            end = time.monotonic() + seconds
            piece = bytes(1400 if kind == socket.SOCK_DGRAM else 65536)
            while time.monotonic() < end:
                with contextlib.suppress(ConnectionRefusedError):
                    out.send(piece)
    os._exit(0)


def receiver(kind, address, path):
    """A socket that listens in the namespace `path`; it stays there."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if path:
        with open(path, "rb") as ns:
            must(LIBC.setns(ns.fileno(), CLONE_NEWNET), "setns")
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, PORT))
    must(LIBC.setns(home, CLONE_NEWNET), "setns")
    os.close(home)
    return sock


def speed(kind, address, sender, where, seconds):
    """Mbit/s of payload that arrive at `address` in the namespace `where`, from the first byte on, sent in `sender`."""
    with receiver(kind, address, where) as sock:
        if kind == socket.SOCK_STREAM:
            sock.listen()
        sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: what arrived is not lost here
        child = flood(kind, address, sender, seconds + 0.3)
        sock.settimeout(10)
        with (sock.accept()[0] if kind == socket.SOCK_STREAM else sock.dup()) as got:
            got.settimeout(5)
            got.recv(1)
            begun, total = time.monotonic(), 0
            while time.monotonic() < begun + seconds:
                total += len(got.recv(65536))
            took = time.monotonic() - begun
        os.waitpid(child, 0)
    return total * 8 / took / MBIT


def hold(t, name, limit, kind, address, sender, where, seconds):
    """One point: TCP gets within 10 % of a limit in Mbit/s; a flood of UDP, which takes the receiver's time too, not above it."""
    if kind == socket.SOCK_STREAM:
        t.near(name + ", Mbit/s", limit, 10, lambda: speed(kind, address, sender, where, seconds))
        return
    got = speed(kind, address, sender, where, seconds)
    print(f"# {name}: set {limit} Mbit/s, achieved {got:.4g}", flush=True)
    t.ok(got / limit <= 1.1, f"{name}: not above {limit} Mbit/s", got)

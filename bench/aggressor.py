"""aggressor.py forks|memory|cpu|direct|buffered|network: what a bad neighbour does, inside its container, until it is killed.

Written files are of bounded size and are written again and again; processes, memory and the rest are bounded from
outside (bench/neighbour).
"""
import contextlib
import os
import socket
import sys
import time

WRITERS, FILE_MIB = 4, 128


def beside(count, function):
    """`count` processes that do the same, and wait for them."""
    for i in range(count):
        if os.fork() == 0:
            function(i)
            os._exit(1)
    while True:
        with contextlib.suppress(ChildProcessError):
            os.wait()
        time.sleep(0.2)


def forks():
    """Each process makes more, as fast as it may."""
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0)


def hog(_):
    """All the memory there is."""
    kept = []
    while True:
        kept.append(bytearray(os.urandom(4096)) * 4096)


def memory():
    """A hog; the next one when the last was killed."""
    while True:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as f:
                f.write("500")
            hog(0)
        os.waitpid(child, 0)


def spin(_):
    while True:
        pass


def write(number, flags=""):
    """One file over and over."""
    while True:
        os.system(f"dd if=/dev/zero of=/data/{number} bs=1M count={FILE_MIB} conv=notrunc {flags} status=none")


def flood(_):
    """Bytes to the host's end, as fast as they go."""
    with socket.create_connection((os.environ["SINK"], 5210)) as out:
        while True:
            out.sendall(bytes(1 << 16))


def main():
    what = {"forks": forks, "memory": memory, "cpu": lambda: beside(8, spin),
            "direct": lambda: beside(WRITERS, lambda i: write(i, "oflag=direct")),
            "buffered": lambda: beside(WRITERS, write),
            "network": lambda: beside(WRITERS, flood)}
    what[sys.argv[1]]()


main()

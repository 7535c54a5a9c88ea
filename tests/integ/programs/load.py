#!/usr/bin/env python3
"""load.py http|memcached PORT: many connections at once on 127.0.0.1; the first wrong answer is the end.

http: 16 connections of 40 requests each, kept open where the server does, and 40 that are closed at once; GET, HEAD, a
page that is not there, a request that makes no sense, a client that sends a byte at a time. The page at / is "hello".
memcached: 16 connections that set, get, add to, replace, delete, and ask for the statistics.
"""
import socket
import sys
import threading
import time

THREADS, EACH, HELLO = 16, 40, b"hello\n"


def connect():
    s = socket.create_connection(("127.0.0.1", PORT), 20)
    return s, s.makefile("rb")


def answer(f, head=False):
    """(status, body, whether the connection stays open) of one HTTP answer."""
    version, status = f.readline().split()[:2]
    fields = {}
    while (line := f.readline().strip()) != b"":
        name, value = line.split(b":", 1)
        fields[name.lower()] = value.strip().lower()
    length = fields.get(b"content-length")
    body = b"" if head else f.read() if length is None else f.read(int(length))
    return int(status), body, version == b"HTTP/1.1" and fields.get(b"connection") != b"close"


def expect(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, not {want!r}")


def http_kept():
    s, f = connect()
    for _ in range(EACH):
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        *got, kept = answer(f)
        expect("GET /", got, [200, HELLO])
        if not kept:
            s, f = connect()


def http_once():
    for _ in range(EACH):
        s, f = connect()
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        expect("GET / once", answer(f)[:2], (200, HELLO))
        s.close()


def http_odd():
    s, f = connect()
    s.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
    expect("HEAD /", answer(f, head=True)[0] < 500, True)
    s, f = connect()
    s.sendall(b"GET /not-there HTTP/1.0\r\n\r\n")
    expect("GET /not-there", answer(f)[0] in (200, 404), True)
    s, f = connect()
    s.sendall(b"what is this\r\n\r\n")
    f.read()
    s, f = connect()
    for byte in b"GET / HTTP/1.0\r\n\r\n":
        s.sendall(bytes([byte]))
        time.sleep(0.005)
    expect("GET / slowly", answer(f)[:2], (200, HELLO))


def memcached():
    s, f = connect()
    key = b"k%d" % threading.get_ident()

    def ask(line, *want):
        s.sendall(line + b"\r\n")
        for w in want:
            expect(line, f.readline(), w + b"\r\n")
    for i in range(EACH):
        value = b"%d" % i * 500
        ask(b"set %s 0 0 %d\r\n%s" % (key, len(value), value), b"STORED")
        ask(b"get " + key, b"VALUE %s 0 %d" % (key, len(value)), value, b"END")
        ask(b"set n%s 0 60 1\r\n1" % key, b"STORED")
        ask(b"incr n%s 5" % key, b"6")
        ask(b"delete n" + key, b"DELETED")
    s.sendall(b"stats\r\nversion\r\n")
    while not f.readline().startswith(b"VERSION"):
        pass


def main():
    faults = []

    def one(work):
        try:
            work()
        except Exception as e:  # of any thread: reported once, below
            faults.append(f"{work.__name__}: {e!r}")
    works = [http_kept] * THREADS + [http_once, http_odd] if sys.argv[1] == "http" else [memcached] * THREADS
    threads = [threading.Thread(target=one, args=(w,)) for w in works]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    sys.exit("\n".join(faults) or 0)


PORT = int(sys.argv[2])
main()

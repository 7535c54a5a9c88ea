"""ttrpc and protobuf by field number: as much as a containerd would send to a shim, and an event receiver.

Frame: u32 length, u32 stream, u8 type (1 request, 2 response), u8 flags, big-endian, at most 4 MiB of payload.
"""
import os
import socket
import struct
import threading
import time

HEADER = struct.Struct(">IIBB")
REQUEST, RESPONSE = 1, 2
LARGEST = 4 << 20
UNKNOWN, INVALID, NOT_FOUND, EXISTS, EXHAUSTED, PRECONDITION, UNIMPLEMENTED = 2, 3, 5, 6, 8, 9, 12
TASK2, TASK3 = "containerd.task.v2.Task", "containerd.task.v3.Task"


def varint(n):
    """A base-128 number; negative ones as 64 bits."""
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def pack(*fields):
    """A message of (number, value): str and bytes are length-delimited, int and bool varints; empty is left out."""
    out = b""
    for number, value in fields:
        if value in (None, "", b"", False, 0):
            continue
        if isinstance(value, int):
            out += varint(number << 3) + varint(int(value))
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


class Message:
    """A decoded message; `m.num(3)`, `m.raw(2)`, `m.text(1)`, `m.sub(4)`, `m.all(5)`."""

    def __init__(self, data):
        self.fields = {}
        at = 0

        def number():
            nonlocal at
            n = shift = 0
            while True:
                byte = data[at]
                at += 1
                n |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return n
        while at < len(data):
            key = number()
            if key & 7 == 0:
                value = number()
            else:
                size = number() if key & 7 == 2 else 4 if key & 7 == 5 else 8
                value = data[at:at + size]
                at += size
            self.fields.setdefault(key >> 3, []).append(value)

    def all(self, number):
        return self.fields.get(number, [])

    def num(self, number):
        value = self.fields.get(number, [0])[-1]
        return value if isinstance(value, int) else int.from_bytes(value, "little")

    def raw(self, number):
        return self.fields.get(number, [b""])[-1]

    def text(self, number):
        return self.raw(number).decode()

    def sub(self, number):
        return Message(self.raw(number))


class Failed(Exception):
    """A reply with a status."""

    def __init__(self, method, code, text):
        super().__init__(f"{method}: code {code}: {text}")
        self.code, self.text = code, text


def frame(stream, payload, kind=REQUEST, flags=0, length=None):
    """The bytes of one frame; `length` lies about the size."""
    return HEADER.pack(len(payload) if length is None else length, stream, kind, flags) + payload


def request(service, method, payload, timeout=0):
    """The envelope of a request."""
    return pack((1, service), (2, method), (3, payload), (4, int(timeout * 1e9)))


class Client:
    """One connection; many calls may be open at once."""

    def __init__(self, path, service=TASK2, timeout=30):
        self.path, self.service, self.timeout = path, service, timeout
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.next, self.replies, self.methods, self.buffer = 1, {}, {}, b""

    def send(self, method, payload=b"", service=None, timeout=0):
        """Send a request; the stream id to ask reply() for."""
        stream, self.next = self.next, self.next + 2
        self.methods[stream] = method
        self.socket.sendall(frame(stream, request(service or self.service, method, payload, timeout)))
        return stream

    def read(self, size, until):
        while len(self.buffer) < size:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            got = self.socket.recv(1 << 16)
            if not got:
                raise EOFError("the shim closed the connection")
            self.buffer += got
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def reply(self, stream, timeout=None):
        """The payload of one answer as a Message; Failed when it has a status, TimeoutError when it does not come."""
        until = time.monotonic() + (self.timeout if timeout is None else timeout)
        while stream not in self.replies:
            if len(self.buffer) < HEADER.size:
                self.buffer = self.read(HEADER.size, until) + self.buffer
            size, got, kind, _ = HEADER.unpack(self.buffer[:HEADER.size])
            whole = self.read(HEADER.size + size, until)
            if kind == RESPONSE:
                self.replies[got] = whole[HEADER.size:]
        answer = Message(self.replies.pop(stream))
        status = answer.sub(1)
        if status.num(1):
            raise Failed(self.methods.get(stream, "?"), status.num(1), status.raw(2).decode(errors="replace"))
        return Message(answer.raw(2))

    def call(self, method, *fields, timeout=None, service=None):
        """Send pack(*fields) and wait for the answer."""
        return self.reply(self.send(method, pack(*fields), service), timeout)

    def code(self, method, *fields, timeout=None, service=None):
        """As call(), but the status code only; 0 is success."""
        try:
            self.call(method, *fields, timeout=timeout, service=service)
        except Failed as e:
            return e.code
        return 0

    def close(self):
        self.socket.close()


class Events:
    """What containerd's side of the event connection would be: answers Forward and keeps what came."""

    def __init__(self, path):
        self.path, self.got, self.lock = path, [], threading.Lock()
        self.refuse, self.refused = "", 0  # a topic that is answered with an error
        self.open = []
        self.up()

    def up(self):
        """Listen (again)."""
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def down(self):
        """As a containerd that was killed: no listener, no connection."""
        with self.lock:
            for s in [self.listener] + self.open:
                for stop in (lambda s=s: s.shutdown(socket.SHUT_RDWR), s.close):
                    try:
                        stop()
                    except OSError:
                        continue
            self.open = []

    def accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.append(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        stream = peer.makefile("rb")
        try:
            while len(head := stream.read(HEADER.size)) == HEADER.size:
                size, sid, kind, _ = HEADER.unpack(head)
                body = stream.read(size)
                if kind != REQUEST or len(body) < size:
                    continue
                envelope = Message(Message(body).raw(3)).sub(1)
                event = envelope.sub(4)
                answer = b""
                with self.lock:
                    if envelope.text(3) == self.refuse:
                        self.refused += 1
                        answer = pack((1, pack((1, 3), (2, "refused"))))
                    else:
                        self.got.append((envelope.text(3), Message(event.raw(2)), envelope.text(2), event.text(1)))
                peer.sendall(frame(sid, answer, RESPONSE))
        except OSError:
            return

    def topics(self, container):
        """Topics of one container in the order they came, exec ids appended to those that have one."""
        with self.lock:
            seen = list(self.got)
        out = []
        for topic, event, _, _ in seen:
            if event.text(1) != container:
                continue
            exec_id = event.text(2) if topic in ("/tasks/exec-added", "/tasks/exec-started", "/tasks/exit") else ""
            out.append(topic.removeprefix("/tasks/") + (f":{exec_id}" if exec_id not in ("", container) else ""))
        return out

    def wait(self, container, topic, seconds=10):
        """Until that topic came."""
        end = time.monotonic() + seconds
        while topic not in self.topics(container):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

#!/usr/bin/env python3
"""postern-unpack against honest and hostile layers, on the real kernel. Prints TAP.

usage: unpack_cases.py POSTERN-UNPACK; needs root (else every case is skipped).
Tars are built here, byte by byte where tarfile would not write what an attacker would.
"""
import gzip
import hashlib
import io
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

UNPACK = sys.argv[1]
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


def entry(name, kind=tarfile.REGTYPE, data=b"", **kw):
    t = tarfile.TarInfo(name)
    t.type, t.size, t.mtime, t.mode = kind, len(data), 1000000000, 0o644
    pax = kw.pop("pax", None)
    for k, v in kw.items():
        setattr(t, k, v)
    if pax:
        t.pax_headers = pax
    return t, data


def directory(name, mode=0o755, **kw):
    return entry(name, tarfile.DIRTYPE, mode=mode, **kw)


def symlink(name, target):
    return entry(name, tarfile.SYMTYPE, linkname=target)


def hardlink(name, target):
    return entry(name, tarfile.LNKTYPE, linkname=target)


def tar(*entries, fmt=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt, encoding="utf-8",
                      errors="surrogateescape") as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Box:
    """A layer cache outside of every other test's way."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="unpack-")
        self.layers = os.path.join(self.dir, "layers")
        os.mkdir(self.layers, 0o700)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def args(self, blob, raw, form, extra=(), digest=None, size=None, diffid=None):
        return [UNPACK, "layer", "--layers", self.layers,
                "--digest", "sha256:" + (digest or sha(blob)),
                "--size", str(len(blob) if size is None else size),
                "--diffid", "sha256:" + (diffid or sha(raw)), "--compression", form, *extra]

    def run(self, raw, blob=None, form="none", **kw):
        blob = raw if blob is None else blob
        return subprocess.run(self.args(blob, raw, form, **kw), input=blob,
                              capture_output=True, timeout=60)

    def good(self, raw, **kw):
        r = self.run(raw, **kw)
        assert r.returncode == 0, r.stderr
        assert r.stderr == b"", r.stderr
        return os.path.join(self.layers, sha(raw), "fs")

    def bad(self, raw, words, **kw):
        r = self.run(raw, **kw)
        assert r.returncode == 1, (r.returncode, r.stderr)
        assert r.stderr.count(b"\n") == 1, r.stderr
        assert words.encode() in r.stderr, r.stderr
        assert os.listdir(self.layers) == [], os.listdir(self.layers)
        return r.stderr


# -- honest layers ----------------------------------------------------------

@case
def modes_owners_times_and_links_are_kept():
    with Box() as b:
        fs = b.good(tar(directory("bin", 0o755), entry("bin/su", data=b"x", mode=0o4755),
                        entry("bin/grp", data=b"y", mode=0o2751, uid=33, gid=65535),
                        directory("tmp", 0o1777, mtime=5), symlink("sbin", "/bin"),
                        hardlink("bin/su2", "bin/su"), entry("pipe", tarfile.FIFOTYPE, mode=0o600),
                        hardlink("sbin2", "sbin"), entry("tmp/a", data=b"", mtime=0)))
        st = os.stat(fs + "/bin/su")
        assert stat.S_IMODE(st.st_mode) == 0o4755 and st.st_mtime == 1000000000
        assert st.st_nlink == 2 and os.stat(fs + "/bin/su2").st_ino == st.st_ino
        st = os.stat(fs + "/bin/grp")
        assert stat.S_IMODE(st.st_mode) == 0o2751 and (st.st_uid, st.st_gid) == (33, 65535)
        st = os.stat(fs + "/tmp")
        assert stat.S_IMODE(st.st_mode) == 0o1777 and st.st_mtime == 5
        assert os.readlink(fs + "/sbin") == "/bin" and os.readlink(fs + "/sbin2") == "/bin"
        assert stat.S_ISFIFO(os.lstat(fs + "/pipe").st_mode)


@case
def gzip_zstd_members_and_frames_are_undone():
    raw = tar(entry("a", data=os.urandom(300000)))
    half = len(raw) // 2
    with Box() as b:
        b.good(raw, blob=gzip.compress(raw[:half]) + gzip.compress(raw[half:]), form="gzip")
    zstd = lambda d: subprocess.run(["zstd", "-qc"], input=d, capture_output=True, check=True).stdout
    skip = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    with Box() as b:
        b.good(raw, blob=zstd(raw[:half]) + skip + zstd(raw[half:]), form="zstd")


@case
def the_empty_layer_of_docker_is_a_layer():
    with Box() as b:
        fs = b.good(b"\0" * 1024)
        assert os.listdir(fs) == []
        assert open(os.path.dirname(fs) + "/implicit", "rb").read() == b"\0"


@case
def whiteouts_and_opaque_marks_become_those_of_overlayfs():
    with Box() as b:
        fs = b.good(tar(directory("d"), entry("d/.wh.gone"), directory("o"), entry("o/new"),
                        entry("o/.wh..wh..opq"), entry(".wh.top"), entry(".wh..wh.plnk"),
                        directory(".wh..wh.aufs"), entry(".wh..wh.aufs/x")))
        for name in ("d/gone", "top"):
            st = os.lstat(f"{fs}/{name}")
            assert stat.S_ISCHR(st.st_mode) and st.st_rdev == 0, name
        assert os.getxattr(fs + "/o", "trusted.overlay.opaque") == b"y"
        assert sorted(os.listdir(fs)) == ["d", "o", "top"]
        assert os.listdir(fs + "/o") == ["new"]


@case
def a_mounted_stack_shows_what_the_layers_say():
    with Box() as b:
        low = b.good(tar(directory("d"), entry("d/gone"), entry("d/kept"), directory("o"),
                         entry("o/old"), directory("r"), entry("r/old")))
        high = b.good(tar(directory("d"), entry("d/.wh.gone"), directory("o"),
                          entry("o/.wh..wh..opq"), entry("o/new"), entry(".wh.r"),
                          directory("r"), entry("r/new")))
        at = os.path.join(b.dir, "m")
        os.mkdir(at)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={high}:{low}", at],
                       check=True)
        try:
            seen = {d: sorted(os.listdir(f"{at}/{d}")) for d in "dor"}
        finally:
            subprocess.run(["umount", at], check=True)
        assert seen == {"d": ["kept"], "o": ["new"], "r": ["new"]}, seen


@case
def a_layer_that_makes_and_removes_a_name_keeps_it_and_hides_below():
    with Box() as b:
        fs = b.good(tar(directory("a"), entry("a/f"), entry(".wh.a"), entry("x"), entry(".wh.x"),
                        entry(".wh.y"), entry("y", data=b"1"), entry(".wh.p"), entry("p/q")))
        assert os.getxattr(fs + "/a", "trusted.overlay.opaque") == b"y"
        assert os.getxattr(fs + "/p", "trusted.overlay.opaque") == b"y"
        assert stat.S_ISREG(os.lstat(fs + "/x").st_mode)
        assert open(fs + "/y").read() == "1"


@case
def file_capabilities_and_user_attributes_are_kept():
    cap = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    pax = {"SCHILY.xattr.security.capability": cap.decode("latin-1"),
           "SCHILY.xattr.user.note": "hi", "SCHILY.xattr.security.selinux": "x:y:z"}
    with Box() as b:
        raw = tar(entry("ping", data=b"p", mode=0o755, pax=pax))
        fs = b.good(raw)
        assert os.getxattr(fs + "/ping", "security.capability") == cap
        assert os.getxattr(fs + "/ping", "user.note") == b"hi"
        assert "security.selinux" not in os.listxattr(fs + "/ping")


@case
def holes_stay_holes():
    with Box() as b:
        src = os.path.join(b.dir, "sparse")
        with open(src, "wb") as f:
            f.truncate(64 << 20)
            f.seek(32 << 20)
            f.write(b"middle")
        raw = subprocess.run(["tar", "-C", b.dir, "--sparse", "-cf", "-", "sparse"],
                             capture_output=True, check=True).stdout
        assert len(raw) < 1 << 20
        fs = b.good(raw)
        st = os.stat(fs + "/sparse")
        assert st.st_size == 64 << 20 and st.st_blocks * 512 < 1 << 20, st
        with open(fs + "/sparse", "rb") as f:
            f.seek(32 << 20)
            assert f.read(6) == b"middle"


@case
def names_are_bytes_whatever_their_charset():
    with Box() as b:
        fs = b.good(tar(entry("gr\u00fc\u00df"), entry("l" * 200 + "\u00e9")))
        assert sorted(os.listdir(fs.encode())) == sorted(
            ["gr\u00fc\u00df".encode(), ("l" * 200 + "\u00e9").encode()])
    with Box() as b:
        fs = b.good(tar(entry("lat\udce9n"), fmt=tarfile.GNU_FORMAT))
        assert os.listdir(fs.encode()) == [b"lat\xe9n"]


@case
def directories_no_entry_described_are_listed():
    with Box() as b:
        fs = b.good(tar(entry("a/b/f"), directory("a", 0o700), entry("c/f")))
        listed = open(os.path.dirname(fs) + "/implicit", "rb").read().split(b"\0")[:-1]
        assert sorted(listed) == [b"", b"a/b", b"c"], listed
        assert stat.S_IMODE(os.stat(fs + "/a").st_mode) == 0o700
    with Box() as b:
        fs = b.good(tar(directory("./", 0o711, uid=7), entry("./f")))
        assert open(os.path.dirname(fs) + "/implicit", "rb").read() == b""
        assert os.stat(fs).st_uid == 7 and stat.S_IMODE(os.stat(fs).st_mode) == 0o711


@case
def a_later_entry_replaces_an_earlier_one():
    with Box() as b:
        fs = b.good(tar(entry("f", data=b"one"), entry("f", data=b"two"), symlink("l", "/etc"),
                        directory("l"), entry("l/x"), directory("e"), entry("e", data=b"file"),
                        hardlink("h", "f"), entry("h", data=b"own")))
        assert open(fs + "/f").read() == "two" and open(fs + "/h").read() == "own"
        assert os.path.isdir(fs + "/l") and not os.path.islink(fs + "/l")
        assert open(fs + "/e").read() == "file"


@case
def deep_trees_come_and_go():
    deep = "/".join(["d"] * 1500)
    with Box() as b:
        b.good(tar(entry(deep + "/f", data=b"x")))
        subprocess.run(["rm", "-rf", b.layers], check=True)
        os.mkdir(b.layers, 0o700)
        b.bad(tar(entry(deep + "/f", data=b"x"), entry("../x")), "..")


@case
def a_known_layer_is_not_unpacked_again():
    raw = tar(entry("f", data=b"x"))
    with Box() as b:
        fs = b.good(raw)
        before = os.stat(fs).st_ino
        r = b.run(raw, blob=b"not read at all", digest="0" * 64)
        assert r.returncode == 0, r.stderr
        assert os.stat(fs).st_ino == before


# -- hostile layers ---------------------------------------------------------

@case
def dotdot_absolute_and_empty_names_are_refused():
    for name in ("../x", "a/../../x", "a/..", "..", "a/../b", "./../x"):
        with Box() as b:
            b.bad(tar(directory("a"), entry(name, data=b"x")), '".."')
            assert not os.path.exists(os.path.join(b.dir, "x"))
    for name in ("/etc/x", "/", "//x"):
        with Box() as b:
            info = entry(name, data=b"x")
            b.bad(tar(info), "absolute")


@case
def a_parent_that_is_a_link_is_refused():
    with Box() as b:
        out = os.path.join(b.dir, "out")
        os.mkdir(out)
        b.bad(tar(symlink("l", out), entry("l/x", data=b"x")), "symbolic link")
        b.bad(tar(directory("d"), symlink("l", "d"), entry("l/x")), "symbolic link")
        b.bad(tar(directory("d"), symlink("d/l", "."), entry("d/l/sub/x")), "symbolic link")
        b.bad(tar(symlink("l", "nowhere"), entry("l/x")), "symbolic link")
        b.bad(tar(symlink("l", "d"), directory("l/sub")), "symbolic link")
        b.bad(tar(symlink("l", "d"), entry("l/.wh.x")), "symbolic link")
        b.bad(tar(symlink("l", "d"), entry("l/.wh..wh..opq")), "symbolic link")
        b.bad(tar(entry("f"), entry("f/x")), "no directory")
        assert os.listdir(out) == []


@case
def a_file_over_a_link_replaces_it_and_never_follows():
    with Box() as b:
        out = os.path.join(b.dir, "victim")
        open(out, "w").write("safe")
        fs = b.good(tar(symlink("l", out), entry("l", data=b"evil", mode=0o777)))
        assert open(out).read() == "safe" and stat.S_IMODE(os.stat(out).st_mode) != 0o777
        assert not os.path.islink(fs + "/l")


@case
def hard_links_out_of_the_layer_are_refused():
    with Box() as b:
        b.bad(tar(hardlink("h", "../../../../etc/passwd")), '".."')
        b.bad(tar(hardlink("h", "/etc/passwd")), "absolute")
        b.bad(tar(symlink("l", "/etc"), hardlink("h", "l/passwd")), "symbolic link")
        b.bad(tar(hardlink("h", "missing")), "no file of this layer")
        b.bad(tar(directory("d"), hardlink("h", "d")), "no file of this layer")
        b.bad(tar(entry(".wh.w"), hardlink("h", "w")), "no file of this layer")
        b.bad(tar(entry("f"), hardlink("f", "f")), "no file of this layer")


@case
def device_nodes_are_refused():
    for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        with Box() as b:
            b.bad(tar(entry("sda", kind, devmajor=8, devminor=0)), "device node")
            b.bad(tar(entry("wh", kind, devmajor=0, devminor=0)), "device node")


@case
def ids_a_container_cannot_have_are_refused():
    for kw in ({"uid": 65536}, {"gid": 65536}, {"uid": 1 << 40}, {"uid": 4294967295}):
        with Box() as b:
            b.bad(tar(entry("f", **kw)), "owned by")


@case
def orders_to_overlayfs_and_foreign_capabilities_are_refused():
    with Box() as b:
        for name in ("trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.whiteout"):
            b.bad(tar(entry("f", pax={"SCHILY.xattr." + name: "/x"})), "overlayfs")
        v3 = struct.pack("<IIIIII", 0x03000001, 1 << 13, 0, 0, 0, 100000).decode("latin-1")
        b.bad(tar(entry("f", pax={"SCHILY.xattr.security.capability": v3})), "version 2")
        b.bad(tar(entry("f", pax={"SCHILY.xattr.security.capability": "xx"})), "version 2")


@case
def whiteouts_of_nothing_or_as_directories_are_refused():
    with Box() as b:
        for name in (".wh.", "d/.wh..", ".wh..."):
            b.bad(tar(directory("d"), entry(name)), "whiteout of nothing")
        b.bad(tar(entry(".wh.d/f")), "whiteout as a directory")


@case
def a_directory_with_content_is_not_replaced_by_a_file():
    with Box() as b:
        b.bad(tar(directory("d"), entry("d/f"), entry("d")), "not empty")


@case
def wrong_digest_size_or_diffid_is_refused():
    raw = tar(entry("f", data=b"x" * 5000))
    with Box() as b:
        b.bad(raw, "digest mismatch", digest="a" * 64)
        b.bad(raw, "DiffID mismatch", diffid="b" * 64)
        b.bad(raw, "its descriptor says", size=len(raw) + 1)
        b.bad(raw, "longer than", size=len(raw) - 1)
        z = gzip.compress(raw)
        b.bad(raw, "DiffID mismatch", blob=z, form="gzip", diffid=sha(z))
        b.bad(raw, "digest mismatch", blob=z[:-20] + b"0" * 20, form="gzip", digest=sha(z))


@case
def data_behind_the_end_of_the_tar_counts_for_the_diffid():
    raw = tar(entry("f", data=b"x")) + b"hidden" * 100
    with Box() as b:
        b.good(raw)
        b2 = raw[:-600]
        r = b.run(b2, diffid=sha(raw))
        assert r.returncode == 0  # known by name: nothing is read
    with Box() as b:
        b.bad(raw, "DiffID mismatch", diffid=sha(raw[:-600]))


@case
def truncated_or_foreign_compression_is_refused():
    raw = tar(entry("f", data=os.urandom(200000)))
    z = gzip.compress(raw)
    with Box() as b:
        b.bad(raw, "not whole gzip", blob=z[:len(z) // 2], form="gzip")
        b.bad(raw, "not whole gzip", blob=raw, form="gzip")
        b.bad(raw, "not whole gzip", blob=gzip.compress(z), form="gzip")
        b.bad(raw, "not whole zstd", blob=z, form="zstd")
        b.bad(raw, "tar", blob=z, form="none")
        b.bad(raw[:100000], "tar")
        b.bad(b"garbage" * 1000, "tar")


@case
def bombs_are_stopped_by_the_limits():
    bomb = tar(*[entry(f"zeros{i}", data=b"\0" * (1 << 19)) for i in range(128)])
    one = tar(entry("zeros", data=b"\0" * (64 << 20)))
    with Box() as b:
        b.bad(bomb, "more than 1048576 bytes", blob=gzip.compress(bomb), form="gzip",
              extra=["--max-bytes", str(1 << 20)])
        b.bad(one, "67108864 bytes, at most 1048576", blob=gzip.compress(one), form="gzip",
              extra=["--max-bytes", str(1 << 20)])
        many = tar(*[entry(f"f{i}") for i in range(200)])
        b.bad(many, "more than 100 entries", extra=["--max-entries", "100"])
        deep = tar(entry("/".join(["d"] * 300) + "/f"))
        b.bad(deep, "more than 100 entries", extra=["--max-entries", "100"])
    with Box() as b:
        src = os.path.join(b.dir, "big")
        with open(src, "wb") as f:
            f.truncate(1 << 40)
        raw = subprocess.run(["tar", "-C", b.dir, "--sparse", "-cf", "-", "big"],
                             capture_output=True, check=True).stdout
        b.bad(raw, "at most", extra=["--max-bytes", str(1 << 30)])


@case
def a_name_with_nul_reaches_nothing_outside():
    with Box() as b:
        raw = tar(entry("x" * 120, pax={"path": "a\0/../../b"}))
        r = b.run(raw)
        assert not os.path.exists(os.path.join(b.dir, "b"))
        print("#", r.returncode, r.stderr, os.listdir(b.layers))


@case
def no_name_reaches_the_terminal_raw():
    with Box() as b:
        said = b.bad(tar(entry("../\x1b[31mred\n")), '".."')
        assert b"\x1b" not in said


@case
def a_cache_open_to_others_is_refused():
    with Box() as b:
        os.chmod(b.layers, 0o755)
        r = b.run(tar(entry("f")))
        assert r.returncode == 1 and b"chmod 0700" in r.stderr, r.stderr


# -- crashes and races ------------------------------------------------------

@case
def a_killed_unpack_leaves_only_what_the_next_run_removes():
    raw = tar(*[entry(f"f{i}", data=b"x" * 100000) for i in range(50)])
    other = tar(entry("other"))
    with Box() as b:
        p = subprocess.Popen(b.args(raw, raw, "none"), stdin=subprocess.PIPE)
        p.stdin.write(raw[:len(raw) // 2])
        p.stdin.flush()
        deadline = time.time() + 20
        tmp = os.path.join(b.layers, ".tmp-" + sha(raw), "fs")
        while time.time() < deadline and not (os.path.isdir(tmp) and len(os.listdir(tmp)) > 5):
            time.sleep(0.01)
        assert len(os.listdir(tmp)) > 5
        p.send_signal(signal.SIGKILL)
        p.wait()
        p.stdin.close()
        time.sleep(0.2)  # its stages die of its death
        assert not os.path.exists(os.path.join(b.layers, sha(raw)))
        b.good(other)
        assert sorted(os.listdir(b.layers)) == [sha(other)], os.listdir(b.layers)
        b.good(raw)


@case
def unpackers_of_one_layer_wait_for_each_other():
    raw = tar(*[entry(f"f{i}", data=b"x" * 1000) for i in range(300)])
    with Box() as b:
        blob = os.path.join(b.dir, "blob")
        open(blob, "wb").write(raw)
        ps = [subprocess.Popen(b.args(raw, raw, "none"), stdin=open(blob, "rb"),
                               stderr=subprocess.PIPE) for _ in range(8)]
        for p in ps:
            _, said = p.communicate(timeout=60)
            assert p.returncode == 0, said
        assert os.listdir(b.layers) == [sha(raw)], os.listdir(b.layers)
        assert len(os.listdir(os.path.join(b.layers, sha(raw), "fs"))) == 300


@case
def a_layer_is_read_out_of_the_tar_of_a_layout():
    raw = tar(entry("f", data=b"x" * 3000))
    z = gzip.compress(raw)
    outer = tar(directory("blobs"), directory("blobs/sha256"),
                entry("blobs/sha256/" + sha(z), data=z), entry("./index.json", data=b"{}"))
    with Box() as b:
        path = os.path.join(b.dir, "image.tar")
        open(path, "wb").write(outer)
        args = b.args(z, raw, "gzip", extra=["--member", "blobs/sha256/" + sha(z)])
        with open(path, "rb") as f:
            subprocess.run(args, stdin=f, check=True)
        assert os.listdir(b.layers) == [sha(raw)]
        for member, want in (("index.json", (0, b"{}")), ("nothing", (1, b"")), ("blobs", (1, b""))):
            with open(path, "rb") as f:
                r = subprocess.run([UNPACK, "cat", "--member", member], stdin=f,
                                   capture_output=True)
            assert (r.returncode, r.stdout) == want, r
        with open(path, "rb") as f:
            r = subprocess.run([UNPACK, "cat", "--member", "blobs/sha256/" + sha(z),
                                "--max-bytes", "10"], stdin=f, capture_output=True)
        assert r.returncode == 1 and r.stdout == b""


@case
def misuse_is_told_apart():
    for args in ([], ["walk"], ["layer"], ["cat"], ["cat", "--member"], ["cat", "--x", "y"],
                 ["layer", "--size", "-1"], ["layer", "--compression", "lzma"]):
        r = subprocess.run([UNPACK, *args], stdin=subprocess.DEVNULL, capture_output=True)
        assert r.returncode == 2 and r.stderr.count(b"\n") == 1, (args, r)


def main():
    print(f"1..{len(CASES)}", flush=True)
    only = sys.argv[2:]
    for n, fn in enumerate(CASES, 1):
        name = fn.__name__
        if only and name not in only:
            continue
        if os.geteuid() != 0:
            print(f"ok {n} - {name} # SKIP needs root", flush=True)
            continue
        try:
            fn()
            print(f"ok {n} - {name}", flush=True)
        except Exception as e:  # a case that throws is a case that fails
            print(f"not ok {n} - {name}\n# {type(e).__name__}: {e}", flush=True)


main()

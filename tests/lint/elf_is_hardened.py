#!/usr/bin/env python3
"""elf_is_hardened [--sanitized] ELF...: the linker and compiler did what meson.build asks.

Read from the file itself: position-independent executable; RELRO and BIND_NOW
(together "full RELRO"); a stack that is not executable; no segment both writable
and executable; no run path; a stack protector; checking calls of _FORTIFY_SOURCE
(unless sanitized); and `endbr64` at the start of main. The last stands for
-fcf-protection: Debian 12's start files lack the property note, so the linker
drops it from every program and its absence says nothing.
"""

import struct
import sys

import source

ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 0x6474E551, 0x6474E552
PF_X, PF_W = 1, 2
DT_NULL, DT_RPATH, DT_RUNPATH, DT_TEXTREL = 0, 15, 29, 22
DT_FLAGS, DT_FLAGS_1 = 30, 0x6FFFFFFB
DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 8, 1, 0x08000000
SHT_SYMTAB, SHT_DYNSYM = 2, 11
# Calls _FORTIFY_SOURCE replaces. The compiler takes some back where it can prove them safe,
# and a program that makes none has nothing to show.
FORTIFIED = {"printf", "fprintf", "sprintf", "snprintf", "vsnprintf", "strcpy", "strcat"}
ENDBR64 = b"\xf3\x0f\x1e\xfa"


class Elf:
    """As much of a 64-bit little-endian ELF file as the checks below ask for."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        self.data = data
        self.type, = struct.unpack_from("<H", data, 16)
        phoff, shoff = struct.unpack_from("<QQ", data, 32)
        phsize, phnum, shsize, shnum = struct.unpack_from("<HHHH", data, 54)
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, phoff + i * phsize)
                         for i in range(phnum)]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shsize)
                         for i in range(shnum)]

    def dynamic(self):
        for kind, _, offset, _, _, size, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                for at in range(offset, offset + size, 16):
                    tag, value = struct.unpack_from("<qQ", self.data, at)
                    if tag == DT_NULL:
                        return
                    yield tag, value

    def symbols(self):
        """{name: (address, section index)} of both symbol tables."""
        found = {}
        for _, kind, _, _, offset, size, link, _, _, entry in self.sections:
            if kind not in (SHT_SYMTAB, SHT_DYNSYM):
                continue
            strings = self.sections[link][4]
            for at in range(offset, offset + size, entry):
                name, _, _, section, address, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                end = self.data.index(b"\0", strings + name)
                found[self.data[strings + name:end].decode()] = (address, section)
        return found

    def bytes_at(self, address, count):
        for kind, _, offset, vaddr, _, size, _, _ in self.segments:
            if kind == PT_LOAD and vaddr <= address < vaddr + size:
                return self.data[offset + address - vaddr:][:count]
        return b""


def faults_of(elf, sanitized):
    tags = dict(elf.dynamic())
    names = {name.split("@")[0]: place for name, place in elf.symbols().items()}
    flags = {kind: bits for kind, bits, *_ in elf.segments}
    main_at = names.get("main")

    if elf.type != ET_DYN or not tags.get(DT_FLAGS_1, 0) & DF_1_PIE:
        yield "not a position-independent executable"
    if PT_GNU_RELRO not in flags:
        yield "no RELRO segment"
    if not (tags.get(DT_FLAGS, 0) & DF_BIND_NOW or tags.get(DT_FLAGS_1, 0) & DF_1_NOW):
        yield "lazy binding: RELRO is only partial"
    if flags.get(PT_GNU_STACK, PF_X) & PF_X:
        yield "the stack is executable"
    if any(k == PT_LOAD and b & PF_W and b & PF_X for k, b, *_ in elf.segments):
        yield "a segment is writable and executable"
    if DT_TEXTREL in tags:
        yield "relocations in the text"
    if DT_RPATH in tags or DT_RUNPATH in tags:
        yield "a run path: libraries would be looked for where others may write"
    if "__stack_chk_fail" not in names:
        yield "no stack protector"
    # A static program holds libc's own calls beside the program's: only what the loader
    # still has to find tells what the program asks for.
    plain = sorted(n for n in FORTIFIED & names.keys() if names[n][1] == 0)
    checked = any(n.startswith("__") and n.endswith("_chk") for n in names)
    if not sanitized and plain and not checked:
        yield f"no _FORTIFY_SOURCE: calls {', '.join(plain)} and nothing that checks"
    if main_at and main_at[1] and elf.bytes_at(main_at[0], 4) != ENDBR64:
        yield "main does not start with endbr64: no -fcf-protection"


def main():
    args = sys.argv[1:]
    sanitized = "--sanitized" in args
    faults = []
    for path in (a for a in args if a != "--sanitized"):
        with open(path, "rb") as f:
            elf = Elf(f.read())
        faults += [f"{path}: {fault}" for fault in faults_of(elf, sanitized)]
    source.finish(faults)


if __name__ == "__main__":
    main()

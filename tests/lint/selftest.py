#!/usr/bin/env python3
"""Every lint finds the fault it is there for, and lets a clean sample pass.

Python's unittest; run by `meson test --suite lint`, or by hand:
tests/lint/selftest.py
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

import core_is_pure
import doc_links
import elf_is_hardened
import host_uses_table
import invariants
import layers
import size_limits
import source
import words

HERE = os.path.dirname(os.path.abspath(__file__))


def function(lines):
    return "int f(void)\n{\n" + "\tg();\n" * (lines - 2) + "}\n"


def scratch_tree(test, files):
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    for path, text in files.items():
        full = os.path.join(folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
    return folder.name


def run(lint, *args, **env):
    return subprocess.run([sys.executable, os.path.join(HERE, lint), *args], check=False,
                          capture_output=True, text=True, env={**os.environ, **env})


class SizeLimits(unittest.TestCase):
    def test_a_function_of_61_lines_is_found_and_one_of_60_is_not(self):
        self.assertEqual(list(size_limits.check("a.c", function(60))), [])
        found, = size_limits.check("a.c", function(61))
        self.assertIn("a.c:2: f has 61 lines", found)

    def test_a_head_over_many_lines_names_the_function(self):
        text = "PST_CHECKED PST_NONNULL(1)\nint pst_a_b(int x,\n\t\tint y)\n" + function(80)[12:]
        self.assertIn("pst_a_b has", next(size_limits.check("a.c", text)))

    def test_criterion_bodies_count_and_long_tables_do_not(self):
        self.assertTrue(list(size_limits.check("t.c", "Test(a, b)\n" + function(70)[12:])))
        table = "static const int a[] =\n{\n" + "\t1,\n" * 100 + "};\n"
        self.assertEqual(list(size_limits.check("t.c", table)), [])

    def test_a_file_of_501_lines_is_found(self):
        self.assertEqual(list(size_limits.check("a.c", "\n" * 500)), [])
        self.assertTrue(list(size_limits.check("a.c", "\n" * 501)))


class Purity(unittest.TestCase):
    allowed = source.table(os.path.join(HERE, "core_allowed.txt"))

    def test_files_and_clocks_are_found(self):
        bad = ["open", "open64", "__open_2", "json_load_file", "json_dumpfd", "fopen", "getenv",
               "time", "syscall", "seccomp_init", "printf"]
        self.assertEqual(list(core_is_pure.impure(bad, self.allowed)), bad)

    def test_work_on_memory_passes(self):
        good = ["malloc", "__snprintf_chk", "json_loads", "json_loadb", "json_object_get",
                "yajl_parse", "pst_fail", "__asan_report_load8", "strlen"]
        self.assertEqual(list(core_is_pure.impure(good, self.allowed)), [])

    def test_an_object_that_opens_a_file_is_found(self):
        root = scratch_tree(self, {"a.c": "#include <fcntl.h>\nint f(void);\n"
                                          "int f(void) { return open(\"/\", 0); }\n"})
        subprocess.run([os.environ.get("CC", "cc").split()[-1], "-c", "a.c", "-o", "a.o"],
                       cwd=root, check=True)
        got = run("core_is_pure.py", os.path.join(HERE, "core_allowed.txt"), f"{root}/a.o")
        self.assertEqual(got.returncode, 1)
        self.assertIn("calls open", got.stdout)


class HostTable(unittest.TestCase):
    allowed = set(source.table(os.path.join(HERE, "direct_allowed.txt")))
    calls = {"openat", "mkdir", "fork", "mount", "getdents64", "getpid", "fstat"} | \
        host_uses_table.WRAPPERS

    def test_direct_calls_are_found(self):
        bad = ["openat64", "mkdir", "fork", "mount", "fopen64", "__openat_2", "syscall", "fstat64",
               "getdents64", "execvp", "__printf_chk"]
        self.assertEqual(list(host_uses_table.direct(bad, self.calls, self.allowed)), bad)

    def test_the_table_itself_and_the_exceptions_pass(self):
        good = ["pst_host", "getpid", "close", "memcpy", "pst_io_put", "__snprintf_chk"]
        self.assertEqual(list(host_uses_table.direct(good, self.calls, self.allowed)), [])


class Words(unittest.TestCase):
    def test_each_kind_is_found(self):
        bad = ["see docker." + "io/library/nginx", "qua" + "y.io/a", "/wor" + "k/main/x",
               "TO" + "DO later", "/* XX" + "X */", "#if 0", "// f(x);", "\t/* f(x); */"]
        for text in bad:
            self.assertEqual(len(list(words.check("lib/a.c", text))), 1, text)

    def test_ordinary_text_passes(self):
        for text in ["mktemp -d /tmp/a.XXXXXX", "apt-get install docker.io", "network/x",
                     "/* why: f(x) fails */"]:
            self.assertEqual(list(words.check("lib/a.c", text)), [], text)

    def test_vague_module_names_are_found(self):
        for name in ["lib/host/util.c", "lib/core/str_utils.h", "lib/host/linux.c"]:
            self.assertTrue(list(words.check(name, "")), name)
        self.assertEqual(list(words.check("lib/host/mount.c", "")), [])


class Layers(unittest.TestCase):
    def test_upward_include_is_found(self):
        text = '#include "base/err.h"\n#include "host/io.h"\n'
        found, = layers.upward_includes("lib/core/a.c", text, "core", ["base"])
        self.assertIn("includes host/", found)

    def test_table_is_read(self):
        text = "| `lib/base` | x | libc |\n| `lib/host` | y | `lib/core`, `lib/base` |\n"
        self.assertEqual(layers.documented(text), {"base": [], "host": ["core", "base"]})

    def test_a_table_that_lags_behind_is_found(self):
        root = scratch_tree(self, {"docs/ARCHITECTURE.md": "| `lib/base` | x | libc |\n"})
        got = run("layers.py", root, "base=", "core=base")
        self.assertEqual(got.returncode, 1)
        self.assertIn("lib/core", got.stdout)


class Invariants(unittest.TestCase):
    doc = invariants.promises("# T\n\n## I-1 One\ntext\n\n## I-2 Two\nNot yet shown: no code\n")

    def test_uncited_outdated_and_unknown_are_found(self):
        found = "\n".join(invariants.check(self.doc, {"tests/unit/a.c": "I-2 and I-10"}))
        self.assertIn("I-1: no test cites it", found)
        self.assertIn("I-2: cited by", found)
        self.assertIn("cites I-10", found)

    def test_cited_and_excused_pass(self):
        self.assertEqual(list(invariants.check(self.doc, {"tests/unit/a.c": "/* I-1 */"})), [])


class DocLinks(unittest.TestCase):
    def test_dead_links_are_found(self):
        root = scratch_tree(self, {"docs/a.md": "# A b\n[x](#a-b) [y](b.md#no) [z](none.md)\n",
                                   "docs/b.md": "# B\n"})
        text = source.read(root, "docs/a.md")
        found = list(doc_links.check(root, "docs/a.md", text))
        self.assertEqual(len(found), 2, found)


class Hardening(unittest.TestCase):
    def build(self, *flags):
        root = scratch_tree(self, {"a.c": "#include <string.h>\nint main(int c, char **v)\n{\n"
                                          "\tchar b[64];\n\tstrcpy(b, v[0]);\n"
                                          "\treturn b[c];\n}\n"})
        subprocess.run(["gcc", "-O2", *flags, "a.c", "-o", "a"], cwd=root, check=True,
                       capture_output=True)
        with open(os.path.join(root, "a"), "rb") as f:
            return list(elf_is_hardened.faults_of(elf_is_hardened.Elf(f.read()), False))

    good = ["-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack", "-fstack-protector-strong",
            "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fcf-protection=full"]

    def test_a_hardened_program_passes(self):
        self.assertEqual(self.build(*self.good), [])

    def test_each_missing_flag_is_found(self):
        for flags, what in [
                (["-no-pie", "-fno-PIE"], "position-independent"), (["-Wl,-z,lazy"], "lazy"),
                (["-Wl,-z,norelro"], "RELRO"), (["-Wl,-z,execstack"], "stack is executable"),
                (["-fno-stack-protector"], "stack protector"), (["-U_FORTIFY_SOURCE"], "FORTIFY"),
                (["-fcf-protection=none"], "endbr64"), (["-Wl,-rpath,/tmp"], "run path")]:
            found = " ".join(self.build(*self.good, *flags))
            self.assertIn(what, found)

    def test_what_is_no_elf_file_is_an_error(self):
        with self.assertRaises(ValueError):
            elf_is_hardened.Elf(struct.pack("16s", b"text"))


class Tally(unittest.TestCase):
    def tally(self, *entries, args=()):
        lines = "\n".join(json.dumps(e) for e in entries)
        root = scratch_tree(self, {"build-x/meson-logs/variant.json": lines})
        return run("../tally", *args, f"{root}/build-x/meson-logs/variant.json")

    def test_points_and_plain_tests_are_counted(self):
        got = self.tally({"name": "a", "result": "OK", "stdout": "ok 1 - x\nok 2 y # SKIP no y\n"},
                         {"name": "b", "result": "OK", "stdout": ""},
                         {"name": "c", "result": "SKIP", "stdout": "not run: no c\n"})
        self.assertIn("2 passed, 0 failed, 2 skipped", got.stdout)
        self.assertIn("no y", got.stdout)
        self.assertEqual(got.returncode, 0)

    def test_a_test_that_died_fails_though_its_points_passed(self):
        got = self.tally({"name": "a", "result": "ERROR", "stdout": "ok 1 - x\n"})
        self.assertIn("1 passed, 1 failed, 0 skipped", got.stdout)
        self.assertEqual(got.returncode, 1)

    def test_a_bad_point_fails_once(self):
        got = self.tally({"name": "a", "result": "FAIL", "stdout": "not ok 1 - x\n"})
        self.assertIn("0 passed, 1 failed, 0 skipped", got.stdout)

    def test_a_broken_build_and_a_missing_log_fail(self):
        got = self.tally({"name": "a", "result": "OK"}, args=["--broken=y", "none/variant.json"])
        self.assertIn("1 passed, 2 failed, 0 skipped", got.stdout)


class Skips(unittest.TestCase):
    def test_a_skip_is_77_and_a_failure_where_nothing_may_be_skipped(self):
        root = scratch_tree(self, {"a.h": "#pragma once\n"})
        for must, code in [("0", 77), ("1", 1)]:
            got = run("headers_alone.py", root, root, PATH=root, POSTERN_MUST_WORK=must)
            self.assertEqual(got.returncode, code, got.stdout + got.stderr)


if __name__ == "__main__":
    unittest.main()

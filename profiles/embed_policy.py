#!/usr/bin/env python3
"""Write a file's bytes as C: embed_policy.py SYMBOL INPUT OUTPUT gives SYMBOL[] and SYMBOL_len."""
import sys

symbol, source, target = sys.argv[1:]
with open(source, "rb") as f:
    data = f.read()
rows = [", ".join(f"0x{b:02x}" for b in data[i : i + 16]) for i in range(0, len(data), 16)]
with open(target, "w", encoding="ascii") as f:
    f.write("#include <stddef.h>\n\n")
    f.write(f"extern const char {symbol}[];\nextern const size_t {symbol}_len;\n\n")
    f.write(f"const char {symbol}[] = {{\n")
    f.writelines(f"\t{row},\n" for row in rows)
    f.write(f"\t0x00, /* so that it is a string too */\n}};\nconst size_t {symbol}_len = {len(data)};\n")

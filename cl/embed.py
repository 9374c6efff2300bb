#!/usr/bin/env python3
"""Write a C table of kernel sources: embed.py ROOT OUTPUT FILE..."""

import os
import sys


def c_array(data: bytes) -> str:
    return ",".join(str(byte) for byte in data) + ",0"


def main() -> None:
    root, output, *inputs = sys.argv[1:]
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "device/source.h"\n')
        rows = []
        for index, path in enumerate(inputs):
            with open(path, "rb") as source:
                out.write(f"static const char text_{index}[] = {{{c_array(source.read())}}};\n")
            rows.append(f'{{"{os.path.relpath(path, root)}", text_{index}}}')
        out.write("const clc_source clc_sources[] = {" + ", ".join(rows) + "};\n")
        out.write(f"const size_t clc_source_count = {len(inputs)};\n")


main()

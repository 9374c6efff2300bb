#!/usr/bin/env python3
"""Write a page as the C string clc_<page>_html: embed.py OUTPUT PAGE.html FILE...

{{name}} in it becomes the file of that name; {{data}} stays, for the program to fill in."""

import os
import re
import sys


def c_string(data: bytes) -> str:
    special = {63: "\\?", 34: '\\"', 92: "\\\\", 10: "\\n"}
    return '"' + "".join(special.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data) + '"'


def main() -> None:
    output, page, *parts = sys.argv[1:]
    texts = {}
    for path in parts:
        with open(path, encoding="utf-8") as file:
            texts[os.path.basename(path)] = file.read()
    with open(page, encoding="utf-8") as file:
        html = re.sub(r"\{\{([\w.]+\.\w+)\}\}", lambda match: texts[match[1]], file.read())
    assert html.count("{{data}}") == 1, f"{page} has one place for the data"
    name = os.path.splitext(os.path.basename(page))[0]
    with open(output, "w", encoding="ascii") as out:
        out.write(f'#include "report/page.h"\nconst char clc_{name}_html[] =\n')
        out.write("\n".join(c_string(line) for line in html.encode().splitlines(keepends=True)) + ";\n")


main()

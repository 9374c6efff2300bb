#!/usr/bin/env python3
"""Write a page as the C string clc_<name>_html: embed.py OUTPUT NAME PAGE.html STYLE.css SCRIPT.js...

{{style}} in it becomes the style, {{scripts}} the scripts in their order; {{data}} stays, for the program to fill in."""

import sys


def c_string(data: bytes) -> str:
    special = {63: "\\?", 34: '\\"', 92: "\\\\", 10: "\\n"}
    return '"' + "".join(special.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data) + '"'


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def main() -> None:
    output, name, page, style, *scripts = sys.argv[1:]
    html = read(page).replace("{{style}}\n", read(style)).replace("{{scripts}}\n", "".join(map(read, scripts)))
    assert html.count("{{") == html.count("{{data}}") == 1, f"{page} has one place for the data and no other"
    with open(output, "w", encoding="ascii") as out:
        out.write(f'#include "report/page.h"\nconst char clc_{name}_html[] =\n')
        out.write("\n".join(c_string(line) for line in html.encode().splitlines(keepends=True)) + ";\n")


main()

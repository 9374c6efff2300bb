#!/usr/bin/env python3
"""Writes pictures and captions of Debian's tuxpaint-stamps-default as a table with the columns path, caption, class and
split: tuxpaint_pairs.py [LANGUAGE] >pairs.tsv

x.png has its captions in x.txt, the first line in English, the others as "de.utf8=...". A class is a folder of the first
level. Stamps whose captions differ by colours, sizes and numbers alone are a family; a quarter of the families, by a hash,
is the test.
"""

import hashlib
import os
import re
import sys

ROOT = "/usr/share/tuxpaint/stamps"
TEST_SHARE = 0.25
# Words by which stamps of one family differ.
VARIANTS = set(
    "red green blue yellow orange purple violet pink brown black white grey gray silver gold light dark left right up "
    "down big small little large baby old new young front back side open closed the a an of and with in on for".split()
)


def captions(path):
    """By language."""
    with open(path, encoding="utf-8", errors="replace") as file:
        first, *others = file.read().splitlines() or [""]
    found = re.findall(r"^(\w+)\.utf8=(.+)$", "\n".join(others), re.M)
    return {"en": first, **dict(found)}


def stamps(language):
    """Path, English and wanted caption, and class of each that has one; no bytes twice."""
    seen = set()
    for folder, folders, files in os.walk(ROOT):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            text = path[:-4] + ".txt"
            if not name.endswith(".png") or not os.path.exists(text):
                continue
            with open(path, "rb") as file:
                digest = hashlib.sha1(file.read()).digest()
            said = captions(text)
            wanted = " ".join(said.get(language, "").replace('"', " ").split())
            if wanted and digest not in seen:
                seen.add(digest)
                yield path, said["en"], wanted, os.path.relpath(path, ROOT).split(os.sep)[0]


def is_test(caption):
    """The same families on every machine."""
    core = [word for word in re.split(r"[\W_\d]+", caption.lower()) if word and word not in VARIANTS]
    family = " ".join(sorted(core)) or caption
    return int(hashlib.sha1(family.encode()).hexdigest()[:8], 16) < TEST_SHARE * 2**32


def main():
    """Prints the table."""
    if not os.path.isdir(ROOT):
        sys.exit(f"{ROOT} is not there: apt-get install tuxpaint-stamps-default")
    print("path\tcaption\tclass\tsplit")
    for path, english, wanted, name in stamps(sys.argv[1] if len(sys.argv) > 1 else "en"):
        print(path, wanted, name, "test" if is_test(english) else "train", sep="\t")


if __name__ == "__main__":
    main()

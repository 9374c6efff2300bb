#!/usr/bin/env python3
"""Writes pictures and captions of Debian's openclipart-png and openclipart-svg as a table with the columns path, caption,
class and split: openclipart_pairs.py >pairs.tsv

A caption is the title in the drawing's metadata (the name of the file, if many drawings have the same) and its keywords.
Drawings of one kind, such as stars of many colours, make a family by their titles: at most 12 of one are taken, and all of
them are for training or all for the test, which gets a quarter of the families, by a hash of their names.
"""

import collections
import hashlib
import html
import os
import re
import struct
import sys

ROOT = "/usr/share/openclipart"
MOST_PIXELS = 25e6
LEAST_SIDE = 16
FAMILY = 12
KEYWORDS = 5
TEST_SHARE = 0.25
# Words by which drawings of one family differ.
VARIANTS = set(
    "red green blue yellow orange purple violet pink brown black white grey gray silver gold light dark left right up "
    "down top bottom north south east west front back small large big little new old the a an of and with in on".split()
)


def words(text):
    """The words of a text, in small letters."""
    return [word for word in re.split(r"[\W_]+", text.lower()) if word]


def plain(text):
    """A text of XML in one line, without the quotes of tables."""
    return " ".join(html.unescape(html.unescape(text)).replace(chr(34), " ").split())


def metadata(path):
    """Title and keywords of a drawing."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = re.search(r"<metadata.*?</metadata>", file.read(), re.S)
    except FileNotFoundError:
        match = None
    if not match:
        return "", []
    text = re.sub(r"<dc:(publisher|creator|rights).*?</dc:\1>", "", match.group(0), flags=re.S)
    title = re.search(r"<dc:title[^>]*>(.*?)</dc:title>", text, re.S)
    keywords = [plain(word) for word in re.findall(r"<rdf:li[^>]*>(.*?)</rdf:li>", text, re.S)]
    return plain(title.group(1)) if title else "", [k for k in keywords if k and k != "unsorted"]


def pictures():
    """Path, bytes and folder-relative name of each picture of a fitting size, no bytes twice."""
    seen = set()
    root = os.path.join(ROOT, "png")
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not name.endswith(".png") or os.path.islink(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            width, height = struct.unpack(">II", data[16:24])
            digest = hashlib.sha1(data).digest()
            if width * height > MOST_PIXELS or min(width, height) < LEAST_SIDE or digest in seen:
                continue
            seen.add(digest)
            yield path, os.path.relpath(path, root)


def caption_of(name, keywords):
    """The name and what the keywords add to it."""
    parts, said = [name], set(words(name))
    for keyword in keywords:
        new = words(keyword)
        if set(new) - said and len(parts) <= KEYWORDS:
            said.update(new)
            parts.append(" ".join(new))
    return ", ".join(parts)


def family_of(name, relative):
    """What drawings of one kind have in common."""
    core = [re.sub(r"\d+", "", word) for word in words(name) if word not in VARIANTS]
    return " ".join(sorted(word for word in core if len(word) > 1)) or os.path.dirname(relative)


def is_test(family):
    """The same families on every machine."""
    return int(hashlib.sha1(family.encode()).hexdigest()[:8], 16) < TEST_SHARE * 2**32


def main():
    """Prints the table."""
    if not os.path.isdir(os.path.join(ROOT, "png")) or not os.path.isdir(os.path.join(ROOT, "svg")):
        sys.exit(f"{ROOT} is not complete: apt-get install openclipart-png openclipart-svg")
    found = [(path, relative, *metadata(os.path.join(ROOT, "svg", relative[:-3] + "svg"))) for path, relative in pictures()]
    titles = collections.Counter(title.lower() for _, _, title, _ in found)
    families = collections.Counter()
    print("path\tcaption\tclass\tsplit")
    for path, relative, title, keywords in found:
        stem = " ".join(word for word in words(os.path.basename(relative)[:-4]) if not word.isdigit())
        name = title.replace("_", " ") if words(title) and titles[title.lower()] < 4 else stem
        family = family_of(name, relative)
        families[family] += 1
        if words(name) and families[family] <= FAMILY:
            split = "test" if is_test(family) else "train"
            print(path, caption_of(name, keywords), os.path.dirname(relative), split, sep="\t")


if __name__ == "__main__":
    main()

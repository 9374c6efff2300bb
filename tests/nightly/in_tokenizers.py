"""The ids of Hugging Face's `tokenizers`, from the file that clcontrast writes, are clcontrast's own: for texts of many
scripts, broken ones, and real ones where there are some; and those of the file that a run leaves, beside its weights and
in them. Prints TAP; skipped without the package (PyPI: tokenizers).

    in_tokenizers.py TOKENIZE_CAT CLCONTRAST
"""

import glob
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

try:
    from tokenizers import Tokenizer
except ImportError:
    print("1..0 # SKIP no Python package tokenizers")
    sys.exit(0)

ODD = [
    "",
    " ",
    "\n",
    "  two  blanks  ",
    "\t tab, then\u00a0no-break\u2003em space\u3000ideographic ",
    "Don't you'll we've I'm he'd they're it's 'quoted' ''s 'S",
    "the dog\u2019s bone, O\u2019Neill's \u2019tis rock 'n' roll a'b'c' d''e",
    "<pad> <unk> <start> <end> <|endoftext|> [CLS]",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd \u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u202bRTL\u202c 12\u066334",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f44d\U0001f3fd!!!",
    "\u4e2d\u6587\u548c\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \ud55c\uad6d\uc5b4 \U00020000\uf900",
    "e\u0301 \u00e9 A\u030a \u212b \u212a \u0130stanbul I\u0131 \u03a3\u03a3 \u1e9e \u01c5 \u1100\u1161\u11a8 \u0344",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u10d2\u10d0\u10db\u1c90 \u13a0\uab70",
    "x\u0000y \u0001\u007f\u0085\u2028 \ufeffbom \ufffe\uffff\U0010ffff",
    "3.14 1\u00bd \u2167 \u0664\u0665 10_000 foo_bar a-b a.b @user #tag $5 100%",
    "x" * 100000,
    "ab " * 33333,
    "\u00e9\u4e2d " * 20000,
    "!" * 5000 + "?" * 5000 + " " * 5000 + "\n" * 5000 + "end",
]
BROKEN = [b"\xff\xfe", b"caf\xe9 ok", b"\xe4\xb8 cut \xf0\x9f\x98", b"\xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80 \xf4\x90\x80\x80", b"\x80\x80a\xc3"]


def random_texts():
    """Texts of characters from all over Unicode that have been there for long."""
    draw = random.Random(7)
    ranges = [(9, 13), (32, 126), (0xA0, 0x24F), (0x2B0, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x5B0, 0x5EA), (0x610, 0x6D3),
              (0x901, 0x94D), (0xE01, 0xE3A), (0x1100, 0x11FF), (0x1E00, 0x1FBC), (0x2000, 0x206F), (0x20A0, 0x20B5), (0x2100, 0x214E),
              (0x2190, 0x27BE), (0x3001, 0x30FF), (0x4E00, 0x4E40), (0xAC00, 0xAC40), (0xF900, 0xFA2D), (0xFB00, 0xFB06), (0x1F600, 0x1F64F)]
    for _ in range(3000):
        yield "".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(draw.randint(1, 40)))


def real_texts():
    """Package descriptions, where apt has lists; what Python says about itself anywhere."""
    texts = []
    try:
        dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
        texts = re.findall(rb"^Description(?:-en)?: (.*(?:\n .*)*)", dump, re.M)
    except (OSError, subprocess.CalledProcessError):
        pass
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))[:60]:
        with open(path, "rb") as file:
            texts += file.read().split(b"\n\n")
    return texts


def ids_of(program, texts, kind, vocabulary, lowercase, context, path):
    data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    command = [program, kind, str(vocabulary), str(lowercase), str(context), path]
    out = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    at, found = 0, []
    while at < len(out):
        (count,) = struct.unpack_from("<I", out, at)
        found.append(list(struct.unpack_from(f"<{count}i", out, at + 4)))
        at += 4 + 4 * count
    return found


def first_difference(program, texts, folder, options):
    """"" or what differs."""
    path = os.path.join(folder, "tokenizer.json")
    ours = ids_of(program, texts, *options, path)
    theirs = Tokenizer.from_file(path)
    found = compare(texts, ours, theirs)
    if found:
        return found
    theirs.save(path)  # their own form of the same
    return "" if ids_of(program, texts, "load", 0, 0, 0, path) == ours else "read from their file, the ids are others"


def compare(texts, ours, theirs):
    """"" or the first text of which the ids differ."""
    decoded = [text.decode("utf-8", "replace") for text in texts]
    for text, a, b in zip(decoded, ours, theirs.encode_batch(decoded)):
        if a != b.ids:
            at = next((i for i, (x, y) in enumerate(zip(a, b.ids)) if x != y), min(len(a), len(b.ids)))
            return f"{text[:200]!r}: at token {at} {a[at:at + 8]}, theirs {b.ids[at:at + 8]} {b.tokens[at:at + 8]}"
    return ""


RUN = """[data]
train = {folder}/texts.txt
as = tokens
[tokens]
tokenizer = {kind}
vocabulary = 1000
[encoder]
name = transformer
width = 16
depth = 1
heads = 1
context = 16
[projector]
hidden =
output = 8
[training]
epochs = 1
batch = 32
[output]
folder = {folder}/run
"""


def difference_in_run(program, clcontrast, texts, folder, kind):
    """"" or what differs where the tokenizer is that of a run."""
    with open(os.path.join(folder, "texts.txt"), "wb") as file:
        file.write(b"\n".join(text.replace(b"\n", b" ")[:200] for text in texts[:400] if b"\0" not in text) + b"\n")
    ini = os.path.join(folder, "run.ini")
    with open(ini, "w", encoding="utf-8") as file:
        file.write(RUN.format(folder=folder, kind=kind))
    subprocess.run([clcontrast, ini, "--quiet"], check=True, cwd=folder)
    path = os.path.join(folder, "run/tokenizer.json")
    with open(os.path.join(folder, "run/encoder.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        carried = json.loads(file.read(length))["__metadata__"]["tokenizer"]
    with open(path, encoding="utf-8") as file:
        if file.read() != carried:
            return "the weights carry another tokenizer than lies beside them"
    return compare(texts, ids_of(program, texts, "load", 0, 0, 0, path), Tokenizer.from_str(carried))


def main():
    program, clcontrast = sys.argv[1:3]
    odd = [text.encode("utf-8") for text in ODD] + BROKEN + [text.encode("utf-8") for text in random_texts()]
    texts = odd + real_texts()
    cases = [(kind, vocabulary, lowercase, context) for kind, vocabulary, lowercase in (
        ("bytes", 0, 0), ("words", 5000, 1), ("words", 20000, 0), ("bpe", 260, 0), ("bpe", 3000, 1), ("bpe", 8192, 0)) for context in (0, 77)]
    kinds = ["bytes", "words", "bpe"]
    print(f"1..{len(cases) + len(kinds)}", flush=True)
    for number, case in enumerate(cases, 1):
        with tempfile.TemporaryDirectory() as folder:
            found = first_difference(program, texts, folder, case)
        print(f"{'not ok' if found else 'ok'} {number} - {len(texts)} texts, {sum(map(len, texts)) / 1e6:.1f} MB: {' '.join(map(str, case))}")
        if found:
            print("# " + found, flush=True)
    for number, kind in enumerate(kinds, len(cases) + 1):
        with tempfile.TemporaryDirectory() as folder:
            found = difference_in_run(program, os.path.abspath(clcontrast), odd, folder, kind)
        print(f"{'not ok' if found else 'ok'} {number} - {len(odd)} texts by the tokenizer of a run: {kind}")
        if found:
            print("# " + found, flush=True)


main()

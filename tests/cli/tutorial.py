"""The README's tutorial as a new user would follow it: each command runs and prints what stands below it.

`...` stands for anything; numbers, and names of pictures and of devices, may be others. The pictures are made here.
"""

import doctest
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib

from program import PROGRAM, Skip, Workplace, main

README = sys.argv[2]
HEADING = "## From a folder of pictures to search, step by step\n"
CLASSES = ("animals", "clothes", "food", "plants", "town", "vehicles")
PLACE = Workplace(images=16)


def tutorial():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    assert HEADING in text, f"README has no '{HEADING.strip()}'"
    return text.split(HEADING)[1].split("\n## ")[0]


def blocks():
    """The indented blocks, without their indentation."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", tutorial(), re.MULTILINE)
    return ["".join(line[4:] if line.strip() else line for line in block.splitlines(True)).strip("\n") for block in found]


def commands():
    """Pairs of a command and what stands below it."""
    for block in blocks():
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip("\n")


def png(rng, height, width):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = [rng.randrange(256) for _ in range(3)]
    rows = b"".join(b"\0" + bytes((c + rng.randrange(64)) % 256 for _ in range(width) for c in colour) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))  # fmt: skip


def make_pictures():
    """Of seven classes, among them all that the tutorial names, and a copy."""
    rng = random.Random(1)
    names = {f"pictures/{CLASSES[i % 6]}/{i:02}.png" for i in range(72)}
    names |= {name for command, _ in commands() for name in re.findall(r"pictures/\S+\.png", command)}
    names |= {f"pictures/military/vehicles/{name}.png" for name in ("bradley", "bradley_mirror")}
    for name in sorted(names):
        os.makedirs(os.path.dirname(PLACE.path(name)), exist_ok=True)
        with open(PLACE.path(name), "wb") as file:
            file.write(png(rng, rng.randrange(24, 40), rng.randrange(24, 40)))
    shutil.copy(PLACE.path("pictures/animals/00.png"), PLACE.path("pictures/animals/copy.png"))


def plain(text):
    """Without what differs from machine to machine and from picture to picture."""
    text = re.sub(r"[^\s,]*pictures/[^\s,]+", "PICTURE", text)
    text = re.sub(r"-?\d+([.,:]\d+)*(e[-+]?\d+)?", "0", text)
    text = re.sub(r"-{3,}", "-", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip()) + "\n"


def agrees(wanted, got):
    wanted = re.sub(r"^\.\.\.\n", "...", plain(wanted), flags=re.MULTILINE)  # stands for no line, too
    return doctest.OutputChecker().check_output(wanted, plain(got), doctest.ELLIPSIS)


def run(command):
    """As typed, but for one epoch."""
    if re.match(r"clcontrast (new|train\.ini)", command):
        command = re.sub(r"( > .*)?$", r" --set training.epochs=1 --set evaluation.linear_epochs=2\g<1>", command, count=1)
    environment = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"]}
    done = subprocess.run(command, shell=True, cwd=PLACE.folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, check=False)  # fmt: skip
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def every_command_prints_what_stands_below_it():
    make_pictures()
    met = 0
    for command, wanted in commands():
        if command.startswith("cp "):
            continue
        got = run(command)
        assert agrees(wanted, got), f"$ {command}\n--- README:\n{plain(wanted)}--- it printed:\n{plain(got)}"
        met += 1
    assert met == 7, met


def python_reads_the_network():
    python = os.environ.get("CLC_TORCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import numpy, onnxruntime, PIL"], capture_output=True, check=False).returncode:
        raise Skip("numpy, onnxruntime or Pillow is not there: name a Python that has them by CLC_TORCH_PYTHON")
    sessions = [block for block in blocks() if block.startswith(">>> ")]
    assert sessions, "there is no Python in the tutorial"
    for session in sessions:
        examples = doctest.DocTestParser().get_examples(session + "\n")
        script = "".join(f"exec(compile({e.source!r}, 'README', 'single'))\n" for e in examples)
        done = subprocess.run([python, "-c", script], cwd=PLACE.folder, capture_output=True, text=True, check=False)
        wanted = "".join(example.want for example in examples)
        assert done.returncode == 0 and agrees(wanted, done.stdout), f"{wanted}\n{done.stdout}\n{done.stderr}"


with PLACE:
    main([every_command_prints_what_stands_below_it, python_reads_the_network])

"""Allocations that fail, one after the other, in the functions that other programs call.

    allocations.py PROGRAM TEST SHARE
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Workplace, main  # noqa: E402  pylint: disable=wrong-import-position

TEST, SHARE = os.path.abspath(sys.argv[2]), sys.argv[3]
PLACE = Workplace(images=64)


def every_failure_is_told_and_leaves_nothing():
    os.mkdir(PLACE.path("pictures"))
    for i in range(6):
        with open(PLACE.path(f"pictures/{i}.pgm"), "wb") as file:
            file.write(b"P5 16 16 255\n" + bytes((7 + i) * k % 256 for k in range(256)))
    PLACE.train("--set", "training.epochs=1", "--set", "evaluation.linear_epochs=1")
    PLACE.run("index", "run", "pictures", "--output", "pictures.index")
    done = subprocess.run([TEST, "run", "pictures.index", "pictures/3.pgm", SHARE], cwd=PLACE.folder, capture_output=True,
                          text=True, timeout=1500, check=False)
    print("".join("# " + line + "\n" for line in done.stdout.splitlines()), end="", flush=True)
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


with PLACE:
    main([every_failure_is_told_and_leaves_nothing])

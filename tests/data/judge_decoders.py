#!/usr/bin/env python3
"""Holds decode_cat against a collection of odd files with known outcomes, where there is one: a folder with make.py and
judge.py, in $CLC_ODD_IMAGES or in shared/odd_images beside the source tree. Prints TAP; skipped without it, or without the
modules that make the files.

    judge_decoders.py decode_cat source-root
"""
import os
import subprocess
import sys
import tempfile

SEEDS = (1,)
DEBIAN = "/usr/bin/python3"  # has the modules of Debian's packages, which another python3 on PATH may lack


def python():
    for name in (sys.executable, DEBIAN):
        if os.path.exists(name) and not subprocess.run([name, "-c", "import numpy, PIL"], capture_output=True).returncode:
            return name
    return None


def main():
    decode_cat, root = sys.argv[1:3]
    folder = os.environ.get("CLC_ODD_IMAGES") or os.path.join(root, "..", "shared", "odd_images")
    interpreter = python()
    print(f"1..{len(SEEDS)}")
    reason = None
    if not os.path.exists(os.path.join(folder, "judge.py")):
        reason = "no folder of odd images"
    elif not interpreter:
        reason = "python3-numpy and python3-pil are not installed"
    for number, seed in enumerate(SEEDS, 1):
        if reason:
            print(f"ok {number} # SKIP {reason}")
            continue
        with tempfile.TemporaryDirectory() as out:
            command = [interpreter, os.path.join(folder, "make.py"), out, "--seed", str(seed)]
            made = subprocess.run(command, capture_output=True, text=True)
            if not os.path.exists(os.path.join(out, "expected.json")):
                print(f"not ok {number} - the files of seed {seed} could not be made")
                print("# " + made.stderr.strip().replace("\n", "\n# "))
                continue
            command = [interpreter, os.path.join(folder, "judge.py"), out, "--", decode_cat]
            judged = subprocess.run(command, capture_output=True, text=True)
            print(f"{'not ok' if judged.returncode else 'ok'} {number} - files of seed {seed}")
            print("# " + judged.stdout.strip().replace("\n", "\n# "))
            # A file without read permission can't be removed by every user.
            subprocess.run(["chmod", "-R", "u+rwX", out], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

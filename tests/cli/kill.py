"""Killed at any moment, in whatever it was doing: the next start is right. kill.py CLCONTRAST [ROUNDS]."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time

from folder import CACHE, CACHES, PACKS, Pictures, packs, result
from program import INTERRUPTED, PROGRAM, Skip, main

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
LIST = ["--set", "training.epochs=6", "--set", "training.batch=16", "--set", "training.checkpoint_every=1",
        "--set", "evaluation.baselines=false", "--set", "evaluation.linear_epochs=1", "--set", "evaluation.knn_k=5",
        "--set", "augmentation.size=12", "--set", "data.channels=3"]  # fmt: skip
COUNT = 400
LISTS = os.path.join(CACHE, "clcontrast/lists")


def killed_after(w, seconds, *arguments):
    """Whether the program was still there to be killed."""
    process = subprocess.Popen(
        [PROGRAM, "train.ini", *arguments], cwd=w.folder, env={**os.environ, **CACHES},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def has_checkpoint(w):
    run = w.path("run")
    return os.path.isdir(run) and any(n.startswith("checkpoint-") and n.endswith(".safetensors") for n in os.listdir(run))


def start_anew(w):
    shutil.rmtree(w.path("run"), ignore_errors=True)
    shutil.rmtree(PACKS, ignore_errors=True)


def the_next_start_is_right(residency):
    rng = random.Random(11)
    options = [*LIST, "--set", f"data.residency={residency}"]
    with Pictures(COUNT) as w:
        w.train(*options)  # compiles
        start_anew(w)
        before = time.monotonic()
        w.train(*options)
        whole = time.monotonic() - before
        want = result(w)
        kills = 0
        for _ in range(ROUNDS):
            start_anew(w)
            # Several kills in a row: of starts, and of those that go on.
            for _ in range(3):
                resume = ["--resume"] if has_checkpoint(w) else ["--overwrite"]
                kills += killed_after(w, rng.uniform(0, 0.8 * whole), *options, *resume)
            w.train(*options, *(["--resume"] if has_checkpoint(w) else ["--overwrite"]))
            assert result(w) == want
            assert all(name.endswith(".pack") for name in packs()), packs()
        if not kills:
            raise Skip("training is over before it can be killed")


def killed_while_packing_or_training():
    the_next_start_is_right("host")


def killed_while_streaming():
    the_next_start_is_right("stream")


def killed_while_packing():
    """A writer's rest goes when the next one writes."""
    rng = random.Random(12)
    options = [*LIST, "--dry-run"]
    with Pictures(COUNT) as w:
        w.train(*LIST)
        want = result(w)
        for _ in range(2 * ROUNDS):
            shutil.rmtree(PACKS, ignore_errors=True)
            killed_after(w, rng.uniform(0.02, 0.3), *options)
        os.makedirs(PACKS, exist_ok=True)
        with open(os.path.join(PACKS, "abcdef.tmp"), "wb") as file:
            file.write(b"torn")
        w.train(*LIST, "--overwrite")
        assert result(w) == want
        assert len(packs()) == 2 and all(name.endswith(".pack") for name in packs()), packs()


def killed_while_listing():
    """A compressed archive's list, which is kept in the cache: whole or not there, whenever its writer dies."""
    rng = random.Random(13)
    with Pictures(COUNT) as w:
        archive = w.path("pictures.tar.gz")
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for i in range(5):
                tar.add(w.path("pictures"), arcname=f"{i:02}")
        options = [*LIST, "--set", f"data.train={archive}", "--set", "data.residency=stream", "--dry-run"]

        def counted():
            return [line for line in "".join(w.train(*options)).splitlines() if line.startswith("data:")]

        want = counted()  # compiles
        assert want, "no line says how many pictures there are"
        shutil.rmtree(LISTS)
        before = time.monotonic()
        counted()
        whole = time.monotonic() - before
        kills = 0
        for _ in range(ROUNDS):
            shutil.rmtree(LISTS)
            for _ in range(3):
                kills += killed_after(w, rng.uniform(0, whole), *options)
            assert counted() == want
            assert counted() == want  # from the list that is there now in any case
        if not kills:
            raise Skip("the list is there before its writer can be killed")


def interrupted_while_packing():
    """Ctrl-C leaves nothing of the pack."""
    with Pictures(3000) as w:
        for _ in range(5):
            shutil.rmtree(PACKS, ignore_errors=True)
            process = w.start("train.ini", *LIST, "--dry-run", "--set", "data.threads=1")
            while process.poll() is None and not packs():
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=600)
            if process.returncode == INTERRUPTED and not any(name.endswith(".pack") for name in packs()):
                break
        else:
            raise Skip("the pack is written before a signal comes")
        assert "interrupted while" in err, err
        assert not packs(), packs()
        w.train(*LIST, "--dry-run")
        assert len(packs()) == 2 and all(name.endswith(".pack") for name in packs()), packs()


if __name__ == "__main__":
    main([killed_while_packing_or_training, killed_while_streaming, killed_while_packing, killed_while_listing,
          interrupted_while_packing])  # fmt: skip

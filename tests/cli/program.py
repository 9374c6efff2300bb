"""What tests of the real program share: tiny data, runs of the program, TAP output."""

import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PROGRAM = os.path.abspath(sys.argv[1])

# Exit statuses, as `clcontrast --help` lists them.
OK, INVALID, IO, FORMAT, NO_DEVICE, OPENCL, BUILD, MEMORY, NONFINITE, INTERRUPTED, COLLAPSED = range(11)

SIDE = 12


class Skip(Exception):
    """This machine can't run the test; the text says why."""


def write_idx(path, magic, shape, data):
    header = struct.pack(">I", magic) + b"".join(struct.pack(">I", n) for n in shape)
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "wb") as file:
        file.write(header + data)


def write_images(path, count, seed, labels=None):
    """Blobs whose place is their class, so that there is something to learn; four classes."""
    rng = random.Random(seed)
    pixels, classes = bytearray(), bytearray()
    for _ in range(count):
        label = rng.randrange(4)
        y0, x0 = 6 * (label // 2), 6 * (label % 2)
        image = [rng.randrange(40) for _ in range(SIDE * SIDE)]
        for y in range(y0 + 1, y0 + 5):
            for x in range(x0 + 1, x0 + 5):
                image[y * SIDE + x] = 150 + rng.randrange(100)
        pixels += bytes(image)
        classes.append(label)
    write_idx(path, 0x803, (count, SIDE, SIDE), bytes(pixels))
    if labels:
        write_idx(labels, 0x801, (count,), bytes(classes))


INI = """
[data]
train_images = {folder}/train-images.gz
train_labels = {folder}/train-labels.gz
test_images = {folder}/test-images
test_labels = {folder}/test-labels
[augmentation]
crop_scale = 0.6, 1
[encoder]
name = custom
block = basic
blocks = 1, 1
width = 8
[projector]
hidden = 16
output = 8
[optimizer]
warmup_epochs = 0
[training]
epochs = 2
batch = 16
log_every = 1
[evaluation]
linear_epochs = 5
knn_k = 20
[output]
folder = {folder}/run
"""


class Workplace:
    """A temporary folder with data and train.ini."""

    def __init__(self, images=480):
        self.folder = tempfile.mkdtemp(prefix="clcontrast-test-")
        write_images(self.path("train-images.gz"), images, 1, self.path("train-labels.gz"))
        write_images(self.path("test-images"), 100, 2, self.path("test-labels"))
        with open(self.path("train.ini"), "w", encoding="utf-8") as file:
            file.write(INI.format(folder=self.folder))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={**os.environ, "XDG_DATA_HOME": self.path("data"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, status=OK, timeout=900, **environment):
        process = self.start(*arguments, **environment)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode == status, (
            f"status {process.returncode}, expected {status}\n{arguments}\n{out}\n{err}"
        )
        return out, err

    def train(self, *arguments, **keywords):
        return self.run("train.ini", *arguments, **keywords)

    def refused(self, *arguments, status, says):
        """The program fails with one clear error that holds each of the words of `says`."""
        _, err = self.run(*arguments, status=status)
        last = err.strip().splitlines()[-1]
        assert last.startswith("clcontrast: "), err
        for word in says:
            assert word in last, f"'{word}' is not in: {last}"
        assert "runtime error" not in err and "Sanitizer" not in err, err


def wait_for_rows(path, rows, process):
    """Until the CSV has so many rows; false if the program ended before."""
    while process.poll() is None:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if len(file.readlines()) > rows:
                    return True
        time.sleep(0.005)
    return False


def wait_for(path, process):
    """Until the file is there; false if the program ended before."""
    while not os.path.exists(path):
        if process.poll() is not None:
            return False
        time.sleep(0.005)
    return True


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(tests):
    failed = False
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        name = test.__name__
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed = True
            print(f"not ok {number} - {name}", flush=True)
            traceback.print_exc()  # meson prints stderr of tests that fail
    sys.exit(1 if failed else 0)

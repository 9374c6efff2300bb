"""Training on a folder of pictures: the same wherever they are kept, and whatever else lies in it."""

import atexit
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import zlib

from program import FORMAT, INTERRUPTED, INVALID, IO, OK, PROGRAM, Workplace, main, read, wait_for_rows

COUNT, BATCH = 64, 16
SHORT = ["--set", "training.epochs=2", "--set", f"training.batch={BATCH}", "--set", "evaluation.baselines=false",
         "--set", "evaluation.linear_epochs=1", "--set", "evaluation.knn_k=5", "--set", "augmentation.size=12",
         "--set", "data.channels=3"]  # fmt: skip


# One cache for all tests, so that programs are compiled once.
CACHE = tempfile.mkdtemp(prefix="clcontrast-test-")
PACKS = os.path.join(CACHE, "clcontrast/packs")
# PoCL's kernels stay where other tests have compiled them: compilers leak, which a sanitizer would report.
OWN_CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
KERNELS = os.environ.get("POCL_CACHE_DIR") or os.path.join(OWN_CACHE, "pocl", "kcache")
CACHES = {"XDG_CACHE_HOME": CACHE, "POCL_CACHE_DIR": KERNELS}
atexit.register(shutil.rmtree, CACHE, True)


def packs():
    return sorted(os.listdir(PACKS)) if os.path.isdir(PACKS) else []


def png(height, width, rgb):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + rgb[3 * width * y : 3 * width * (y + 1)] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def ppm(height, width, rgb):
    return b"P6 %d %d 255\n" % (width, height) + rgb


def write_pictures(folder, count=COUNT):
    """PNG and PPM files of several sizes in two classes: bright pictures, and dark ones."""
    rng = random.Random(5)
    for i in range(count):
        height, width = 10 + rng.randrange(12), 10 + rng.randrange(12)
        name = ("bright", "dark")[i % 2]
        light = 170 if i % 2 == 0 else 0
        rgb = bytes(light + rng.randrange(80) for _ in range(3 * height * width))
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        make, ending = ((png, "png"), (ppm, "ppm"))[i // 2 % 2]
        with open(os.path.join(folder, name, f"{i:03}.{ending}"), "wb") as file:
            file.write(make(height, width, rgb))


class Pictures(Workplace):
    """A workplace whose train.ini names the folder `pictures`; there are no packs yet."""

    def __init__(self, count=COUNT):
        super().__init__(images=16)
        write_pictures(self.path("pictures"), count)
        with open(self.path("train.ini"), encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines() if not line.startswith(("train_", "test_"))]
        at = lines.index("[data]") + 1
        lines[at:at] = [f"train = {self.path('pictures')}", "test_fraction = 0.2"]
        with open(self.path("train.ini"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

        shutil.rmtree(PACKS, ignore_errors=True)

    def start(self, *arguments, **environment):
        return super().start(*arguments, **{**CACHES, **environment})

    def put(self, name, data):
        path = os.path.join(os.fsencode(self.path("pictures")), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def tensors(path):
    """Names to bytes, without metadata, which tells where the run was resumed."""
    data = read(path)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {name: data[8 + length :][slice(*entry["data_offsets"])] for name, entry in header.items()}


def result(w):
    """What training leaves: metrics without times, and the weights."""
    return read(w.path("run/metrics.csv")), tensors(w.path("run/encoder.safetensors"))


def where(residency):
    return ["--set", f"data.residency={residency}"]


def training_is_the_same_wherever_pictures_are():
    with Pictures() as w:
        w.train(*SHORT, *where("device"))
        want = result(w)
        assert len(want[0].splitlines()) == 1 + 4 and len(want[1]) > 5  # 47 pictures, two epochs
        for other in ([*where("host")], [*where("stream")], [*where("host"), "--set", "data.pack=false"],
                      [*where("stream"), "--set", "data.threads=5"]):  # fmt: skip
            w.train(*SHORT, *other, "--overwrite")
            assert result(w) == want, other
        assert len(packs()) == 2, packs()  # for training, for tests


def resuming_is_exact_wherever_pictures_are():
    long = [*SHORT, "--set", "training.epochs=60", "--set", "training.checkpoint_every=0"]
    with Pictures() as straight:
        straight.train(*long)
        want = result(straight)
    for residency, then in (("stream", "stream"), ("host", "device")):
        with Pictures() as w:
            # No leak report: a signal may meet LLVM while the evaluation's programs are compiled, which then keeps what
            # it has.
            process = w.start("train.ini", *long, *where(residency),
                              ASAN_OPTIONS="detect_leaks=0:use_sigaltstack=0:intercept_tls_get_addr=0")  # fmt: skip
            assert wait_for_rows(w.path("run/metrics.csv"), 5, process), process.communicate()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=600)
            assert process.returncode == INTERRUPTED, err
            w.train("--resume", *long, *where(then))
            got = result(w)
            assert got[0] == want[0] and got[1] == want[1], (residency, then)


def a_second_start_reads_no_picture():
    with Pictures() as w:
        w.train(*SHORT)
        want = result(w)
        # Other bytes under the same size and time: who reads them again gets another result.
        for folder, _, names in os.walk(w.path("pictures")):
            for name in names:
                path = os.path.join(folder, name)
                info = os.stat(path)
                with open(path, "wb") as file:
                    file.write(b"\0" * info.st_size)
                os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        w.train(*SHORT, "--overwrite")
        assert result(w) == want


def whatever_else_lies_in_the_folder():
    with Pictures() as w:
        good = read(w.path("pictures/dark/001.png"))
        w.put(b"dark/a name with spaces.png", good)
        w.put(b"dark/a\nnew line.png", good)
        w.put(b"bright/not \xff\xfe UTF-8.png", good)
        w.put(b"dark/.hidden.png", good)
        w.put(b"dark/notes.txt", b"no picture")
        w.put(b"dark/cut.png", good[:-40])
        w.put(b"bright/empty\ttab.png", b"")
        os.mkfifo(w.path("pictures/dark/pipe.png"))
        os.symlink("nowhere.png", w.path("pictures/dark/dangling.png"))
        for residency in ("device", "stream"):
            _, err = w.train(*SHORT, *where(residency), "--set", "data.test_fraction=0", "--overwrite")
            skipped = read(w.path("run/skipped.txt")).decode("utf-8", "replace")
            for name in ("cut.png\t", "empty\\ttab.png\t", "dangling.png\t"):
                assert name in skipped, skipped
            assert all(len(line.split("\t")) == 2 for line in skipped.splitlines()), skipped
            assert "passed over" in err, err
            if residency == "device":
                assert f"{COUNT + 3} images" in err and "3 bad files are left out" in err, err
                assert "3 images are copies of others" in err, err
        w.refused("train.ini", *SHORT, "--overwrite", "--set", "data.on_bad=stop",
                  status=FORMAT, says=["data.on_bad = skip"])  # fmt: skip
        w.refused("train.ini", *SHORT, "--overwrite", "--set", "data.bad_limit=0.001",
                  status=FORMAT, says=["data.bad_limit = 0.001"])  # fmt: skip


def what_cannot_be_read_is_left_out_of_an_evaluation():
    with Pictures() as w:
        good = read(w.path("pictures/dark/001.png"))
        for i in range(4):  # in the training set and, by their names, in the test set
            w.put(b"dark/cut%d.png" % i, good[:-40])
        out, err = w.train(*SHORT, *where("stream"))
        assert "encoder" in out and "linear" in out, out + err


def the_cache_is_listed_and_cleared():
    with Pictures() as w:
        w.train(*SHORT)
        out, _ = w.run("cache")
        lines = out.splitlines()
        assert lines[0].startswith(CACHE), out
        for pack in packs():
            assert sum(line.endswith(pack) and " MB  " in line for line in lines) == 1, out
        assert "packs of decoded pictures 2 files" in " ".join(out.split()) and "compiled programs" in out, out
        w.refused("cache", "clean", status=INVALID, says=["clean", "clear"])
        out, _ = w.run("cache", "clear")
        assert out.startswith("removed ") and packs() == [], out
        out, _ = w.run("cache")
        assert "in all 0 files" in " ".join(out.split()), out


def classes_are_named():
    with Pictures() as w:
        w.train(*SHORT)
        text = read(w.path("run/evaluation.txt")).decode()
        assert "bright" in text and "dark" in text, text
        assert read(w.path("run/class_names.txt")) == b"bright\ndark\n"
        w.train(*SHORT, "--overwrite", "--set", "data.labels=none")
        assert not os.path.exists(w.path("run/class_names.txt"))


def the_benchmark_says_what_pictures_cost():
    with Pictures() as w:
        out, _ = w.run("bench", "data", "train.ini", "--json", *SHORT)
        found = json.loads(out)
        assert sorted(d["decoder"] for d in found["decoders"]) == ["png", "pnm"], found
        assert sum(d["images"] for d in found["decoders"]) == found["images"], found
        assert found["decode_images_per_second"] > 0 and found["store_images_per_second"] > 0, found
        out, _ = w.run("bench", "data", "train.ini", *SHORT)
        assert "decode and scale: " in out and "store them, too: " in out, out


def limited(bytes_):
    """Files of at most so many bytes: writing more fails, as on a full disk."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return limit


def a_full_disk_is_one_clear_error():
    with Pictures() as w:
        w.train(*SHORT, "--dry-run")  # kernels come from the cache
        shutil.rmtree(PACKS)
        for room in (5000, 20000):
            process = subprocess.run(
                [PROGRAM, "train.ini", *SHORT, "--dry-run"], cwd=w.folder, capture_output=True, text=True,
                env={**os.environ, **CACHES}, preexec_fn=limited(room),
                restore_signals=False, timeout=600, check=False)  # fmt: skip
            last = process.stderr.strip().splitlines()[-1]
            assert process.returncode == IO and "data.pack = false" in last, (process.returncode, last)
            assert packs() == [], packs()


def without_a_cache_pictures_are_kept_in_memory():
    with Pictures() as w:
        w.train(*SHORT)
        want = result(w)
        file = w.path("file")
        with open(file, "wb"):
            pass
        for environment in ({"XDG_CACHE_HOME": file}, {"XDG_CACHE_HOME": "", "HOME": ""}):
            _, err = w.train(*SHORT, "--overwrite", **environment)
            assert "warning: there is no folder for decoded pictures" in err, err
            assert result(w) == want
        shutil.rmtree(PACKS)
        with open(PACKS, "wb"):
            pass
        _, err = w.train(*SHORT, "--overwrite")
        os.unlink(PACKS)
        assert "warning: there is no folder for decoded pictures" in err, err


def two_starts_at_once_make_the_same_pack():
    with Pictures(count=400) as w:
        both = [w.start("train.ini", *SHORT, "--dry-run") for _ in range(3)]
        for process in both:
            _, err = process.communicate(timeout=600)
            assert process.returncode == OK, err
        assert len(packs()) == 2 and all(name.endswith(".pack") for name in packs()), packs()


if __name__ == "__main__":
    main(
        [
            training_is_the_same_wherever_pictures_are,
            resuming_is_exact_wherever_pictures_are,
            a_second_start_reads_no_picture,
            whatever_else_lies_in_the_folder,
            classes_are_named,
            the_benchmark_says_what_pictures_cost,
            a_full_disk_is_one_clear_error,
            without_a_cache_pictures_are_kept_in_memory,
            two_starts_at_once_make_the_same_pack,
            what_cannot_be_read_is_left_out_of_an_evaluation,
            the_cache_is_listed_and_cleared,
        ]
    )

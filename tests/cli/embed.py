"""Encoders that stand alone: `embed` needs one file, and a picture's features are its own affair."""

import io
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib

from program import FORMAT, INTERRUPTED, INVALID, IO, PROGRAM, Workplace, main, read


def ppm(height, width, seed, grey=False):
    rng = random.Random(seed)
    kind, channels = (b"P5", 1) if grey else (b"P6", 3)
    return kind + b"\n%d %d\n255\n" % (width, height) + rng.randbytes(height * width * channels)


def png(height, width, seed):
    """Eight bits of colour, filter 0."""
    pixels = random.Random(seed).randbytes(height * width * 3)
    rows = b"".join(b"\0" + pixels[3 * width * y : 3 * width * (y + 1)] for y in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def rows(path):
    """The bytes of each row of a matrix."""
    data = read(path)
    length = 10 + struct.unpack("<H", data[8:10])[0]
    header = data[10:length].decode()
    shape = [int(n) for n in header.split("'shape': (")[1].split(")")[0].split(",") if n.strip()]
    body = data[length:]
    size = len(body) // shape[0] if shape[0] else 0
    assert len(body) == shape[0] * size and size, header
    return [body[size * i : size * (i + 1)] for i in range(shape[0])]


def lines(path):
    return read(path).decode().splitlines()


TRAINED = {}  # grey or not: the bytes of an encoder file


WORDS = ("format", "config")  # without the checksum


def without_statistics(encoder):
    """As versions wrote it that measured mean and deviation of what was embedded."""
    length = struct.unpack("<Q", encoder[:8])[0]
    header = json.loads(encoder[8 : 8 + length])
    header["__metadata__"] = {k: v for k, v in header["__metadata__"].items() if k in WORDS}
    config = header["__metadata__"]["config"].splitlines(keepends=True)
    kept = [line for line in config if not line.startswith(("mean = ", "std = "))]
    assert len(kept) == len(config) - 2
    header["__metadata__"]["config"] = "".join(kept)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + encoder[8 + length :]


class Encoder(Workplace):
    """The encoder of a run on pictures of several sizes; the run and its pictures are gone."""

    def __init__(self, grey=False):
        super().__init__(images=32)
        if grey not in TRAINED:
            self.train_encoder(grey)
            TRAINED[grey] = read(self.path("run/encoder.safetensors"))
            for folder in ("run", "pictures"):
                shutil.rmtree(self.path(folder))
        write(self.path("moved.safetensors"), TRAINED[grey])

    def train_encoder(self, grey):
        rng = random.Random(5)
        for i in range(24):
            name = self.path(f"pictures/{'long' if i % 2 else 'short'}/{i:02}.ppm")
            write(name, ppm(rng.randrange(9, 40), rng.randrange(9, 40), i, grey))
        self.run(
            "train.ini",
            *("--set", "data.train_images=", "--set", "data.train_labels="),
            *("--set", "data.test_images=", "--set", "data.test_labels="),
            *("--set", "data.train=" + self.path("pictures"), "--set", "augmentation.size=12"),
            *("--set", "training.batch=8", "--set", "training.epochs=1"),
            *("--set", "augmentation.jitter=0"),
            *("--set", "augmentation.grey=0", "--set", "evaluation.batch=16"),
        )

    def embed(self, *arguments, output="out", **keywords):
        return self.run("embed", "moved.safetensors", *arguments, "--output", output, **keywords)

    def features(self, *arguments, output="out"):
        """Name to features."""
        self.embed(*arguments, output=output)
        names = lines(self.path(output + "/names.txt"))
        values = rows(self.path(output + "/features.npy"))
        assert len(names) == len(values)
        assert all(any(row) for row in values)
        return dict(zip(names, values))


def a_picture_s_features_are_its_own():
    """Alone or among others, in any order, of any batch, by any number of threads: the same bits."""
    with Encoder() as place:
        sizes = [(5, 7), (12, 12), (18, 18), (19, 50), (64, 40), (90, 33), (1, 1), (30, 200)]
        names = [f"more/{i}.{'png' if i % 2 else 'ppm'}" for i in range(len(sizes))]
        for i, (height, width) in enumerate(sizes):
            write(place.path(names[i]), (png if i % 2 else ppm)(height, width, 100 + i))
        together = place.features(*names)
        assert list(together) == names, together.keys()
        assert len(set(together.values())) == len(names)
        for name in names:
            assert place.features(name) == {name: together[name]}, name
        for arguments in (
            names[::-1],
            [*names, "--set", "evaluation.batch=1"],
            [*names, "--set", "evaluation.batch=3", "--set", "data.threads=5"],
            [*names, "--set", "training.batch=2", "--set", "data.limit=2"],
        ):
            assert place.features(*arguments) == together, arguments


def takes_folders_lists_archives_and_standard_input():
    with Encoder() as place:
        for i in range(4):
            write(place.path(f"set/{'ab'[i % 2]}/{i}.ppm"), ppm(20, 30, i))
        write(place.path("list.csv"), b"path,class\nset/b/3.ppm,b\nset/a/0.ppm,\n")
        with tarfile.open(place.path("all.tar"), "w") as archive:
            for i in (2, 1):
                entry = tarfile.TarInfo(f"{'ab'[i % 2]}/{i}.ppm")
                data = ppm(20, 30, i)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        of_folder = place.features("set")
        assert len(of_folder) == 4
        assert lines(place.path("out/classes.txt")) == ["a", "b"]
        labels = [struct.unpack("<q", row)[0] for row in rows(place.path("out/labels.npy"))]
        assert labels == [" b".index(name[4]) if name[4] == "b" else 0 for name in of_folder]
        of_list = place.features("list.csv")
        assert of_list == {n: of_folder[n] for n in ("set/b/3.ppm", "set/a/0.ppm")}
        labels = [struct.unpack("<q", row)[0] for row in rows(place.path("out/labels.npy"))]
        assert labels == [0, -1] and lines(place.path("out/classes.txt")) == ["b"]
        of_archive = place.features("all.tar")
        assert list(of_archive.values()) == [of_folder["set/a/2.ppm"], of_folder["set/b/1.ppm"]]
        for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            with zipfile.ZipFile(place.path("all.zip"), "w", kind) as archive:
                for i in (2, 1):
                    archive.writestr(f"{'ab'[i % 2]}/{i}.ppm", ppm(20, 30, i))
            assert list(place.features("all.zip").values()) == list(of_archive.values()), kind
        subprocess.run(
            [PROGRAM, "embed", "moved.safetensors", "-", "--output", "stdin"],
            cwd=place.folder, input=b"set/b/3.ppm\nset/a/0.ppm\n", check=True, capture_output=True,
            timeout=600,
        )
        assert rows(place.path("stdin/features.npy")) == list(of_list.values())
        place.embed("set/a/2.ppm", "set/b", "list.csv")
        names = lines(place.path("out/names.txt"))
        assert names == ["set/a/2.ppm", "set/b/1.ppm", "set/b/3.ppm", *of_list], names
        assert rows(place.path("out/features.npy")) == [of_folder[name] for name in names]


def bad_files_are_listed_and_the_others_embedded():
    with Encoder() as place:
        write(place.path("good.ppm"), ppm(9, 9, 1))
        write(place.path("cut.png"), png(9, 9, 1)[:60])
        write(place.path("text.jpg"), b"no picture")
        arguments = ("cut.png", "absent.png", "good.ppm", "text.jpg")
        assert list(place.features(*arguments)) == ["good.ppm"]
        skipped = sorted(line.split("\t")[0] for line in lines(place.path("out/skipped.txt")))
        assert skipped == sorted(set(arguments) - {"good.ppm"}), skipped
        place.embed("good.ppm")
        assert not os.path.exists(place.path("out/skipped.txt"))
        for given in (["cut.png", "text.jpg"], ["absent.png"]):
            _, err = place.embed(*given, status=FORMAT if len(given) == 2 else IO, output="none")
            assert given[0] in err.strip().splitlines()[-1], err
            assert not os.path.exists(place.path("none/features.npy"))
        _, err = place.embed("cut.png", "good.ppm", "--set", "data.on_bad=stop", status=FORMAT)
        assert "cut.png" in err.strip().splitlines()[-1]


def channels_are_brought_to_the_encoder_s():
    """A grey picture and the same in colour give the same."""
    for grey in (False, True):
        with Encoder(grey=grey) as place:
            one = ppm(14, 20, 3, grey=True)
            pixels = one.split(b"255\n", 1)[1]
            write(place.path("grey.pgm"), one)
            tripled = bytes(p for p in pixels for _ in "rgb")
            write(place.path("colour.ppm"), b"P6\n20 14\n255\n" + tripled)
            features = place.features("grey.pgm", "colour.ppm")
            assert features["grey.pgm"] == features["colour.ppm"]


def eval_and_embed_see_the_same():
    """The run's own data go through the cache, by threads of another number and another batch."""
    with Workplace(images=64) as place:
        for i in range(24):
            write(place.path(f"set/{'ab'[i % 2]}/{i:02}.ppm"), ppm(20 + i, 50 - i, i))
        place.run(
            "train.ini",
            *("--set", "data.train_images=", "--set", "data.train_labels="),
            *("--set", "data.test_images=", "--set", "data.test_labels="),
            *("--set", "data.train=set", "--set", "augmentation.size=12"),
            *("--set", "training.batch=8", "--set", "training.epochs=1"),
        )
        place.run("embed", "run", "--output", "own")
        place.run("embed", "run/encoder.safetensors", "set", "--output", "out")
        for name in ("features", "labels"):
            assert read(place.path(f"own/train_{name}.npy")) == read(place.path(f"out/{name}.npy"))
        write(place.path("other/x/1.ppm"), ppm(300, 20, 77))
        write(place.path("other/b/2.ppm"), ppm(20, 30, 78))
        place.run(
            *("eval", "run/encoder.safetensors", "--output", "table"),
            *("--set", "data.test=other", "--set", "evaluation.baselines=false"),
        )
        with open(place.path("table/evaluation.json"), encoding="utf-8") as file:
            row = json.load(file)[0]
        assert row["classes"] == ["a", "b", "x"], row["classes"]
        assert [sum(c) for c in row["linear"]["confusion"]] == [0, 1, 1]
        assert "2 x" in read(place.path("table/evaluation.txt")).decode()


def pictures_larger_than_those_of_training_come_to_their_size():
    """Where training scales nothing down, what it was trained on decides, in eval as in embed."""
    with Workplace(images=64) as place:
        place.train("--set", "training.epochs=1", "--set", "evaluation.baselines=false")
        write(place.path("big/0/1.pgm"), ppm(90, 120, 1, grey=True))
        write(place.path("big/1/2.pgm"), ppm(12, 12, 2, grey=True))
        place.run("embed", "run/encoder.safetensors", "big", "--output", "out")
        place.run(
            *("embed", "run", "--output", "own", "--set", "data.test_images="),
            *("--set", "data.test_labels=", "--set", "data.test=big"),
        )
        assert read(place.path("own/test_features.npy")) == read(place.path("out/features.npy"))


def training_s_lists_have_no_say():
    """Columns that only training's list has; --set names those of a list to be embedded."""
    with Workplace(images=64) as place:
        table = b"where,what,fold\n"
        for i in range(16):
            write(place.path(f"{i:02}.ppm"), ppm(20, 20, i))
            table += b"%02d.ppm,%d,%s\n" % (i, i % 2, b"test" if i % 5 == 4 else b"train")
        write(place.path("train.csv"), table)
        write(place.path("plain.txt"), b"03.ppm\n01.ppm\n")
        columns = [f"data.{c}" for c in ("path_column=where", "label_column=what")]
        columns = [word for column in columns for word in ("--set", column)]
        place.run(
            "train.ini",
            *("--set", "data.train_images=", "--set", "data.train_labels="),
            *("--set", "data.test_images=", "--set", "data.test_labels="),
            *("--set", "data.train=train.csv", *columns, "--set", "data.split_column=fold"),
            *("--set", "augmentation.size=12", "--set", "training.batch=8"),
            *("--set", "training.epochs=1", "--set", "evaluation.baselines=false"),
        )
        weights = "run/encoder.safetensors"
        place.run("embed", weights, "plain.txt", "--output", "out")
        assert lines(place.path("out/names.txt")) == ["03.ppm", "01.ppm"]
        first = rows(place.path("out/features.npy"))
        place.run("embed", weights, "train.csv", "--output", "out", *columns)
        assert len(lines(place.path("out/names.txt"))) == 16
        assert lines(place.path("out/classes.txt")) == ["0", "1"]
        again = rows(place.path("out/features.npy"))
        assert first == [again[3], again[1]]
        one = ("--set", "augmentation.mean=0.1,0.2,0.3")  # valid beside the encoder's own std
        place.run("embed", weights, "plain.txt", "--output", "out", *one)
        assert rows(place.path("out/features.npy")) != first


def refuses_what_it_cannot_do():
    with Encoder() as place:
        write(place.path("good.ppm"), ppm(9, 9, 1))
        write(place.path("file"), b"")
        place.refused(
            *("embed", "moved.safetensors", "good.ppm", "--output", "file/out"),
            status=IO,
            says=["make the folder file"],
        )
        place.refused("embed", "absent.safe", "good.ppm", status=IO, says=["absent.safe"])
        place.refused("embed", "good.ppm", "good.ppm", status=FORMAT, says=["good.ppm"])
        encoder = read(place.path("moved.safetensors"))
        write(place.path("old.safetensors"), without_statistics(encoder))
        place.refused(
            *("embed", "old.safetensors", "good.ppm"),
            status=FORMAT,
            says=["augmentation.mean", "old.safetensors"],
        )
        place.refused(
            *("embed", "moved.safetensors", "good.ppm", "--set", "encoder.width=16"),
            status=FORMAT,
            says=["moved.safetensors", "another shape"],
        )
        place.refused(
            *("embed", "moved.safetensors", "good.ppm", "--set", "nonsense=1"),
            status=INVALID,
            says=["nonsense"],
        )


def an_interrupt_leaves_no_part():
    with Encoder() as place:
        write(place.path("one.ppm"), ppm(400, 400, 1))
        write(place.path("list.txt"), b"one.ppm\n" * 20000)
        process = place.start(
            *("embed", "moved.safetensors", "list.txt", "--output", "out"),
            *("--set", "evaluation.batch=4"),
        )
        while process.poll() is None and not (
            os.path.exists(place.path("out")) and os.listdir(place.path("out"))
        ):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
        assert process.returncode == INTERRUPTED, (process.returncode, err)
        assert "interrupted" in err.strip().splitlines()[-1]
        assert os.listdir(place.path("out")) == []


main(
    [
        a_picture_s_features_are_its_own,
        takes_folders_lists_archives_and_standard_input,
        bad_files_are_listed_and_the_others_embedded,
        channels_are_brought_to_the_encoder_s,
        eval_and_embed_see_the_same,
        pictures_larger_than_those_of_training_come_to_their_size,
        training_s_lists_have_no_say,
        refuses_what_it_cannot_do,
        an_interrupt_leaves_no_part,
    ]
)

"""A first train.ini for data at hand: what was found stands in it, and it trains as it is."""

import os
import random
import struct

from program import FORMAT, INVALID, IO, Workplace, main

PLACE = Workplace(images=16)


def write(path, data):
    os.makedirs(os.path.dirname(PLACE.path(path)), exist_ok=True)
    with open(PLACE.path(path), "wb") as file:
        file.write(data)


def pgm(rng, light, side=12):
    return b"P5 %d %d 255\n" % (side, side) + bytes(light + rng.randrange(80) for _ in range(side * side))


def write_pictures(folder, count):
    rng = random.Random(3)
    for i in range(count):
        write(f"{folder}/{'bright' if i % 2 else 'dark'}/{i:02}.pgm", pgm(rng, 170 * (i % 2)))


def new(*arguments, ini="new.ini", **keywords):
    """The text of the file and what was said beside."""
    out, err = PLACE.run("new", *arguments, **keywords)
    write(ini, out.encode())
    return out, err


def keys(text):
    section, found = "", {}
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif " = " in line and not line.startswith(";"):
            key, value = line.split(" = ", 1)
            found[f"{section}.{key}"] = value
    return found


def pictures_are_looked_at_and_the_file_trains_as_it_is():
    write_pictures("my pictures", 48)
    write("my pictures/bright/copy.pgm", pgm(random.Random(3), 0))
    write("my pictures/dark/page.png", b"<html>not found</html>")
    out, err = new("my pictures", "--set", "training.epochs=2", "--set", "evaluation.linear_epochs=2")
    for said in ("49 pictures, shorter sides of 12 to 12 pixels (median 12), up to 1 channels, 49 of them grey",
                 "2 classes", "1 files are no pictures by their headers; the first: page.png: not a picture (html)",
                 "1 files are copies of others", "device ", " ms a step"):  # fmt: skip
        assert said in err and said in out, said
    found = keys(out)
    assert found["data.train"] == os.path.realpath(PLACE.path("my pictures"))
    assert found["data.test_fraction"] == "0.2" and found["augmentation.size"] == "12"
    assert found["training.batch"] == "8" and found["output.folder"] == "runs/my-pictures"
    out = PLACE.run("new.ini")[0]
    assert "raw pixels" in out and "kNN" in out, out
    assert os.path.exists(PLACE.path("runs/my-pictures/encoder.safetensors"))


def folders_of_a_picture_or_two_are_no_classes():
    for i in range(12):
        write(f"albums/{i}/a.pgm", pgm(random.Random(i), 50, 20 + i))
    found = keys(new("albums", "--set", "training.epochs=3")[0])
    assert found["data.labels"] == "none" and "data.test_fraction" not in found
    assert found["training.epochs"] == "3" and found["augmentation.size"] == "24", found


def many_files_that_are_no_pictures_are_allowed_for():
    for i in range(24):
        write(f"mixed/{i}.pgm", pgm(random.Random(i), 50))
        write(f"mixed/{i}.svg", b"<svg/>")
    out, err = new("mixed", "--set", "training.epochs=1", ini="mixed.ini")
    assert keys(out)["data.bad_limit"] == "0.6" and "24 of 48 files are no pictures and are skipped" in out, out
    PLACE.run("mixed.ini", "--set", "output.folder=mixed-run")


def texts_series_and_pairs_get_settings_of_their_own():
    rng = random.Random(7)
    words = [f"word{i}" for i in range(40)]
    write("texts.csv", ("text\n" + "".join(" ".join(rng.sample(words, 5)) + "\n" for _ in range(40))).encode())
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (40, 9), }"
    header += b" " * (117 - len(header)) + b"\n"
    values = struct.pack("<360f", *(rng.random() for _ in range(360)))
    write("series.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values)
    for i in range(40):
        write(f"pairs/{i}.pgm", pgm(rng, 170 * (i % 2)))
        write(f"pairs/{i}.txt", f"a {'bright' if i % 2 else 'dark'} {rng.choice(words)}\n".encode())
    for data, kind, method in (("texts.csv", "tokens", "simcse"), ("series.npy", "series", "simclr"),
                               ("pairs", "pairs", "clip")):  # fmt: skip
        out, err = new(data, ini=data + ".ini")
        assert keys(out)["data.as"] == kind and keys(out)["method.name"] == method, out
        assert " ms a step" in err
        PLACE.run(data + ".ini", "--dry-run")


def what_is_of_no_use_is_refused():
    write_pictures("few", 5)
    PLACE.refused("new", "few", status=INVALID, says=["5", "8"])
    write("broken/a.png", b"<html>")
    PLACE.refused("new", "broken", status=FORMAT, says=["none", "a.png"])
    PLACE.refused("new", "absent", status=IO, says=["absent"])
    PLACE.refused("new", "few", "--set", "training.batch=x", status=INVALID, says=["training.batch"])


with PLACE:
    main([pictures_are_looked_at_and_the_file_trains_as_it_is, folders_of_a_picture_or_two_are_no_classes,
          many_files_that_are_no_pictures_are_allowed_for, texts_series_and_pairs_get_settings_of_their_own,
          what_is_of_no_use_is_refused])

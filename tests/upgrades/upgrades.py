"""What an earlier version wrote is still of use, or it is said what to do: the run of version 0.1 beside this file, two
epochs of 64 pictures, of which the checkpoint after the first is kept.

    upgrades.py PROGRAM
"""

import gzip
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
from program import FORMAT, INVALID, Workplace, main, read, write_images  # noqa: E402  pylint: disable=wrong-import-position

PLACE = Workplace(images=64)
write_images(PLACE.path("test-images"), 40, 2, PLACE.path("test-labels"))

# What 0.1 measured of the training pictures each time that it needed it, and didn't store.
SETTINGS = ["--set", "augmentation.size=12", "--set", "data.channels=1"]


def old_run(name):
    shutil.copytree(os.path.join(HERE, "run-0.1"), PLACE.path(name))
    return name


def pixels(path):
    data = read(PLACE.path(path))
    return (gzip.decompress(data) if path.endswith(".gz") else data)[16:]


def measured():
    values = [value / 255 for value in pixels("train-images.gz")]
    mean = sum(values) / len(values)
    deviation = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
    return [*SETTINGS, "--set", f"augmentation.mean={mean}", "--set", f"augmentation.std={deviation}"]


def rows(path):
    data = memoryview(read(path))
    return data[10 + int.from_bytes(data[8:10], "little"):].cast("f").tolist()


def the_encoder_says_what_it_lacks():
    run = old_run("lacking")
    for command in (["embed", run], ["eval", run], ["export", run, "out.onnx"], ["index", run, "test-images"]):
        PLACE.refused(*command, status=FORMAT, says=["augmentation.size, augmentation.mean, augmentation.std, data.channels",
                                                     "before 0.2", "--set augmentation.size=", "--resume"])  # fmt: skip


def with_that_the_features_are_what_they_were():
    run = old_run("features")
    PLACE.run("embed", run + "/encoder.safetensors", "test-images", "--output", "now", *measured())
    was, now = rows(os.path.join(HERE, "features-0.1.npy")), rows(PLACE.path("now/features.npy"))
    assert len(was) == len(now) == 40 * 16
    worst = max(abs(a - b) for a, b in zip(was, now)) / max(abs(a) for a in was)
    assert worst < 1e-4, worst


def it_is_evaluated_searched_and_exported_with_them():
    run, given = old_run("used"), measured()
    out, _ = PLACE.run("eval", run, "--tasks", "knn", *given)
    assert "encoder" in out and "raw pixels" in out, out
    PLACE.run("export", run, "old.onnx", *given)
    PLACE.run("export", run, "--as", "torchvision")
    PLACE.run("index", run, "test-images", "--output", "old.index", *given)
    PLACE.run("report", run)


def training_goes_on_and_then_all_is_stored():
    run = old_run("run-0.1")
    _, err = PLACE.run(run + "/config.ini", "--resume")
    assert "resumed from run-0.1/checkpoint-00000004.safetensors: 4 steps done" in err, err
    assert os.path.exists(PLACE.path(run + "/checkpoint-00000008.safetensors"))
    PLACE.run("embed", run, "--output", "stored")
    PLACE.run("eval", run, "--tasks", "knn")


def changed(path, to, version, line):
    """A copy of an encoder file that says another version and has one more line in its configuration."""
    data = read(PLACE.path(path))
    length = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:length])
    del header["__metadata__"]["xxh3"]  # of the contents
    header["__metadata__"]["version"] = version
    header["__metadata__"]["config"] = header["__metadata__"]["config"].replace("[data]\n", "[data]\n" + line, 1)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(PLACE.path(to), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data[length:])


def a_file_of_a_later_version_is_called_that():
    changed("run-0.1/encoder.safetensors", "later.safetensors", "9.1.0", "of_tomorrow = 1\n")
    PLACE.refused("embed", "later.safetensors", "test-images", status=INVALID, says=["version 9.1.0", "of_tomorrow"])
    changed("run-0.1/encoder.safetensors", "same.safetensors", "9.1.0", "")
    PLACE.run("embed", "same.safetensors", "test-images", "--output", "same")


with PLACE:
    main([the_encoder_says_what_it_lacks, with_that_the_features_are_what_they_were,
          it_is_evaluated_searched_and_exported_with_them, training_goes_on_and_then_all_is_stored,
          a_file_of_a_later_version_is_called_that])

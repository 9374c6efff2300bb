"""Segmentation and detection on feature maps, from files to tables, and export for detectron2."""

import json
import os
import random
import struct
import zlib

from program import FORMAT, INVALID, MEMORY, Workplace, main, read

SIDE, NAMES = 32, ("bright", "grey")
QUICK = ["--set", "training.epochs=1", "--set", "training.batch=8", "--set", "augmentation.size=16",
         "--set", "encoder.stem=small", "--set", "encoder.width=8"]
# Squares are told apart by how bright they are: even an encoder that has hardly learned sees that.
DENSE = ["--set", "dense.size=32", "--set", "dense.stages=1,2", "--set", "dense.epochs=40", "--set", "dense.width=16",
         "--set", "dense.learning_rate=0.01", "--set", "evaluation.baselines=false"]


def png(path, rows, colour=0, palette=None):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = len(rows), len(rows[0])
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    if palette:
        data += chunk(b"PLTE", palette)
    data += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))) + chunk(b"IEND", b"")
    with open(path, "wb") as file:
        file.write(data)


def scene(rng):
    """Pixels, mask and boxes of a dark picture with a bright and a grey square side by side."""
    pixels = [[rng.randrange(30) for _ in range(SIDE)] for _ in range(SIDE)]
    mask, boxes = [[0] * SIDE for _ in range(SIDE)], []
    sides = [0, 1]
    rng.shuffle(sides)
    for label, half in enumerate(sides):
        size = rng.randrange(7, 13)
        x, y = 16 * half + rng.randrange(16 - size), rng.randrange(SIDE - size)
        for i in range(size):
            for j in range(size):
                pixels[y + i][x + j] = (230 if label == 0 else 110) + rng.randrange(20)
                mask[y + i][x + j] = label + 1
        boxes.append((label, [x, y, size, size]))
    return pixels, mask, boxes


def voc(boxes):
    text = "<annotation><size><width>32</width><height>32</height></size>"
    for label, (x, y, w, h) in boxes:
        text += (f"<object><name>{NAMES[label]}</name><difficult>0</difficult><part><name>corner</name></part><bndbox>"
                 f"<xmax>{x + w}</xmax><ymax>{y + h}</ymax><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin></bndbox></object>")
    return text + "</annotation>"


def write_part(w, part, count):
    rng = random.Random(part)
    palette = bytes(rng.randrange(256) for _ in range(768))
    document = {"images": [], "annotations": [], "categories": [{"id": 9, "name": "grey"}, {"id": 4, "name": "bright"}]}
    for folder in ("images", "masks", "xml"):
        os.makedirs(w.path(f"{part}/{folder}"))
    for i in range(count):
        pixels, mask, boxes = scene(rng)
        png(w.path(f"{part}/images/{i}.png"), pixels)
        if i == 0:
            continue  # about this one nothing is known
        png(w.path(f"{part}/masks/{i}.png"), mask, 3, palette)
        document["images"].append({"id": 100 + i, "file_name": f"folder/{i}.jpg"})
        for label, box in boxes:
            document["annotations"].append({"image_id": 100 + i, "category_id": (4, 9)[label], "bbox": box, "iscrowd": 0})
        with open(w.path(f"{part}/xml/{i}.xml"), "w", encoding="utf-8") as file:
            file.write(voc(boxes))
    for nothing in ([40, 3, 5, 5], [3, 3, 0, 7]):
        document["annotations"].append({"image_id": 101, "category_id": 4, "bbox": nothing})
    with open(w.path(part + ".json"), "w", encoding="utf-8") as file:
        json.dump(document, file)


class Run:
    """Scenes and an encoder that the tests share."""

    workplace = None

    @classmethod
    def get(cls):
        if not cls.workplace:
            w = cls.workplace = Workplace(images=16)
            write_part(w, "train", 33)
            write_part(w, "test", 13)
            text = read(w.path("train.ini")).decode()
            lines = [line for line in text.splitlines() if not line.startswith(("train_", "test_"))]
            lines.insert(lines.index("[data]") + 1, "train = train/images")
            with open(w.path("train.ini"), "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
            w.train(*QUICK)
        return cls.workplace


def settings(kind, train=None, test=None, names=("masks", "boxes")):
    ending = {"masks": "/masks", "boxes": ".json", "voc": "/xml"}[kind]
    key = names[kind != "masks"]
    return ["--set", "data.test=test/images", "--set", f"data.train_{key}={train or 'train' + ending}",
            "--set", f"data.test_{key}={test or 'test' + ending}"]


def row_of(w, folder):
    return json.loads(read(w.path(folder + "/evaluation.json")))[-1]


def pixels_are_told_apart():
    w = Run.get()
    for head in ("linear", "conv"):
        out, _ = w.run("eval", "run", "--output", head, *DENSE, *settings("masks"), "--set", f"dense.head={head}")
        found = row_of(w, head)["segmentation"]
        assert found["scenes"] == 12 and found["classes"] == 3, found
        assert found["miou"] > 0.6 and found["pixel_accuracy"] > 0.9, found
        assert abs(sum(found["iou"]) / 3 - found["miou"]) < 1e-9 and "mIoU" in out


def objects_are_found():
    w = Run.get()
    w.run("eval", "run", "--output", "coco", *DENSE, *settings("boxes"))
    found = row_of(w, "coco")["detection"]
    assert found["scenes"] == 12 and found["objects"] == 24, found
    assert found["ap50"] > 0.6 and found["ap"] > 0.2, found
    w.run("eval", "run", "--output", "voc", *DENSE, *settings("voc"))
    assert row_of(w, "voc")["detection"] == found, (row_of(w, "voc"), found)


def both_are_trained_together():
    w = Run.get()
    w.run("eval", "run", "--output", "tuned", *DENSE, *settings("masks"), "--set", "dense.finetune_epochs=10",
          "--set", "dense.epochs=10")
    w.run("eval", "run", "--output", "frozen", *DENSE, *settings("masks"), "--set", "dense.epochs=10")
    tuned, frozen = (row_of(w, folder)["segmentation"]["miou"] for folder in ("tuned", "frozen"))
    assert tuned > frozen, (tuned, frozen)


def a_vision_transformer_has_a_map_at_any_size():
    w = Run.get()
    w.train(*QUICK, "--overwrite", "--set", "encoder.name=vit", "--set", "encoder.blocks=", "--set", "encoder.block=auto",
            "--set", "encoder.patch=4", "--set", "encoder.depth=1",
            "--set", "encoder.width=16", "--set", "output.folder=vit")
    for head in ("linear", "conv"):
        w.run("eval", "vit", "--output", "vit", *DENSE, *settings("masks"), "--set", f"dense.head={head}")
        assert row_of(w, "vit")["segmentation"]["miou"] > 0.4, row_of(w, "vit")
    w.run("eval", "vit", "--output", "vit", *DENSE, *settings("masks"), "--set", "dense.finetune_epochs=1", "--set", "dense.epochs=1")
    out, _ = w.run("eval", "vit", "--output", "vit", *DENSE, *settings("masks"), "--set", "dense.size=30", status=INVALID)
    assert "patches of 4" in out, out


def maps_from_the_cache_are_the_same():
    w = Run.get()
    found = []
    for gigabytes in ("0", "1"):
        w.run("eval", "run", "--output", "cache", *DENSE, *settings("masks"), "--set", "dense.epochs=3",
              "--set", f"dense.cache={gigabytes}")
        found.append(row_of(w, "cache")["segmentation"])
    assert found[0] == found[1], found


def what_is_wrong_is_said():
    w = Run.get()
    os.makedirs(w.path("bad"))
    png(w.path("bad/3.png"), [[0] * 5] * 4)
    with open(w.path("bad.json"), "w", encoding="utf-8") as file:
        file.write('{"images": [], "categories": []}')
    with open(w.path("bad/3.xml"), "w", encoding="utf-8") as file:
        file.write("<annotation><object><name>x</name></object></annotation>")
    for kind, path, status, says in (
        ("masks", "bad", FORMAT, ["3.png", "5 x 4", "32 x 32"]),
        ("masks", "train", INVALID, ["data.train_masks", "names"]),
        ("boxes", "bad.json", FORMAT, ["bad.json", "annotations"]),
        ("boxes", "train.ini", FORMAT, ["train.ini:", "JSON"]),
        ("voc", "bad", FORMAT, ["bad/3.xml", "line 1", "bndbox"]),
        ("voc", "train", FORMAT, [".xml"]),
    ):
        w.refused("eval", "run", "--output", "bad", *DENSE, *settings(kind, train=path), status=status, says=says)
    _, said = w.run("eval", "run", "--output", "bad", *DENSE, *settings("masks"), "--set", "dense.size=1024", "--set", "dense.batch=32",
                    status=MEMORY, POCL_MEMORY_LIMIT="1")
    assert "heads on feature maps need" in said and "lower dense.batch" in said, said
    out, _ = w.run("eval", "run", "--tasks", "segmentation,detection", "--output", "half", *DENSE, "--set", "dense.epochs=1",
                   *settings("masks"))
    assert "detection was skipped" in out and "mIoU" in out, out
    w.run("eval", "run", "--output", "half", *DENSE, "--set", "dense.epochs=1", "--set", "evaluation.baselines=true",
          *settings("masks"))
    rows = json.loads(read(w.path("half/evaluation.json")))
    assert [row["features"] for row in rows if "segmentation" in row] == ["untrained encoder", "encoder"], rows
    w.refused("eval", "run", "--output", "bad", *DENSE, *settings("masks"), "--set", "dense.stages=2,3",
              status=INVALID, says=["dense.stages", "has 2"])


def names_of(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name for name in header if name != "__metadata__"}


def weights_go_by_the_names_of_detectron2():
    w = Run.get()
    w.refused("export", "run", "--as", "detectron2", status=INVALID, says=["stem = large"])
    w.refused("export", "run", "--as", "detectron", status=INVALID, says=["--as detectron", "detectron2"])
    w.train(*QUICK, "--overwrite", "--set", "encoder.stem=large", "--set", "output.folder=large")
    out, _ = w.run("export", "large", "--as", "detectron2")
    assert out.strip() == "large/encoder-detectron2.safetensors", out
    names = names_of(w.path(out.strip()))
    norm = ("weight", "bias", "running_mean", "running_var")
    stem = {"stem.conv1.weight"} | {f"stem.conv1.norm.{n}" for n in norm}
    block = {f"res3.0.{layer}.{n}" for layer in ("conv1", "conv2", "shortcut") for n in ("weight",)}
    block |= {f"res3.0.{layer}.norm.{n}" for layer in ("conv1", "conv2", "shortcut") for n in norm}
    want = {"backbone.bottom_up." + name for name in stem | block}
    assert want <= names and all(name.startswith("backbone.bottom_up.") for name in names), names ^ want
    assert len(names) == 5 + 10 + 15, sorted(names)
    w.run("export", "large", "--as", "torchvision", "--output", "same.safetensors")
    assert names_of(w.path("same.safetensors")) == names_of(w.path("large/encoder.safetensors"))


main(
    [
        pixels_are_told_apart,
        objects_are_found,
        both_are_trained_together,
        a_vision_transformer_has_a_map_at_any_size,
        maps_from_the_cache_are_the_same,
        what_is_wrong_is_said,
        weights_go_by_the_names_of_detectron2,
    ]
)

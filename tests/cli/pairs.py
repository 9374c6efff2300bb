"""Encoders of images and texts, of texts alone and of series: what is printed and left of a run, what is embedded from
its file alone, classification without training."""

import json
import os
import random
import shutil
import struct

from program import FORMAT, INVALID, IO, Workplace, main, read

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 230)}
PLACES = {"upper left": (0, 0), "upper right": (0, 6), "lower left": (6, 0), "lower right": (6, 6)}
FORMS = ["a {0} square in the {1} corner", "{1}: something {0}"]
SIDE = 12

CLIP = """
[data]
train = {folder}/pairs.csv
test = {folder}/test.csv
label_column = colour
[augmentation]
size = 12
crop = none
horizontal_flip = 0
jitter = 0
grey = 0
blur = 0
[tokens]
tokenizer = words
vocabulary = 300
[encoder]
name = custom
block = basic
blocks = 1, 1
width = 8
[projector]
hidden =
bias = false
output = 16
[text_encoder]
name = transformer
width = 32
depth = 1
heads = 2
[text_projector]
output = 16
[method]
name = clip
[loss]
temperature = 0.07
[optimizer]
name = adamw
learning_rate = 0.003
learning_rate_scale = none
weight_decay = 0
warmup_epochs = 0
[training]
epochs = 20
batch = 24
[evaluation]
linear_epochs = 5
knn_k = 10
[output]
folder = {folder}/clip
"""


def picture(colour, place, rng):
    y0, x0 = PLACES[place]
    pixels = bytearray(rng.randrange(60) for _ in range(SIDE * SIDE * 3))
    for y in range(y0 + 1, y0 + 5):
        for x in range(x0 + 1, x0 + 5):
            pixels[3 * (y * SIDE + x) : 3 * (y * SIDE + x) + 3] = bytes(COLOURS[colour])
    return b"P6\n%d %d\n255\n" % (SIDE, SIDE) + bytes(pixels)


def write_pairs(workplace, name, count, seed):
    """Two captions a picture, a row each; pictures in folders of their colour."""
    rng = random.Random(seed)
    rows = ["path,caption,colour"]
    for i in range(count):
        colour, place = rng.choice(list(COLOURS)), rng.choice(list(PLACES))
        path = f"{name}/{colour}/{i}.ppm"
        os.makedirs(os.path.dirname(workplace.path(path)), exist_ok=True)
        with open(workplace.path(path), "wb") as file:
            file.write(picture(colour, place, rng))
        rows += [f"{path},{form.format(colour, place)},{colour}" for form in FORMS]
    write(workplace.path(name + ".csv"), "\n".join(rows) + "\n")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def metadata(path):
    data = read(path)
    return json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])["__metadata__"]


def matrix(path):
    """The bytes of each row."""
    data = read(path)
    start = 10 + struct.unpack("<H", data[8:10])[0]
    shape = [int(n) for n in data[10:start].decode().split("'shape': (")[1].split(")")[0].split(",") if n.strip()]
    size = (len(data) - start) // shape[0]
    return [data[start + size * i : start + size * (i + 1)] for i in range(shape[0])]


def without_seconds(evaluation):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in evaluation]


class Pairs:
    """A workplace with a trained encoder of both, made once."""

    workplace = None

    @classmethod
    def get(cls):
        if not cls.workplace:
            cls.workplace = w = Workplace(images=16)
            write_pairs(w, "pairs", 144, 1)
            write_pairs(w, "test", 60, 2)
            write(w.path("clip.ini"), CLIP.format(folder=w.folder))
            cls.out, _ = w.run("clip.ini")
        return cls.workplace


def a_run_of_pairs_prints_retrieval_and_leaves_its_tokenizer():
    w = Pairs.get()
    assert "image to text" in Pairs.out and "text to image" in Pairs.out, Pairs.out
    row = json.loads(read(w.path("clip/evaluation.json")))[-1]
    found = row["retrieval"]
    assert found["image_to_text"]["queries"] == 60 and found["text_to_image"]["queries"] == 120, found
    # Of 12 kinds of pictures chance finds 1 in 12 with one of two captions, and the same back.
    assert found["image_to_text"]["recall_at_1"] > 0.5 and found["text_to_image"]["recall_at_1"] > 0.5, found
    assert found["image_to_text"]["recall_at_10"] >= found["image_to_text"]["recall_at_5"] >= found["image_to_text"]["recall_at_1"]
    assert row["knn"]["accuracy"] > 0.5, row["knn"]
    assert metadata(w.path("clip/encoder.safetensors"))["tokenizer"].encode() == read(w.path("clip/tokenizer.json"))
    words = json.loads(read(w.path("clip/tokenizer.json")))["model"]["vocab"]
    assert "upper" in words and "<end>" in words
    views = read(w.path("clip/views.txt")).decode()
    assert views.count("view 0\t") == 12 and views.splitlines()[0].split("\t")[2] == views.splitlines()[1].split("\t")[2], views
    assert read(w.path("clip/views.jpg"))[:2] == b"\xff\xd8"


def eval_finds_the_same_and_needs_no_folder():
    w = Pairs.get()
    before = without_seconds(json.loads(read(w.path("clip/evaluation.json"))))
    shutil.copy(w.path("clip/encoder.safetensors"), w.path("alone.safetensors"))
    os.makedirs(w.path("out"), exist_ok=True)
    out, _ = w.run("eval", "alone.safetensors", "--output", "out")
    assert "image to text" in out
    assert without_seconds(json.loads(read(w.path("out/evaluation.json")))) == before


def embed_writes_both_sides_of_a_run_and_texts_by_hand():
    w = Pairs.get()
    w.run("embed", "clip", "--output", "sides")
    texts, rows = matrix(w.path("sides/test_text_features.npy")), matrix(w.path("sides/test_text_rows.npy"))
    assert len(matrix(w.path("sides/test_features.npy"))) == 60 and len(texts) == 120
    assert [struct.unpack("<q", row)[0] for row in rows] == [i // 2 for i in range(120)]
    captions = [line.split(",")[1] for line in read(w.path("test.csv")).decode().splitlines()[1:4]]
    write(w.path("captions.txt"), "\n".join(captions) + "\n")
    shutil.copy(w.path("clip/encoder.safetensors"), w.path("alone.safetensors"))
    for arguments in (["captions.txt"], ["captions.txt", "--tower", "text"]):
        w.run("embed", "alone.safetensors", *arguments, "--output", "hand")
        assert matrix(w.path("hand/features.npy")) == texts[:3]
        assert read(w.path("hand/names.txt")).decode().splitlines()[1].endswith("captions.txt:2")
    w.run("embed", "alone.safetensors", "test/red", "--output", "hand")
    assert len(matrix(w.path("hand/features.npy"))) == len(os.listdir(w.path("test/red")))
    w.refused("embed", "alone.safetensors", "captions.txt", "--tower", "sound", status=INVALID, says=["sound", "image or text"])
    w.run("embed", "alone.safetensors", "captions.txt", "captions.txt", "--tower", "text", "--output", "hand")
    assert matrix(w.path("hand/features.npy")) == texts[:3] * 2
    w.refused("embed", "alone.safetensors", "captions.txt", "test.csv", "--tower", "text", status=FORMAT, says=["(caption ...)", "(text ...)"])


def captions_of_unknown_words_are_not_alike():
    """A small vocabulary must not make retrieval easy: what tokens can't tell apart is right by chance."""
    w = Pairs.get()
    rows = read(w.path("test.csv")).decode().splitlines()
    unknown = [f"{row.split(',')[0]},zq{i},{row.split(',')[2]}" for i, row in enumerate(rows[1::2])]
    write(w.path("unknown.csv"), "\n".join([rows[0], *unknown]) + "\n")
    os.makedirs(w.path("unknown"), exist_ok=True)
    w.run("eval", "clip", "--output", "unknown", "--set", "data.test=" + w.path("unknown.csv"))
    found = json.loads(read(w.path("unknown/evaluation.json")))[-1]["retrieval"]
    for way in ("image_to_text", "text_to_image"):
        assert abs(found[way]["recall_at_1"] - 1 / 60) < 1e-6, found


def zeroshot_classifies_by_files_of_classes_and_templates():
    w = Pairs.get()
    write(w.path("classes.txt"), "red\nblue\nverdant\tgreen\n")
    write(w.path("templates.txt"), "".join(f"a {{}} square in the {place} corner\n" for place in PLACES))
    out, err = w.run("zeroshot", "clip", "test/red", "test/blue", "--classes", "classes.txt", "--templates", "templates.txt")
    lines = out.splitlines()
    count = len(os.listdir(w.path("test/red"))) + len(os.listdir(w.path("test/blue")))
    assert len(lines) == count, out  # in one folder: no classes, no accuracy
    name, first, p, second, q, third, r = lines[0].split("\t")
    assert name.endswith(".ppm") and {first, second, third} == {"red", "blue", "verdant"}
    assert float(p) >= float(q) >= float(r) >= 0 and abs(float(p) + float(q) + float(r) - 1) < 2e-4
    out, err = w.run("zeroshot", "clip", "test", "--classes", "classes.txt", "--templates", "templates.txt")
    assert "top-1" in out.splitlines()[-1] and "top-5 100.00 %" in out.splitlines()[-1], out
    assert float(out.splitlines()[-1].split()[1]) > 60, out  # of two classes: chance is a half or less
    assert "images are of no class" in err
    w.refused("zeroshot", "clip", "test", status=INVALID, says=["--classes"])
    write(w.path("bad.txt"), "no hole\n")
    w.refused("zeroshot", "clip", "test", "--classes", "classes.txt", "--templates", "bad.txt", status=FORMAT, says=["bad.txt:1", "{}"])
    w.refused("zeroshot", "clip", "test", "--classes", "absent", status=IO, says=["absent"])


def an_encoder_without_its_tokenizer_is_refused():
    w = Pairs.get()
    data = read(w.path("clip/encoder.safetensors"))
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = {key: header["__metadata__"][key] for key in ("format", "config")}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(w.path("lost"), exist_ok=True)
    with open(w.path("lost/e.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[8 + length :])
    w.refused("embed", "lost/e.safetensors", "test", status=FORMAT, says=["tokenizer"])
    shutil.copy(w.path("clip/tokenizer.json"), w.path("lost/tokenizer.json"))
    w.run("embed", "lost/e.safetensors", "test/red", "--output", "hand")


TEXT = """
[data]
train = {folder}/notes.csv
test_fraction = 0.25
as = tokens
[tokens]
tokenizer = bpe
vocabulary = 300
delete = 0.5
[encoder]
name = transformer
width = 32
depth = 1
heads = 2
bidirectional = true
[projector]
hidden = 16
output = 8
[optimizer]
name = adamw
learning_rate = 0.003
learning_rate_scale = none
warmup_epochs = 0
[training]
epochs = 2
batch = 32
[evaluation]
every = 1
linear_epochs = 5
knn_k = 10
[output]
folder = {folder}/notes
"""
TOPICS = {"food": "bread soup apple cheese pepper salt rice", "sky": "cloud moon star wind sun rain comet", "sea": "wave fish salt ship island tide reef"}


def write_notes(w):
    rng = random.Random(3)
    rows = ["text;label"]
    for _ in range(240):
        topic = rng.choice(list(TOPICS))
        rows.append(" ".join(rng.choice(TOPICS[topic].split()) for _ in range(6)) + ";" + topic)
    write(w.path("notes.csv"), "\n".join(rows) + "\n")
    write(w.path("notes.ini"), TEXT.format(folder=w.folder))


def texts_alone_are_classified_and_compared_with_gold_scores():
    with Workplace(images=16) as w:
        write_notes(w)
        out, err = w.run("notes.ini")
        rows = json.loads(read(w.path("notes/evaluation.json")))
        assert [row["features"] for row in rows] == ["bag of tokens", "untrained encoder", "encoder"], rows
        assert rows[0]["knn"]["accuracy"] > 0.8 and rows[2]["dim"] == 32, rows
        assert "knn_accuracy" in err and "texts/s" in err, err
        views = [line.split("\t") for line in read(w.path("notes/views.txt")).decode().splitlines() if line]
        assert len(views) == 12 * 7 and len({line[2] for line in views[:7]}) > 1, views[:7]
        pairs = ["sent0,sent1,score", '"bread, soup","soup bread",4.5', "moon star,sun moon,3", "wave fish,bread salt,0.5", "cloud,wave,1"]
        write(w.path("sts.csv"), "\n".join(pairs) + "\n")
        out, _ = w.run("eval", "notes", "--set", "data.test=sts.csv", "--set", "data.test_fraction=0", "--output", "out")
        rows = json.loads(read(w.path("out/evaluation.json")))
        assert "Spearman" in out and all(row["sts"]["pairs"] == 4 and -1 <= row["sts"]["spearman"] <= 1 for row in rows), out
        assert rows[0]["retrieval"]["sent0_to_sent1"]["queries"] == 4, rows
        write(w.path("sts.csv"), "\n".join(pairs) + "\na,b,much\n")
        options = ["--set", "data.test=sts.csv", "--set", "data.test_fraction=0"]
        w.refused("eval", "notes", *options, status=FORMAT, says=["sts.csv:6", "much"])
        # The other tasks' results stay.
        rows = json.loads(read(w.path("notes/evaluation.json")))
        assert all("much" in row["failed"]["sts"] and row["retrieval"] for row in rows), rows
        assert "sts of encoder failed" in read(w.path("notes/evaluation.txt")).decode()
        w.refused("eval", "notes", *options, "--set", "evaluation.score_column=gold", status=FORMAT, says=["gold"])
        w.refused("zeroshot", "notes", "notes.csv", "--classes", "sts.csv", status=INVALID, says=["texts", "clip"])
        w.refused("embed", "notes", "x.ppm", "--tower", "image", status=INVALID, says=["reads texts"])


main(
    [
        a_run_of_pairs_prints_retrieval_and_leaves_its_tokenizer,
        eval_finds_the_same_and_needs_no_folder,
        embed_writes_both_sides_of_a_run_and_texts_by_hand,
        captions_of_unknown_words_are_not_alike,
        zeroshot_classifies_by_files_of_classes_and_templates,
        an_encoder_without_its_tokenizer_is_refused,
        texts_alone_are_classified_and_compared_with_gold_scores,
    ]
)

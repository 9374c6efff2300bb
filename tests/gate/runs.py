"""Training runs that between them build every kernel: settings of each."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import write_idx

INI = """
[data]
train_images = images
train_labels = labels
test_images = images
test_labels = labels
[augmentation]
blur = 0.5
rotation = 10
solarise = 0.2
"""

RESNET18 = ["encoder.name=resnet18", "encoder.stem=small", "training.batch=32"]
RESNET50 = ["encoder.name=resnet50", "encoder.stem=large", "training.batch=8", "augmentation.size=224"]
NETWORKS = [[*RESNET18, "optimizer.name=lars"], RESNET50]

# Each loss, each way that methods put networks together, and what is not chosen by default.
VARIANTS = [
    ["method.name=mocov2", "method.queue=128", "optimizer.name=adamw"],
    ["method.name=byol"],
    ["method.name=nnclr", "method.queue=128"],
    ["method.name=swav", "method.queue=128"],
    ["method.name=dino"],
    ["method.name=barlow"],
    ["method.name=vicreg"],
    ["method.name=supcon", "evaluation.tasks=all"]
    + [f"data.{part}_{kind}=somewhere" for part in ("train", "test") for kind in ("masks", "boxes")],
    ["method.name=supervised"],
    ["method.name=byol", "loss.name=distillation"],
    ["method.name=pair", "loss.name=npair"],
    ["method.name=pair", "loss.name=clip", "loss.learned_scale=true"],
    ["method.name=pair", "loss.name=logistic", "loss.learned_scale=true"],
    ["method.name=pair", "loss.name=simcse"],
    ["method.name=pair", "loss.name=contrastive"],
    ["method.name=pair", "loss.name=triplet", "loss.mining=hard"],
    ["method.name=pair", "loss.name=triplet", "loss.mining=all"],
    ["device.convolution=im2col", "device.gemm=own"],
]
ENCODER = ["encoder.name=resnet10", "encoder.stem=small", "training.batch=32"]
# Transformers, of the width of heads that is common.
VIT = ["encoder.name=vit", "encoder.depth=1", "training.batch=32"]
TRANSFORMERS = [
    VIT,
    [*VIT, "encoder.pooling=mean", "encoder.activation=quick_gelu", "encoder.width=96", "encoder.heads=3"],
]
# Texts and series, with every change of their views.
SEQUENCE = ["encoder.name=transformer", "encoder.depth=1", "training.batch=32"]
TEXTS = ["data.train_images=", "data.train_labels=", "data.test_images=", "data.test_labels=", "data.train=texts.txt",
         "tokens.tokenizer=words", "tokens.synonyms=synonyms", "tokens.synonym=0.5"]
SEQUENCES = [
    SEQUENCE + TEXTS + [f"tokens.{change}=0.5" for change in ("crop", "delete", "mask", "swap")],
    [*SEQUENCE, "data.as=series"]
    + [f"series.{change}=0.5" for change in ("crop", "warp", "flip", "permute", "scale", "jitter", "drop")],
]
BOTH = ["encoder.bidirectional=true", "encoder.dropout=0.1"]
RECURRENT = [
    ["encoder.name=gru", "training.batch=32", *TEXTS],
    ["encoder.name=lstm", "training.batch=32", *BOTH, "data.as=series"],
    ["encoder.name=conv1d", "training.batch=32", "encoder.depth=1", *TEXTS],
]
# Pictures with captions: two towers, and what they are evaluated by.
PAIRS = [
    *(f"data.{key}=" for key in ("train_images", "train_labels", "test_images", "test_labels")),
    *("data.train=pairs.csv", "data.test=pairs.csv", "method.name=clip", "training.batch=32"),
    *("encoder.name=resnet10", "text_encoder.name=transformer", "text_encoder.depth=1"),
]
RUNS = NETWORKS + TRANSFORMERS + SEQUENCES + RECURRENT + [PAIRS] + [ENCODER + variant for variant in VARIANTS]


def prepare(workplace):
    """Writes gate.ini and its data."""
    with open(workplace.path("gate.ini"), "w", encoding="utf-8") as file:
        file.write(INI)
    write_idx(workplace.path("images"), 0x804, (256, 32, 32, 3), bytes(256 * 32 * 32 * 3))
    with open(workplace.path("texts.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"text {i} of many, some of them longer{' and longer' * (i % 7)}\n" for i in range(64))
    with open(workplace.path("synonyms"), "w", encoding="utf-8") as file:
        file.write("many, some\n")
    with open(workplace.path("pairs.csv"), "w", encoding="utf-8") as file:
        file.write("path,caption\n" + "".join(f"{i}.ppm,picture number {i}\n" for i in range(64)))
    for i in range(64):
        with open(workplace.path(f"{i}.ppm"), "wb") as file:
            file.write(b"P6\n32 32\n255\n" + bytes([4 * i]) * 3072)
    write_idx(workplace.path("labels"), 0x801, (256,), bytes(i % 4 for i in range(256)))


def settings(run, *more):
    """Arguments of the command line."""
    for setting in [*run, *more]:
        yield from ("--set", setting)

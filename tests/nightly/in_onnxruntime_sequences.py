"""Exported encoders of texts and series, and both of CLIP's, in onnxruntime give clcontrast's features, texts by their
tokenizer in Hugging Face's `tokenizers`: in_onnxruntime_sequences.py CLCONTRAST. Run by a Python that has onnx, onnxruntime
and tokenizers: CLC_TORCH_PYTHON names it."""

import ast
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from onnx_models import HALF_TOLERANCE, checked, expect_broken, expect_same, metadata_of, need, run_model
from pictures import run_by_other_python
from program import Workplace, main

CONTEXT = 24
CHANNELS = 3
COMMON = ["encoder.width=32", "encoder.depth=2", "projector.hidden=16", "projector.output=8", "training.batch=32",
          "training.epochs=1", f"encoder.context={CONTEXT}", "optimizer.name=adamw", "optimizer.warmup_epochs=0"]  # fmt: skip
NETWORKS = {
    "a causal transformer": ["encoder.name=transformer", "encoder.heads=2", "projector.keep=1"],
    "a transformer both ways": ["encoder.name=transformer", "encoder.heads=2", "encoder.bidirectional=true"],
    "a transformer with a class token": ["encoder.name=transformer", "encoder.heads=2", "encoder.bidirectional=true",
                                         "encoder.pooling=class", "encoder.output=20"],
    "the mean of a causal transformer": ["encoder.name=transformer", "encoder.heads=2", "encoder.pooling=mean",
                                         "encoder.activation=quick_gelu"],
    "a gru": ["encoder.name=gru"],
    "a gru both ways": ["encoder.name=gru", "encoder.bidirectional=true", "encoder.pooling=last"],
    "an lstm": ["encoder.name=lstm", "encoder.pooling=mean"],
    "an lstm both ways": ["encoder.name=lstm", "encoder.bidirectional=true", "encoder.pooling=mean"],
    "convolutions": ["encoder.name=conv1d"],
    "the last step of convolutions": ["encoder.name=conv1d", "encoder.pooling=last"],
}  # fmt: skip


def real_lines(count):
    """What modules of Python say of themselves, lines of 1 to 60 words, some longer than the context."""
    lines = []
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            said = ast.get_docstring(ast.parse(file.read())) or ""
        lines += [" ".join(part.split()[:60]) for part in said.split("\n\n") if part.split()]
    assert len(lines) >= count, len(lines)
    return sorted(lines, key=lambda line: line[::-1])[:count]


def train(w, *settings):
    with open(w.path("sequences.ini"), "w", encoding="utf-8") as file:
        file.write("[training]\nwatch_every = 0\n")
    w.run("sequences.ini", "--set", "output.folder=" + w.path("out"), *(word for s in settings for word in ("--set", s)), timeout=600)


def tokens_of(model, lines, width=0):
    """What its metadata make of texts, filled up to the longest or a width."""
    import numpy as np
    from tokenizers import Tokenizer

    said = metadata_of(model)
    context = int(said["clcontrast.context"])
    ids = [encoding.ids for encoding in Tokenizer.from_str(said["clcontrast.tokenizer"]).encode_batch(lines)]
    ids = [one if len(one) <= context else one[: context - 1] + one[-1:] for one in ids]
    lengths = np.array([len(one) for one in ids])
    rows = np.zeros((len(ids), width or lengths.max()), np.int64)
    for row, one in zip(rows, ids):
        row[: len(one)] = one
    return {"tokens": rows, "lengths": lengths}


def first_rows(inputs, n):
    """As narrow as they need be."""
    lengths = inputs["lengths"][:n]
    return {name: value[:n] if name == "lengths" else value[:n, : lengths.max()] for name, value in inputs.items()}


def check(w, ours, make, *flags):
    """`make` gives a model's inputs by its path and a width."""
    w.run("export", "out", "out.onnx", *flags)
    model = checked(w.path("out.onnx"))
    inputs = make(model, 0)
    expect_same("as long as the longest", ours, run_model(model, **inputs))
    expect_same("filled up to the context", ours, run_model(model, **make(model, CONTEXT)))
    expect_same("a batch of one", ours[:1], run_model(model, **first_rows(inputs, 1)))
    expect_broken(ours, model, **inputs)
    w.run("export", "out", "out.onnx", *flags, "--opset", "18", "--fp16")
    expect_same("halves", ours, run_model(checked(model), **inputs), HALF_TOLERANCE)


def check_texts(w, settings):
    import numpy as np

    lines = real_lines(240)
    with open(w.path("texts.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    train(w, "data.train=" + w.path("texts.txt"), "tokens.tokenizer=bpe", "tokens.vocabulary=400", *COMMON, *settings)
    w.run("embed", "out", "texts.txt", "--output", "features")
    ours = np.load(w.path("features/features.npy"))
    check(w, ours, lambda model, width: tokens_of(model, lines, width))


def check_series(w, settings):
    import numpy as np

    rng = np.random.default_rng(5)
    values = np.cumsum(rng.normal(size=(160, CONTEXT, CHANNELS)), 1).astype(np.float32) * [1, 30, 0.01] + [5, 0, -2]
    lengths = rng.integers(1, CONTEXT + 1, len(values))
    holes = values.astype(np.float32)
    holes[np.arange(CONTEXT) >= lengths[:, None]] = np.nan
    np.save(w.path("series.npy"), holes)
    train(w, "data.train=" + w.path("series.npy"), "data.as=series", *COMMON, *settings)
    w.run("embed", "out", "series.npy", "--output", "features")
    ours = np.load(w.path("features/features.npy"))

    def inputs(model, width):
        said = metadata_of(model)
        there = np.nan_to_num(holes)[:, : width or lengths.max()]
        if "normalises" not in said["clcontrast.input"]:
            mean, std = (np.array(said["clcontrast." + key].split(","), np.float32) for key in ("mean", "std"))
            return {"series": (there - mean) / std, "lengths": lengths}
        return {"values": there, "lengths": lengths}

    check(w, ours, inputs)
    check(w, ours, inputs, "--pixels")


def test_of(name, kind, examine):
    def test():
        need("numpy", "onnx", "onnxruntime", "tokenizers")
        with Workplace(images=16) as w:
            examine(w, NETWORKS[name])

    test.__name__ = f"onnxruntime_gives_the_same_features_of_{kind}_by_{name.replace(' ', '_')}"
    return test


def both_towers_of_clip_agree_with_onnxruntime():
    need("numpy", "onnx", "onnxruntime", "tokenizers", "PIL")
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(8)
    lines = real_lines(64)
    with Workplace(images=16) as w:
        os.makedirs(w.path("pairs"))
        for i, line in enumerate(lines):
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(w.path(f"pairs/{i:03d}.png"))
            with open(w.path(f"pairs/{i:03d}.txt"), "w", encoding="utf-8") as file:
                file.write(line)
        with open(w.path("texts.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        train(w, "data.train=" + w.path("pairs"), "data.as=pairs", "method.name=clip", "loss.name=clip", "projector.keep=-1",
              "text_projector.keep=-1", "projector.hidden=", "text_projector.hidden=", "projector.output=16", "text_projector.output=16",
              "augmentation.size=32", "augmentation.jitter=0", "augmentation.grey=0", "encoder.name=custom", "encoder.block=basic",
              "encoder.blocks=1", "encoder.width=16", "text_encoder.name=transformer", "text_encoder.width=32",
              "text_encoder.depth=1", "text_encoder.heads=2", f"text_encoder.context={CONTEXT}", "tokens.vocabulary=400",
              "training.epochs=1", "training.batch=16", "optimizer.warmup_epochs=0")  # fmt: skip
        _, said = w.run("export", "out", "image.onnx", "--preprocess")
        assert "--tower text" in said, said
        w.run("export", "out", "text.onnx", "--tower", "text")
        names = sorted(name for name in os.listdir(w.path("pairs")) if name.endswith(".png"))
        w.run("embed", "out", *(w.path("pairs/" + name) for name in names), "--output", "pictures")
        w.run("embed", "out", "texts.txt", "--tower", "text", "--output", "captions")
        pictures = np.stack([np.asarray(Image.open(w.path("pairs/" + name))) for name in names])
        model = checked(w.path("image.onnx"))
        expect_same("images", np.load(w.path("pictures/features.npy")), run_model(model, pictures=pictures))
        model = checked(w.path("text.onnx"))
        expect_same("texts", np.load(w.path("captions/features.npy")), run_model(model, **tokens_of(model, lines)))
        assert metadata_of(model)["clcontrast.tower"] == "text" and float(metadata_of(model)["clcontrast.scale"]) > 1


if __name__ == "__main__":
    run_by_other_python()
    main([*(test_of(name, "texts", check_texts) for name in NETWORKS), *(test_of(name, "series", check_series) for name in NETWORKS),
          both_towers_of_clip_agree_with_onnxruntime])

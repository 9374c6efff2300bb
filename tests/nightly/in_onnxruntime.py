"""An exported encoder of images in onnxruntime gives clcontrast's features: in_onnxruntime.py CLCONTRAST. Run by a Python
that has onnx, onnxruntime, torch, torchvision and Pillow: CLC_TORCH_PYTHON names it."""

import os
import shutil
import sys
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from onnx_models import HALF_TOLERANCE, TOLERANCE, checked, expect_broken, expect_same, need, run_model
from pictures import normalisation, photographs, run_by_other_python, settings_of, view, write_pictures
from program import Workplace, main

NETWORKS = {
    "a resnet": ["encoder.name=custom", "encoder.block=basic", "encoder.blocks=1,1", "encoder.width=16",
                 "encoder.stem=large"],
    "bottlenecks with a projector": ["encoder.name=custom", "encoder.block=bottleneck", "encoder.blocks=1,1",
                                     "encoder.width=16", "projector.keep=1"],
    "a vision transformer": ["encoder.name=vit", "encoder.width=64", "encoder.heads=2", "encoder.depth=2", "encoder.patch=8"],
    "mean of patches": ["encoder.name=vit", "encoder.depth=1", "encoder.width=64", "encoder.pooling=mean",
                      "encoder.patch=16", "encoder.activation=quick_gelu", "evaluation.resize=whole"],
    "a resnet of pixels as they are": ["encoder.name=custom", "encoder.block=basic", "encoder.blocks=1,1", "encoder.width=16",
                                       "augmentation.crop=random"],
}  # fmt: skip


def train_and_embed(w, settings, pictures):
    import numpy as np

    with open(w.path("pictures.ini"), "w", encoding="utf-8") as file:
        file.write("[training]\nwatch_every = 0\n")
    settings = [f"data.train={w.path('pictures')}", "augmentation.size=64", "training.batch=16", "training.epochs=1",
                "output.folder=" + w.path("out"), *settings]  # fmt: skip
    w.run("pictures.ini", *(word for setting in settings for word in ("--set", setting)), timeout=600)
    w.run("embed", "out", *pictures, "--output", w.path("features"))
    return np.load(w.path("features/features.npy"))


def check_prepared(w, ours, pictures):
    """What torchvision makes of pictures, in networks with and without the normalisation."""
    import numpy as np

    model = w.path("out.onnx")
    config = settings_of(w.path("out/encoder.safetensors"))
    pixels = 255 * np.stack([view(path, config).numpy() for path in pictures])
    mean, std = (np.array(list(v), np.float32).reshape(1, -1, 1, 1) for v in normalisation(config))
    images = (pixels / 255 - mean) / std
    for flags, values in ([], {"images": images}), (["--pixels"], {"pixels": pixels}):
        w.run("export", "out", "out.onnx", *flags)
        expect_same(" ".join(flags) or "normalised", ours, run_model(checked(model), **values))
        single = run_model(model, **{name: value[:1] for name, value in values.items()})
        expect_same("a batch of one", ours[:1], single)
    expect_broken(ours, model, rank=4, pixels=pixels)
    for opset in "18", "20":
        w.run("export", "out", "out.onnx", "--opset", opset)
        expect_same(f"opset {opset}", ours, run_model(checked(model), images=images))
    w.run("export", "out", "out.onnx", "--fp16")
    expect_same("halves", ours, run_model(checked(model), images=images), HALF_TOLERANCE)


def check_pictures(w, ours, pictures):
    """Pictures of bytes, each of its own size, in a network that prepares them."""
    import numpy as np
    from PIL import Image

    plain = [i for i, path in enumerate(pictures) if Image.open(path).format == "PNG" and Image.open(path).mode == "RGB"]
    for flags, tolerance in ([], TOLERANCE), (["--fp16"], HALF_TOLERANCE):
        w.run("export", "out", "out.onnx", "--preprocess", *flags)
        model = checked(w.path("out.onnx"))
        theirs = [run_model(model, pictures=np.asarray(Image.open(pictures[i]))[None]) for i in plain]
        expect_same(" ".join(["pictures", *flags]), ours[plain], np.concatenate(theirs), tolerance)


def the_program_of_the_readme_gives_a_picture_s_features():
    need("numpy", "onnxruntime", "PIL")
    import numpy as np

    with open(os.path.join(os.path.dirname(__file__), "../../README.md"), encoding="utf-8") as file:
        block = file.read().split("## In other runtimes: ONNX")[1].split("\n\n    ")[1].split("\n\n")[0]
    with Workplace() as w:
        pictures = write_pictures(w.path("pictures"))
        ours = train_and_embed(w, NETWORKS["a resnet"], pictures)
        w.run("export", "out", "out.onnx", "--preprocess")
        for i, path in enumerate(pictures[:3]):
            shutil.copy(path, w.path("picture.png"))
            here, said = os.getcwd(), {}
            os.chdir(w.folder)
            exec(textwrap.dedent("    " + block), said)  # pylint: disable=exec-used
            os.chdir(here)
            expect_same(os.path.basename(path), ours[i : i + 1], np.asarray(said["features"]))


def test_of(name):
    def test():
        need("onnx", "onnxruntime", "PIL", "torch", "torchvision")
        with Workplace() as w:
            pictures = write_pictures(w.path("pictures")) + photographs(w.path("pictures"))
            ours = train_and_embed(w, NETWORKS[name], pictures)
            if "evaluation.resize=whole" not in NETWORKS[name] and "augmentation.crop=random" not in NETWORKS[name]:
                check_prepared(w, ours, pictures)
            check_pictures(w, ours, pictures)

    test.__name__ = f"onnxruntime_gives_the_same_features_of_{name.replace(' ', '_')}"
    return test


if __name__ == "__main__":
    run_by_other_python()
    main([*(test_of(name) for name in NETWORKS), the_program_of_the_readme_gives_a_picture_s_features])

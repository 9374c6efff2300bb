"""An exported encoder in onnxruntime gives clcontrast's features: in_onnxruntime.py CLCONTRAST. Run by a Python that
has onnx, onnxruntime, torch, torchvision and Pillow: CLC_TORCH_PYTHON names it."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from pictures import normalisation, run_by_other_python, settings_of, view, write_pictures
from program import Skip, Workplace, main

# Of the largest feature.
TOLERANCE = 1e-4

NETWORKS = {
    "a resnet": ["encoder.name=custom", "encoder.block=basic", "encoder.blocks=1,1", "encoder.width=16",
                 "encoder.stem=large"],
    "bottlenecks with a projector": ["encoder.name=custom", "encoder.block=bottleneck", "encoder.blocks=1,1",
                                     "encoder.width=16", "projector.keep=1"],
    "a vision transformer": ["encoder.name=vit", "encoder.width=64", "encoder.heads=2", "encoder.depth=2", "encoder.patch=8"],
    "mean of patches": ["encoder.name=vit", "encoder.depth=1", "encoder.width=64", "encoder.pooling=mean",
                      "encoder.patch=16", "encoder.activation=quick_gelu"],
}  # fmt: skip


def need_modules():
    try:
        import onnx, onnxruntime, PIL, torch, torchvision  # pylint: disable=import-outside-toplevel,unused-import,multiple-imports
    except ImportError as missing:
        raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


def run_model(model, values):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["features"], {session.get_inputs()[0].name: values})[0]


def error(ours, theirs):
    import numpy as np

    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return np.abs(ours - theirs).max() / np.abs(ours).max()


def broken(model):
    """The same with one weight of the first convolution changed, as bytes."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    copy = onnx.load(model)
    first = next(t for t in copy.graph.initializer if len(t.dims) == 4)
    values = numpy_helper.to_array(first).copy()
    values.flat[np.abs(values).argmax()] *= -1
    first.raw_data = values.tobytes()
    return copy.SerializeToString()


def check_images(w, settings):
    import numpy as np
    import onnx

    pictures = write_pictures(w.path("pictures"))
    with open(w.path("pictures.ini"), "w", encoding="utf-8") as file:
        file.write("[training]\nwatch_every = 0\n")
    settings = [f"data.train={w.path('pictures')}", "augmentation.size=64", "training.batch=16", "training.epochs=1",
                "output.folder=" + w.path("out"), *settings]  # fmt: skip
    w.run("pictures.ini", *(word for setting in settings for word in ("--set", setting)), timeout=600)
    w.run("embed", "out", *pictures, "--output", w.path("features"))
    ours = np.load(w.path("features/features.npy"))
    config = settings_of(w.path("out/encoder.safetensors"))
    pixels = 255 * np.stack([view(path, config).numpy() for path in pictures])
    mean, std = (np.array(list(v), np.float32).reshape(1, -1, 1, 1) for v in normalisation(config))
    for flags, values in ([], (pixels / 255 - mean) / std), (["--pixels"], pixels):
        w.run("export", "out", "out.onnx", *flags)
        onnx.checker.check_model(w.path("out.onnx"), full_check=True)
        worst = error(ours, run_model(w.path("out.onnx"), values))
        print(f"# {' '.join(flags) or 'normalised'}: {worst:.1e} of the largest feature")
        assert worst <= TOLERANCE, worst
        single = run_model(w.path("out.onnx"), values[:1])
        assert error(ours[:1], single) <= TOLERANCE, "a batch of one differs"
    worse = error(ours, run_model(broken(w.path("out.onnx")), pixels))
    print(f"# a weight changed: {worse:.1e}")
    assert not worse <= TOLERANCE, f"a weight was changed, but the features differ by {worse:.1e} only"


def test_of(name):
    def test():
        need_modules()
        with Workplace() as w:
            check_images(w, NETWORKS[name])

    test.__name__ = f"onnxruntime_gives_the_same_features_of_{name.replace(' ', '_')}"
    return test


run_by_other_python()
main([test_of(name) for name in NETWORKS])

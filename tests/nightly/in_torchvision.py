"""An encoder in torchvision, with the stored normalisation and resize rule, gives clcontrast's features:
in_torchvision.py CLCONTRAST. Run by a Python that has torch, torchvision and Pillow: CLC_TORCH_PYTHON names it."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from pictures import normalisation, run_by_other_python, settings_of, view, write_pictures
from program import Skip, Workplace, main

# Of the largest feature. Torch and the kernels sum in float32, in orders of their own; the pixels that go in are the
# same to 1e-6.
TOLERANCE = 1e-5


def need_torch():
    try:
        import numpy, PIL, torch, torchvision  # pylint: disable=import-outside-toplevel,unused-import,multiple-imports
    except ImportError as missing:
        raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


def features_of(path, config, model):
    import torch
    from torchvision.transforms import functional as F

    with torch.no_grad():
        return model(F.normalize(view(path, config), *normalisation(config))[None])[0].numpy()


def torchvision_gives_the_same_features():
    need_torch()
    import numpy as np
    import torch
    import torchvision
    from safetensors.torch import load_file

    with Workplace() as w:
        pictures = write_pictures(w.path("pictures"))
        settings = [f"data.train={w.path('pictures')}", "augmentation.size=64", "encoder.name=resnet18",
                    "encoder.stem=large", "training.batch=16", "training.epochs=2", "output.folder=" + w.path("out")]  # fmt: skip
        with open(w.path("pictures.ini"), "w", encoding="utf-8") as file:
            file.write("[training]\nwatch_every = 0\n")
        w.run("pictures.ini", *(word for setting in settings for word in ("--set", setting)), timeout=600)
        encoder = w.path("out/encoder.safetensors")
        w.run("embed", encoder, *pictures, "--output", w.path("features"))
        ours = np.load(w.path("features/features.npy"))
        model = torchvision.models.resnet18()
        missing = model.load_state_dict(load_file(encoder), strict=False)
        assert set(missing.missing_keys) == {"fc.weight", "fc.bias"} and not missing.unexpected_keys, missing
        model.fc = torch.nn.Identity()
        model.eval()
        config = settings_of(encoder)
        scale, worst = np.abs(ours).max(), 0
        for path, row in zip(pictures, ours):
            error = np.abs(features_of(path, config, model) - row).max() / scale
            print(f"# {os.path.basename(path)}: {error:.1e}")
            worst = max(worst, error)
        assert worst <= TOLERANCE, worst


run_by_other_python()
main([torchvision_gives_the_same_features])

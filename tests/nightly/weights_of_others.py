"""Weights of torchvision's networks and of CLIP's text tower, in files as PyTorch saves them, give the features that they give
in PyTorch, as a start of training and by `import`, which takes those of timm and CLIP, too: weights_of_others.py CLCONTRAST.
Run by a Python that has torch, torchvision and safetensors (timm, transformers, open_clip): CLC_TORCH_PYTHON names it. The
weights are random, the names are theirs."""

import importlib
import os
import subprocess
import sys
from collections import OrderedDict

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main

# Of the largest feature.
TOLERANCE = 1e-5
SIDE = 64
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LINES = ["a cat", "the quick brown fox jumps over", "x", "hello world!", "a longer line than fits into the context", "zz", "one", "two"]


def run_by_other_python():
    other = os.environ.pop("CLC_TORCH_PYTHON", None)
    if other:
        sys.exit(subprocess.run([other, *sys.argv], check=False).returncode)


def need(*names):
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as missing:
            raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


def need_torch():
    need("numpy", "safetensors", "torch", "torchvision")


def randomise(model):
    """Norms that are not the identity, and the parts that torchvision begins with zeros."""
    import torch

    for name, value in model.named_parameters():
        if value.dim() <= 1:
            torch.nn.init.normal_(value, 1.0 if name.endswith("weight") else 0.0, 0.1)
        elif "conv_proj" in name or "class_token" in name:
            torch.nn.init.normal_(value, std=0.05)
    for name, value in model.named_buffers():
        if "running_mean" in name:
            value.normal_(0, 0.1)
        elif "running_var" in name:
            value.uniform_(0.5, 1.5)
    return model.eval()


def save(model, path):
    from safetensors.torch import save_file

    save_file({name: value.detach().contiguous() for name, value in model.state_dict().items()}, path)


def features_here(workplace, data, settings):
    """What `embed` says of the data, with a frozen encoder of the saved weights."""
    import numpy as np

    all_settings = ["encoder.weights=" + workplace.path("weights.safetensors"), "encoder.frozen=true", "data.train=" + data,
                    "training.batch=4", "training.epochs=1", "output.folder=" + workplace.path("out"), *settings]  # fmt: skip
    with open(workplace.path("train.ini"), "w", encoding="utf-8") as file:
        file.write("[training]\nwatch_every = 0\n")
    workplace.run("train.ini", "--overwrite", *(word for setting in all_settings for word in ("--set", setting)), timeout=600)
    workplace.run("embed", workplace.path("out/encoder.safetensors"), data, "--output", workplace.path("features"), timeout=600)
    return np.load(workplace.path("features/features.npy"))


def expect_same(here, there):
    import numpy as np

    error = np.abs(here - there).max() / np.abs(there).max()
    print(f"# {error:.1e} of the largest feature")
    assert here.shape == there.shape and error <= TOLERANCE, error


def check_images(model, last, settings):
    """`last`: what torchvision has behind the features."""
    import numpy as np
    import torch

    with Workplace() as w:
        pictures = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE, 3), np.uint8)
        np.save(w.path("pictures.npy"), pictures)
        save(randomise(model), w.path("weights.safetensors"))
        setattr(model, last, torch.nn.Identity())
        x = (torch.from_numpy(pictures).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
        with torch.no_grad():
            there = model(x.permute(0, 3, 1, 2)).numpy()
        lists = [f"augmentation.{key}=" + ",".join(map(str, values)) for key, values in (("mean", MEAN), ("std", STD))]
        expect_same(features_here(w, w.path("pictures.npy"), [f"augmentation.size={SIDE}", *lists, *settings]), there)


def resnets_of_torchvision():
    need_torch()
    import torchvision

    for name in ("resnet18", "resnet50"):
        check_images(getattr(torchvision.models, name)(weights=None), "fc", [f"encoder.name={name}", "encoder.stem=large"])


def vision_transformers_of_torchvision():
    need_torch()
    import torchvision

    model = torchvision.models.VisionTransformer(
        image_size=SIDE, patch_size=8, num_layers=3, num_heads=4, hidden_dim=128, mlp_dim=512
    )
    settings = ["encoder.name=vit", "encoder.patch=8", "encoder.width=128", "encoder.depth=3", "encoder.heads=4"]
    check_images(model, "heads", settings)


def text_tower(width, depth, heads, tokens, context, output):
    """CLIP's (Radford et al., arXiv 2103.00020), with its names."""
    import torch
    from torch import nn

    class QuickGelu(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(1.702 * x)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            layers = [("c_fc", nn.Linear(width, 4 * width)), ("gelu", QuickGelu()), ("c_proj", nn.Linear(4 * width, width))]
            self.mlp = nn.Sequential(OrderedDict(layers))

        def forward(self, x):
            y, later = self.ln_1(x), torch.full((context, context), -torch.inf).triu(1)
            x = x + self.attn(y, y, y, need_weights=False, attn_mask=later)[0]
            return x + self.mlp(self.ln_2(x))

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = nn.Module()
            self.transformer.resblocks = nn.ModuleList(Block() for _ in range(depth))
            self.token_embedding, self.ln_final = nn.Embedding(tokens, width), nn.LayerNorm(width)
            self.positional_embedding = nn.Parameter(torch.randn(context, width) * 0.1)
            self.text_projection = nn.Parameter(torch.randn(width, output) * width**-0.5)
            self.logit_scale = nn.Parameter(torch.tensor(2.6))

        def forward(self, ids, lengths):
            x = self.token_embedding(ids) + self.positional_embedding
            for block in self.transformer.resblocks:
                x = block(x)
            return self.ln_final(x)[torch.arange(len(x)), lengths - 1] @ self.text_projection

    return Tower()


def text_tower_of_clip():
    need_torch()
    import torch

    # Bytes as tokens: 2 + the byte, then start and end.
    context, start, end = 20, 258, 259
    rows = [[start, *(2 + byte for byte in line.encode()), end] for line in LINES]
    rows = [row if len(row) <= context else row[: context - 1] + [end] for row in rows]
    ids = torch.tensor([row + [0] * (context - len(row)) for row in rows])
    with Workplace() as w:
        with open(w.path("lines.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(LINES) + "\n")
        model = randomise(text_tower(64, 3, 4, 260, context, 48))
        save(model, w.path("weights.safetensors"))
        with torch.no_grad():
            there = model(ids, torch.tensor([len(row) for row in rows])).numpy()
        settings = ["data.as=tokens", "tokens.tokenizer=bytes", "encoder.name=transformer", "encoder.width=64", "encoder.depth=3",
                    "encoder.heads=4", "encoder.activation=quick_gelu", f"encoder.context={context}", "encoder.output=48",
                    "method.name=simcse", "optimizer.name=adamw"]  # fmt: skip
        expect_same(features_here(w, w.path("lines.txt"), settings), there)


# ---- import ----


def import_and_embed(w, model, there, mean, std, settings, change=None, side=SIDE):
    """Features of random pictures by an imported model, held against `there` of the normalised pictures."""
    import numpy as np
    import torch

    pictures = np.random.default_rng(0).integers(0, 256, (8, side, side, 3), np.uint8)
    np.save(w.path("pictures.npy"), pictures)
    save(randomise(model), w.path("weights.safetensors"))
    x = (torch.from_numpy(pictures).float() / 255 - torch.tensor(mean)) / torch.tensor(std)
    with torch.no_grad():
        expected = there(x.permute(0, 3, 1, 2)).numpy()
    if change:
        change(model)
        save(model, w.path("weights.safetensors"))
    out = w.path("imported.safetensors")
    words = [word for key in settings for word in ("--set", key)]
    w.run("import", w.path("weights.safetensors"), "--output", out, "--overwrite", *words, timeout=600)
    w.run("embed", out, w.path("pictures.npy"), "--output", w.path("features"), timeout=600)
    return np.load(w.path("features/features.npy")), expected


def without(model, last):
    """The features in front of a head of torchvision."""
    import torch

    def features(x):
        head = getattr(model, last)
        setattr(model, last, torch.nn.Identity())
        found = model(x)
        setattr(model, last, head)
        return found

    return features


def torchvision_s_models_are_imported():
    need_torch()
    import torchvision

    models = [getattr(torchvision.models, name)(weights=None) for name in ("resnet18", "resnet34", "resnet50")]
    for model in models:
        with Workplace() as w:
            expect_same(*import_and_embed(w, model, without(model, "fc"), MEAN, STD, [f"augmentation.size={SIDE}"]))
    vit = torchvision.models.VisionTransformer(
        image_size=SIDE, patch_size=8, num_layers=3, num_heads=2, hidden_dim=128, mlp_dim=256
    )
    with Workplace() as w:
        expect_same(*import_and_embed(w, vit, without(vit, "heads"), MEAN, STD, []))


def a_wrong_weight_would_be_noticed():
    need_torch()
    import torch
    import torchvision

    def flip(model):
        with torch.no_grad():
            model.layer3[0].conv1.weight.neg_()

    model = torchvision.models.resnet18(weights=None)
    with Workplace() as w:
        here, there = import_and_embed(w, model, without(model, "fc"), MEAN, STD, [f"augmentation.size={SIDE}"], flip)
        try:
            expect_same(here, there)
        except AssertionError:
            return
    raise AssertionError("a layer of the wrong sign passed")


def timm_s_models_are_imported():
    need_torch()
    need("timm")
    import timm

    for name, settings, more in (("resnet26", [f"augmentation.size={SIDE}"], {}), ("vit_tiny_patch16_224", [], {"img_size": SIDE}),
                                 ("vit_small_patch14_dinov2", [], {"img_size": 70, "depth": 3})):  # fmt: skip
        model = timm.create_model(name, pretrained=False, **more)
        mean, std = (MEAN, STD) if name.startswith("resnet") else ((0.5,) * 3, (0.5,) * 3)

        def features(x, model=model):
            return model.forward_head(model.forward_features(x), pre_logits=True)

        with Workplace() as w:
            expect_same(*import_and_embed(w, model, features, mean, std, settings, side=more.get("img_size", SIDE)))


CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def clip_of_hugging_face_is_imported():
    need_torch()
    need("transformers")
    from transformers import CLIPConfig, CLIPModel

    tower = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = CLIPConfig(vision_config={**tower, "image_size": SIDE, "patch_size": 16, "projection_dim": 48},
                        text_config={**tower, "vocab_size": 260, "max_position_embeddings": 20, "eos_token_id": 259, "projection_dim": 48},
                        projection_dim=48)  # fmt: skip
    model = CLIPModel(config)

    def features(x):
        return model.visual_projection(model.vision_model(x).pooler_output)

    with Workplace() as w:
        expect_same(*import_and_embed(w, model, features, CLIP_MEAN, CLIP_STD, []))


def clip_of_open_clip_is_imported():
    need_torch()
    need("open_clip")
    import open_clip

    model = open_clip.CLIP(48, {"layers": 3, "width": 128, "head_width": 64, "patch_size": 16, "image_size": SIDE},
                           {"context_length": 20, "vocab_size": 260, "width": 64, "heads": 1, "layers": 2}, quick_gelu=True)  # fmt: skip
    with Workplace() as w:
        expect_same(*import_and_embed(w, model, model.encode_image, CLIP_MEAN, CLIP_STD, []))


run_by_other_python()
main([resnets_of_torchvision, vision_transformers_of_torchvision, text_tower_of_clip, torchvision_s_models_are_imported,
      a_wrong_weight_would_be_noticed, timm_s_models_are_imported, clip_of_hugging_face_is_imported, clip_of_open_clip_is_imported])

"""Weights of other programs as encoders: their names, what is left over, what is missing, other channels."""

import json
import random
import struct

from program import FORMAT, INVALID, Workplace, main, read

PLACE = Workplace(images=32)
WIDTH, DEPTH, PATCH, SIZE, HIDDEN, OUTPUT = 8, 2, 4, 8, 16, 6
HEADS = ["--set", "encoder.heads=2"]


def numbers(shape, seed):
    rng = random.Random(str((seed, shape)))
    count = 1
    for n in shape:
        count *= n
    return [rng.gauss(0, 0.3) for _ in range(count)]


def save(name, tensors, dtype="F32"):
    """tensors: name to (shape, numbers)."""
    form, size = {"F32": ("f", 4), "F16": ("e", 2)}[dtype]
    header, data = {}, b""
    for key, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}{form}", *values)
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(packed)]}
        assert len(packed) == size * len(values)
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(PLACE.path(name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    return PLACE.path(name)


def load(name):
    """Name to (shape, numbers), and the configuration."""
    raw = read(PLACE.path(name))
    n = struct.unpack("<Q", raw[:8])[0]
    header, found = json.loads(raw[8 : 8 + n]), {}
    config = header.pop("__metadata__")["config"]
    for key, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] == "F32":
            found[key] = (tuple(entry["shape"]), struct.unpack(f"<{(end - begin) // 4}f", raw[8 + n + begin : 8 + n + end]))
    return found, config


def close(a, b, tolerance=1e-7):
    return len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b))


def resnet(channels=3, width=4):
    """As torchvision names it: a small stem, two stages of a block each, and a head."""
    shapes = {"conv1.weight": (width, channels, 3, 3), "fc.weight": (5, 2 * width), "fc.bias": (5,)}
    norms = {"bn1": width}
    for stage, (c, k) in enumerate(((width, width), (width, 2 * width)), 1):
        block = f"layer{stage}.0."
        shapes |= {block + "conv1.weight": (k, c, 3, 3), block + "conv2.weight": (k, k, 3, 3)}
        norms |= {block + "bn1": k, block + "bn2": k}
        if c != k:
            shapes[block + "downsample.0.weight"] = (k, c, 1, 1)
            norms[block + "downsample.1"] = k
    for name, k in norms.items():
        shapes |= {f"{name}.{part}": (k,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {name: (shape, [abs(x) + 0.1 for x in numbers(shape, name)] if "running_var" in name else numbers(shape, name))
            for name, shape in shapes.items()}


def block_shapes(norm_1, qkv, qkv_bias, out, norm_2, fc1, fc2):
    shapes = {qkv: (3 * WIDTH, WIDTH), qkv_bias: (3 * WIDTH,), out + "weight": (WIDTH, WIDTH), out + "bias": (WIDTH,),
              fc1 + "weight": (HIDDEN, WIDTH), fc1 + "bias": (HIDDEN,), fc2 + "weight": (WIDTH, HIDDEN), fc2 + "bias": (WIDTH,)}
    return shapes | {norm + part: (WIDTH,) for norm in (norm_1, norm_2) for part in ("weight", "bias")}


ROWS = (SIZE // PATCH) ** 2 + 1


def transformer(block, names, norm, more):
    shapes = dict(more)
    for i in range(DEPTH):
        shapes |= {block.format(i) + name: shape for name, shape in block_shapes(*names).items()}
    shapes |= {norm + part: (WIDTH,) for part in ("weight", "bias")}
    return {name: (shape, numbers(shape, name)) for name, shape in shapes.items()}


def timm_vit():
    names = ("norm1.", "attn.qkv.weight", "attn.qkv.bias", "attn.proj.", "norm2.", "mlp.fc1.", "mlp.fc2.")
    return transformer("blocks.{}.", names, "norm.",
                       {"cls_token": (1, 1, WIDTH), "pos_embed": (1, ROWS, WIDTH), "patch_embed.proj.weight": (WIDTH, 3, PATCH, PATCH),
                        "patch_embed.proj.bias": (WIDTH,), "head.weight": (5, WIDTH), "head.bias": (5,)})


def openai_clip():
    names = ("ln_1.", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.", "ln_2.", "mlp.c_fc.", "mlp.c_proj.")
    return transformer("visual.transformer.resblocks.{}.", names, "visual.ln_post.",
                       {"visual.class_embedding": (WIDTH,), "visual.positional_embedding": (ROWS, WIDTH),
                        "visual.conv1.weight": (WIDTH, 3, PATCH, PATCH), "visual.ln_pre.weight": (WIDTH,), "visual.ln_pre.bias": (WIDTH,),
                        "visual.proj": (WIDTH, OUTPUT)})


def hugging_face(clip):
    """The same under other names: queries, keys and values apart, the projection transposed."""
    renamed = {}
    fixed = {"visual.class_embedding": "embeddings.class_embedding", "visual.conv1.weight": "embeddings.patch_embedding.weight",
             "visual.positional_embedding": "embeddings.position_embedding.weight"}
    for name, (shape, values) in clip.items():
        new = fixed.get(name, name).replace("visual.ln_pre", "pre_layrnorm").replace("visual.ln_post", "post_layernorm")
        new = new.replace("visual.transformer.resblocks", "encoder.layers").replace("ln_1", "layer_norm1").replace("ln_2", "layer_norm2")
        new = new.replace("attn.", "self_attn.").replace("c_fc", "fc1").replace("c_proj", "fc2")
        if "in_proj_" in new:
            third = len(values) // 3
            for i, letter in enumerate("qkv"):
                part = (shape[0] // 3, *shape[1:])
                renamed["vision_model." + new.replace("in_proj_", letter + "_proj.")] = (part, values[i * third : (i + 1) * third])
        elif name == "visual.proj":
            transposed = [values[i * OUTPUT + o] for o in range(OUTPUT) for i in range(WIDTH)]
            renamed["visual_projection.weight"] = ((OUTPUT, WIDTH), transposed)
        else:
            renamed["vision_model." + new] = (shape, values)
    return renamed


def imported(file, *arguments, output="out.safetensors"):
    out, err = PLACE.run("import", file, "--output", PLACE.path(output), "--overwrite", *arguments)
    assert out.strip().startswith(PLACE.path(output)), out
    return err


def picture(channels=3):
    kind = {1: b"P5", 3: b"P6"}[channels]
    with open(PLACE.path("p.pnm"), "wb") as file:
        file.write(kind + b" 8 8 255\n" + bytes(random.Random(1).randrange(256) for _ in range(64 * channels)))
    return PLACE.path("p.pnm")


def features(encoder):
    PLACE.run("embed", encoder, PLACE.path("p.pnm"), "--output", "f")
    data = read(PLACE.path("f/features.npy"))
    return struct.unpack(f"<{(len(data) - 128) // 4}f", data[128:])


def a_resnet_is_known_by_its_shapes():
    weights = resnet()
    said = imported(save("w.safetensors", weights))
    found, config = load("out.safetensors")
    for line in ("name = custom", "block = basic", "blocks = 1, 1", "width = 4", "stem = small", "channels = 3", "size = 32"):
        assert line in config, line
    assert "0.485" in config and "0.229" in config and "store_side = 48" in config
    assert {name: shape for name, (shape, _) in found.items()} == {n: s for n, (s, _) in weights.items() if not n.startswith("fc.")}
    assert all(close(values, weights[name][1]) for name, (_, values) in found.items())
    assert "left out, 2 of heads" in said and "fc.weight, fc.bias" in said, said
    picture()
    assert len(features("out.safetensors")) == 8


def halves_and_a_prefix_are_taken():
    weights = resnet()
    imported(save("w.safetensors", {"module.encoder_q." + name: value for name, value in weights.items()}, "F16"))
    found, _ = load("out.safetensors")
    assert close(found["conv1.weight"][1], weights["conv1.weight"][1], 1e-3)
    assert struct.pack("<108e", *found["conv1.weight"][1]) == struct.pack("<108e", *weights["conv1.weight"][1])


def a_transformer_of_timm_has_our_names():
    weights = timm_vit()
    PLACE.refused("import", save("w.safetensors", weights), "--output", "n.safetensors", status=INVALID, says=["encoder.heads"])
    said = imported(save("w.safetensors", weights), *HEADS)
    found, config = load("out.safetensors")
    assert close(found["encoder.layers.encoder_layer_1.self_attention.in_proj_weight"][1], weights["blocks.1.attn.qkv.weight"][1])
    assert close(found["encoder.pos_embedding"][1], weights["pos_embed"][1]) and close(found["encoder.ln.bias"][1], weights["norm.bias"][1])
    assert len(found) == len(weights) - 2 and "mlp_ratio = 2" in config and "patch = 4" in config and "size = 8" in config
    assert "mean = 0.5, 0.5, 0.5" in config and "head.weight" in said


def layer_scale_becomes_a_part_of_its_layer():
    gamma = numbers((WIDTH,), "gamma")
    weights = timm_vit() | {"blocks.1.ls1.gamma": ((WIDTH,), gamma), "blocks.0.ls2.gamma": ((WIDTH,), gamma)}
    imported(save("w.safetensors", weights), *HEADS)
    found, _ = load("out.safetensors")
    for ours, theirs, columns in (("1.self_attention.out_proj", "1.attn.proj", WIDTH), ("0.mlp.3", "0.mlp.fc2", HIDDEN)):
        weight, bias = (weights[f"blocks.{theirs}.{part}"][1] for part in ("weight", "bias"))
        expected = [gamma[i // columns] * value for i, value in enumerate(weight)]
        assert close(found[f"encoder.layers.encoder_layer_{ours}.weight"][1], expected)
        assert close(found[f"encoder.layers.encoder_layer_{ours}.bias"][1], [g * value for g, value in zip(gamma, bias)])
    assert close(found["encoder.layers.encoder_layer_0.self_attention.out_proj.weight"][1], weights["blocks.0.attn.proj.weight"][1])
    weights["blocks.0.ls2.gamma"] = ((HIDDEN,), numbers((HIDDEN,), 0))
    PLACE.refused("import", save("w.safetensors", weights), *HEADS, "--output", "n.safetensors", status=FORMAT, says=["blocks.0.mlp.fc2"])


def both_forms_of_clip_give_the_same_encoder():
    clip = openai_clip()
    imported(save("w.safetensors", clip), *HEADS)
    ours = load("out.safetensors")
    imported(save("h.safetensors", hugging_face(clip)), *HEADS)
    theirs = load("out.safetensors")
    assert ours == theirs and "quick_gelu" in ours[1] and "pre_norm = true" in ours[1] and "output = 6" in ours[1]
    assert close(ours[0]["proj"][1], clip["visual.proj"][1]) and not any(ours[0]["conv_proj.bias"][1])
    picture()
    assert len(features("out.safetensors")) == OUTPUT


def what_is_missing_differs_or_is_left_over_is_named():
    weights = resnet()
    del weights["layer2.0.bn2.bias"]
    weights["layer1.0.conv2.weight"] = ((4, 4, 1, 1), numbers((4, 4, 1, 1), 0))
    PLACE.refused("import", save("w.safetensors", weights), "--output", "n.safetensors", status=FORMAT,
                  says=["layer2.0.bn2.bias", "layer1.0.conv2.weight (4,4,1,1) in place of (4,4,3,3)"])
    more = timm_vit() | {"blocks.0.attn.q_norm.weight": ((WIDTH,), numbers((WIDTH,), 0))}
    PLACE.refused("import", save("w.safetensors", more), *HEADS, "--output", "n.safetensors", status=FORMAT,
                  says=["blocks.0.attn.q_norm.weight", "--allow-changes"])
    assert "blocks.0.attn.q_norm.weight" in imported(PLACE.path("w.safetensors"), *HEADS, "--allow-changes")
    PLACE.refused("import", save("w.safetensors", {"a.weight": ((2,), [1, 2])}), "--output", "n.safetensors", status=INVALID,
                  says=["a.weight", "torchvision"])
    PLACE.refused("import", save("w.safetensors", {"visual.attnpool.c_proj.weight": ((2,), [1, 2])}), "--output", "n.safetensors",
                  status=INVALID, says=["CLIP's ResNet"])
    PLACE.refused("import", save("w.safetensors", resnet()), "--output", PLACE.path("out.safetensors"), status=INVALID,
                  says=["out.safetensors", "--overwrite"])


def a_text_network_needs_its_tokenizer():
    names = ("ln_1.", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.", "ln_2.", "mlp.c_fc.", "mlp.c_proj.")
    text = transformer("transformer.resblocks.{}.", names, "ln_final.",
                       {"token_embedding.weight": (260, WIDTH), "positional_embedding": (16, WIDTH), "text_projection": (WIDTH, OUTPUT)})
    both = openai_clip() | text | {"logit_scale": ((), [4.0])}
    PLACE.refused("import", save("t.safetensors", text), "--output", "n.safetensors", status=INVALID, says=["--tokenizer"])
    with open(PLACE.path("lines.txt"), "w", encoding="utf-8") as file:
        file.write("a cat\nthe dog\nx y z\nhello\n")
    PLACE.run("train.ini", "--overwrite", *(word for key in (
        "data.train_images=", "data.train_labels=", "data.test_images=", "data.test_labels=", "data.train=" + PLACE.path("lines.txt"),
        "encoder.name=gru", "encoder.block=auto", "encoder.blocks=", "tokens.tokenizer=bytes", "training.batch=2", "training.epochs=1",
        "output.folder=" + PLACE.path("texts")) for word in ("--set", key)))
    tokenizer = ["--tokenizer", PLACE.path("texts/tokenizer.json"), "--set", "text_encoder.heads=2", *HEADS]
    imported(save("t.safetensors", both), *tokenizer, output="folder")
    assert "clip" in read(PLACE.path("folder/config.ini")).decode()
    PLACE.run("embed", "folder", "lines.txt", "--tower", "text", "--output", "f")
    picture()
    assert len(features("folder")) == OUTPUT
    assert "text network is left out" in imported(save("t.safetensors", both), *HEADS)
    text["token_embedding.weight"] = ((259, WIDTH), numbers((259, WIDTH), 0))
    PLACE.refused("import", save("t.safetensors", text), *tokenizer, "--output", "n.safetensors", status=INVALID, says=["260 tokens", "259"])


def an_encoder_gets_other_channels():
    """Grey pictures give the same features as the same in colour."""
    weights = resnet()
    imported(save("w.safetensors", weights), "--set", "augmentation.mean=0.5,0.5,0.5", "--set", "augmentation.std=0.5,0.5,0.5", output="colour.safetensors")
    picture(1)
    colour = features("colour.safetensors")
    said = imported(PLACE.path("colour.safetensors"), "--set", "data.channels=1", output="grey.safetensors")
    assert "conv1.weight: 3 channels become 1, their sum" in said, said
    assert close(features("grey.safetensors"), colour, 1e-4 * max(map(abs, colour)))
    back = imported(PLACE.path("grey.safetensors"), "--set", "data.channels=3", output="back.safetensors")
    assert "1 channels become 3" in back and close(features("back.safetensors"), colour, 1e-4 * max(map(abs, colour)))
    PLACE.run("train.ini", "--dry-run", "--set", "encoder.weights=" + PLACE.path("grey.safetensors"), "--set", "encoder.width=4")


def an_encoder_gets_another_head():
    """A run by labels leaves its classes behind, one with a layer of the projector that."""
    quick = ("--set", "training.epochs=1", "--set", "evaluation.tasks=knn", "--set", "evaluation.baselines=false", "--overwrite")
    picture(1)
    for head, keys, more in (("fc.", ["method.name=supervised"], []), ("projector.", ["projector.keep=1"], ["projector.keep=0"])):
        PLACE.train(*quick, *(word for key in keys for word in ("--set", key)))
        whole, _ = load("run/encoder.safetensors")
        said = imported(PLACE.path("run"), *(word for key in more for word in ("--set", key)))
        found, _ = load("out.safetensors")
        assert found == {name: value for name, value in whole.items() if not name.startswith(head)} != whole, (head, found.keys())
        assert head in said, said
        width = len(features("out.safetensors"))
        assert width == 16 and (head != "fc." or features("run") == features("out.safetensors"))
    PLACE.refused("import", PLACE.path("out.safetensors"), "--set", "projector.keep=1", "--output", "n.safetensors", status=FORMAT,
                  says=["lacks projector.0.weight"])


with PLACE:
    main([a_resnet_is_known_by_its_shapes, halves_and_a_prefix_are_taken, a_transformer_of_timm_has_our_names, layer_scale_becomes_a_part_of_its_layer,
          both_forms_of_clip_give_the_same_encoder, what_is_missing_differs_or_is_left_over_is_named,
          a_text_network_needs_its_tokenizer, an_encoder_gets_other_channels, an_encoder_gets_another_head])

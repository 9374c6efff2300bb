"""An ONNX file is whole: every value is made before it is used, weights are those of the encoder file, and the metadata
say how samples are prepared."""

import json
import random
import struct

from program import INVALID, SIDE, Workplace, main

WIRE_VARINT, WIRE_BYTES, WIRE_FLOAT = 0, 2, 5


def fields(message):
    """(number, value) of a protobuf message: numbers, bytes or floats."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == WIRE_VARINT:
            yield key >> 3, varint()
        elif key & 7 == WIRE_BYTES:
            size = varint()
            assert at + size <= len(message), "a field goes beyond its message"
            yield key >> 3, message[at : at + size]
            at += size
        else:
            assert key & 7 == WIRE_FLOAT, f"wire type {key & 7}"
            yield key >> 3, struct.unpack_from("<f", message, at)[0]
            at += 4


def every(message, number):
    return [value for n, value in fields(message) if n == number]


def texts(message, number):
    return [value.decode() for value in every(message, number)]


def weights_of(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__")
    return {name: data[slice(*t["data_offsets"])] for name, t in header.items()}


def dimensions(value):
    """Names or lengths of an input's dimensions."""
    (shape,) = every(every(every(value, 2)[0], 1)[0], 2)
    return [(texts(d, 2) or every(d, 1))[0] for d in every(shape, 1)]


def parse(path, opset=17):
    """The model's nodes (op, inputs, outputs), constants by name, dimensions of the inputs, outputs and metadata; every
    value is made before it is used."""
    with open(path, "rb") as file:
        model = file.read()
    assert every(every(model, 8)[0], 2) == [opset], "another opset"
    (graph,) = every(model, 7)
    nodes = [(texts(n, 4)[0], texts(n, 1), texts(n, 2)) for n in every(graph, 1)]
    constants = {texts(t, 8)[0]: every(t, 9)[0] for t in every(graph, 5)}
    inputs = {texts(v, 1)[0]: dimensions(v) for v in every(graph, 11)}
    metadata = {texts(m, 1)[0]: texts(m, 2)[0] for m in every(model, 14)}
    check_values(nodes, constants, inputs, [texts(v, 1)[0] for v in every(graph, 12)])
    return nodes, constants, inputs, metadata


def check_values(nodes, constants, inputs, outputs):
    known = {*constants, *inputs}
    for op, reads, makes in nodes:
        assert not {name for name in reads if name} - known, f"{op} reads {reads} before they are made"
        assert not set(makes) & known, f"{op} makes {makes} a second time"
        known |= set(makes)
    assert outputs == ["features"] and "features" in known, outputs
    used = {name for _, reads, _ in nodes for name in reads}
    assert set(constants) <= used, f"nothing uses {set(constants) - used}"


def ops_of(nodes):
    return {op for op, _, _ in nodes}


def a_resnet_is_written_whole():
    with Workplace() as w:
        w.train("--set", "projector.keep=1", "--set", "training.epochs=1")
        out, _ = w.run("export", "run", "encoder.onnx")
        assert out.strip() == "encoder.onnx", out
        nodes, constants, inputs, metadata = parse(w.path("encoder.onnx"))
        assert inputs == {"images": ["batch", 1, SIDE, SIDE]}, inputs
        assert {"Conv", "BatchNormalization", "Relu", "Add", "GlobalAveragePool", "MatMul"} <= ops_of(nodes), nodes
        weights = weights_of(w.path("run/encoder.safetensors"))
        want = {name for name in weights if not name.endswith("num_batches_tracked")}
        assert set(constants) == want, set(constants) ^ want
        assert all(constants[name] == weights[name] for name in want), "a weight differs"
        assert metadata["clcontrast.size"] == str(SIDE) and metadata["clcontrast.channels"] == "1", metadata
        assert 0 < float(metadata["clcontrast.mean"]) < 1 and 0 < float(metadata["clcontrast.std"]) < 1, metadata
        assert metadata["clcontrast.resize"].startswith("square"), metadata
        halves_are_the_weights_rounded(w, weights)
        preparation_is_in_the_graph(w, float(metadata["clcontrast.mean"]))
        what_cannot_be_is_refused(w)


def halves_are_the_weights_rounded(w, weights):
    w.run("export", "run", "halves.onnx", "--fp16")
    nodes, constants, _, _ = parse(w.path("halves.onnx"))
    assert [op for op, _, _ in nodes].count("Cast") == 2, "inputs or features aren't floats"
    for name, data in constants.items():
        floats = struct.unpack(f"<{len(weights[name]) // 4}f", weights[name])
        assert data == struct.pack(f"<{len(floats)}e", *floats), name


def preparation_is_in_the_graph(w, mean):
    out, _ = w.run("export", "run", "--as", "onnx", "--pixels", "--opset", "20")
    assert out.strip() == "run/encoder.onnx", out
    nodes, constants, inputs, _ = parse(w.path("run/encoder.onnx"), opset=20)
    assert list(inputs) == ["pixels"] and [op for op, _, _ in nodes[:2]] == ["Sub", "Div"], nodes[:2]
    assert abs(struct.unpack("<f", constants["input.mean"])[0] - 255 * mean) < 1e-3, mean
    for setting, op in ("augmentation.crop=square", "Slice"), ("evaluation.resize=whole", "MatMul"), ("augmentation.crop=center", "Pad"):
        w.run("export", "run", "pictures.onnx", "--preprocess", "--set", setting)
        nodes, _, inputs, metadata = parse(w.path("pictures.onnx"))
        assert inputs == {"pictures": ["batch", "height", "width", 1]}, inputs
        assert {"Range", "Floor", "Sub", op} <= ops_of(nodes), nodes
        assert metadata["clcontrast.input"].startswith("bytes"), metadata


def what_cannot_be_is_refused(w):
    w.refused("export", "run", "encoder.bin", status=INVALID, says=["--as", ".onnx"])
    w.refused("export", "run", "--as", "onnx", "--tower", "sound", status=INVALID, says=["--tower sound", "image"])
    w.refused("export", "run", "--as", "onnx", "--tower", "text", status=INVALID, says=["texts"])
    w.refused("export", "run", "--as", "onnx", "--opset", "16", status=INVALID, says=["--opset 16", "17", "20"])
    w.refused("export", "run", "--as", "onnx", "--opset", "21", status=INVALID, says=["--opset 21", "17", "20"])
    data = bytearray(weights_file(w.path("run/encoder.safetensors")))
    data[-4:] = struct.pack("<f", 1e6)
    w.refused("export", with_data(w, data), "--as", "onnx", "--fp16", status=INVALID, says=["1e+06", "65504", "--fp16"])


def weights_file(path):
    with open(path, "rb") as file:
        return file.read()


def with_data(w, data):
    """An encoder file of that content, without the checksum of what it was."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(bytes(data[8 : 8 + length]))
    header["__metadata__"].pop("xxh3")
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(w.path("changed.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return "changed.safetensors"


def a_vision_transformer_is_written_whole():
    with Workplace() as w:
        w.train("--set", "training.epochs=1", "--set", "encoder.name=vit", "--set", "encoder.block=auto",
                "--set", "encoder.blocks=", "--set", "encoder.width=16", "--set", "encoder.depth=1",
                "--set", "encoder.heads=2")  # fmt: skip
        w.run("export", "run", "vit.onnx")
        nodes, constants, _, _ = parse(w.path("vit.onnx"))
        assert {"Conv", "Expand", "LayerNormalization", "Softmax", "Erf"} <= ops_of(nodes), nodes
        weights = weights_of(w.path("run/encoder.safetensors"))
        assert all(constants[name] == weights[name] for name in weights), "a weight differs"


def train_on_texts(w, *settings):
    rng = random.Random(2)
    with open(w.path("texts.txt"), "w", encoding="utf-8") as file:
        for _ in range(64):
            file.write(" ".join(rng.choices("bread soup apple cheese pepper salt rice".split(), k=rng.randint(1, 7))) + "\n")
    settings = ["data.train=" + w.path("texts.txt"), "data.as=tokens", "tokens.tokenizer=words", "encoder.width=16", "encoder.depth=1",
                "projector.hidden=8", "projector.output=8", "training.epochs=1", "training.batch=32", "training.watch_every=0",
                "encoder.context=9", "output.folder=" + w.path("run"), *settings]  # fmt: skip
    with open(w.path("texts.ini"), "w", encoding="utf-8") as file:
        file.write("[optimizer]\nwarmup_epochs = 0\n")
    w.run("texts.ini", "--overwrite", *(word for setting in settings for word in ("--set", setting)))


def networks_of_texts_take_any_length():
    with Workplace(images=4) as w:
        for settings, ops in (
            (["encoder.name=transformer", "encoder.heads=2"], {"Gather", "LessOrEqual", "And", "Softmax", "GatherND"}),
            (["encoder.name=transformer", "encoder.heads=2", "encoder.bidirectional=true", "encoder.pooling=class"],
             {"Expand", "Less", "Softmax"}),
            (["encoder.name=conv1d"], {"Conv", "Where", "ReduceSum", "Div"}),
        ):  # fmt: skip
            train_on_texts(w, *settings)
            w.run("export", "run", "texts.onnx")
            nodes, constants, inputs, metadata = parse(w.path("texts.onnx"))
            assert inputs == {"tokens": ["batch", "steps"], "lengths": ["batch"]}, inputs
            assert ops <= ops_of(nodes), ops - ops_of(nodes)
            weights = weights_of(w.path("run/encoder.safetensors"))
            assert all(constants[name] == weights[name] for name in weights), "a weight differs"
            assert "bread" in json.loads(metadata["clcontrast.tokenizer"])["model"]["vocab"], metadata
            assert metadata["clcontrast.context"] == "9", metadata
        w.refused("export", "run", "texts.onnx", "--pixels", status=INVALID, says=["tokenizer", "--pixels"])


def blocks(data, order):
    """The gates of a parameter in another order."""
    size = len(data) // len(order)
    return b"".join(data[size * i : size * (i + 1)] for i in order)


def gates_of_recurrent_layers_have_the_order_of_onnx():
    with Workplace(images=4) as w:
        for name, order in ("gru", [1, 0, 2]), ("lstm", [0, 3, 1, 2]):
            train_on_texts(w, "encoder.name=" + name, "encoder.bidirectional=true", "encoder.pooling=last")
            w.run("export", "run", "texts.onnx")
            nodes, constants, inputs, _ = parse(w.path("texts.onnx"))
            assert list(inputs) == ["tokens", "lengths"] and {name.upper(), "Concat"} <= ops_of(nodes), nodes
            weights = {key: blocks(value, order) for key, value in weights_of(w.path("run/encoder.safetensors")).items()}
            layer = f"rnn.l0/{name}"
            for there, here in ("W", ["weight_ih"]), ("R", ["weight_hh"]), ("B", ["bias_ih", "bias_hh"]):
                want = b"".join(weights[f"rnn.{part}_l0{end}"] for end in ("", "_reverse") for part in here)
                assert constants[f"{layer}.{there}"] == want, (name, there)


main([a_resnet_is_written_whole, a_vision_transformer_is_written_whole, networks_of_texts_take_any_length,
      gates_of_recurrent_layers_have_the_order_of_onnx])

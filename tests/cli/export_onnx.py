"""An ONNX file is whole: every value is made before it is used, weights are those of the encoder file, and the metadata
say how images are prepared."""

import json
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


def parse(path):
    """The model's nodes (op, inputs, outputs), constants by name, inputs, outputs and metadata."""
    with open(path, "rb") as file:
        model = file.read()
    assert every(every(model, 8)[0], 2) == [17], "another opset"
    (graph,) = every(model, 7)
    nodes = [(texts(n, 4)[0], texts(n, 1), texts(n, 2)) for n in every(graph, 1)]
    constants = {texts(t, 8)[0]: every(t, 9)[0] for t in every(graph, 5)}
    values = [[texts(v, 1)[0] for v in every(graph, number)] for number in (11, 12)]
    metadata = {texts(m, 1)[0]: texts(m, 2)[0] for m in every(model, 14)}
    return nodes, constants, *values, metadata


def check_values(nodes, constants, inputs, outputs):
    known = {*constants, *inputs}
    for op, reads, makes in nodes:
        assert not {name for name in reads if name} - known, f"{op} reads {reads} before they are made"
        assert not set(makes) & known, f"{op} makes {makes} a second time"
        known |= set(makes)
    assert outputs == ["features"] and "features" in known, outputs
    used = {name for _, reads, _ in nodes for name in reads}
    assert set(constants) <= used, f"nothing uses {set(constants) - used}"


def a_resnet_is_written_whole():
    with Workplace() as w:
        w.train("--set", "projector.keep=1", "--set", "training.epochs=1")
        out, _ = w.run("export", "run", "encoder.onnx")
        assert out.strip() == "encoder.onnx", out
        nodes, constants, inputs, outputs, metadata = parse(w.path("encoder.onnx"))
        check_values(nodes, constants, inputs, outputs)
        assert inputs == ["images"], inputs
        ops = [op for op, _, _ in nodes]
        assert {"Conv", "BatchNormalization", "Relu", "Add", "GlobalAveragePool", "MatMul"} <= set(ops), ops
        weights = weights_of(w.path("run/encoder.safetensors"))
        want = {name for name in weights if not name.endswith("num_batches_tracked")}
        assert set(constants) == want, set(constants) ^ want
        assert all(constants[name] == weights[name] for name in want), "a weight differs"
        assert metadata["clcontrast.size"] == str(SIDE) and metadata["clcontrast.channels"] == "1", metadata
        assert 0 < float(metadata["clcontrast.mean"]) < 1 and 0 < float(metadata["clcontrast.std"]) < 1, metadata
        assert metadata["clcontrast.resize"].startswith("square"), metadata
        out, _ = w.run("export", "run", "--as", "onnx", "--pixels")
        assert out.strip() == "run/encoder.onnx", out
        nodes, constants, inputs, outputs, metadata = parse(w.path("run/encoder.onnx"))
        check_values(nodes, constants, inputs, outputs)
        assert inputs == ["pixels"] and [op for op, _, _ in nodes[:2]] == ["Sub", "Div"], nodes[:2]
        (mean,) = struct.unpack("<f", constants["mean255"])
        assert abs(mean - 255 * float(metadata["clcontrast.mean"])) < 1e-3, mean
        w.refused("export", "run", "encoder.bin", status=INVALID, says=["--as", ".onnx"])
        w.refused("export", "run", "--as", "onnx", "--tower", "sound", status=INVALID, says=["--tower sound", "image"])
        w.refused("export", "run", "--as", "onnx", "--tower", "text", status=INVALID, says=["texts"])


def a_vision_transformer_is_written_whole():
    with Workplace() as w:
        w.train("--set", "training.epochs=1", "--set", "encoder.name=vit", "--set", "encoder.block=auto",
                "--set", "encoder.blocks=", "--set", "encoder.width=16", "--set", "encoder.depth=1",
                "--set", "encoder.heads=2")  # fmt: skip
        w.run("export", "run", "vit.onnx")
        nodes, constants, inputs, outputs, _ = parse(w.path("vit.onnx"))
        check_values(nodes, constants, inputs, outputs)
        ops = {op for op, _, _ in nodes}
        assert {"Conv", "Expand", "LayerNormalization", "Softmax", "Erf"} <= ops, ops
        weights = weights_of(w.path("run/encoder.safetensors"))
        assert all(constants[name] == weights[name] for name in weights), "a weight differs"


main([a_resnet_is_written_whole, a_vision_transformer_is_written_whole])

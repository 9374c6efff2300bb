"""What tests of exported networks share: running them in onnxruntime, comparing, and breaking them."""

from program import Skip

# Of the largest feature. Halves have 11 bits: each rounding is off by up to 2^-11, 5e-4, and a network rounds weights and
# values layer by layer; some tens of roundings that don't conspire make 3e-3, and room is left for those that do.
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2


def need(*modules):
    for name in modules:
        try:
            __import__(name)
        except ImportError as missing:
            raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


def metadata_of(model):
    import onnx

    return {entry.key: entry.value for entry in onnx.load(model).metadata_props}


def checked(model):
    """Its name, after onnx has looked at all of it."""
    import onnx

    onnx.checker.check_model(model, full_check=True)
    return model


def run_model(model, **inputs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(["features"], inputs)[0]


def error(ours, theirs):
    import numpy as np

    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return np.abs(ours - theirs).max() / np.abs(ours).max()


def expect_same(what, ours, theirs, tolerance=TOLERANCE):
    worst = error(ours, theirs)
    print(f"# {what}: {worst:.1e} of the largest feature")
    assert worst <= tolerance, worst


def broken(model, rank):
    """The same with the largest weight of the last constant of so many dimensions or more turned round, as bytes."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    copy = onnx.load(model)
    last = [t for t in copy.graph.initializer if len(t.dims) >= rank and t.data_type == onnx.TensorProto.FLOAT][-1]
    values = numpy_helper.to_array(last).copy()
    values.flat[np.abs(values).argmax()] *= -1
    last.raw_data = values.tobytes()
    return copy.SerializeToString()


def expect_broken(ours, model, rank=2, **inputs):
    worse = error(ours, run_model(broken(model, rank), **inputs))
    print(f"# a weight changed: {worse:.1e}")
    assert not worse <= TOLERANCE, f"a weight was changed, but the features differ by {worse:.1e} only"

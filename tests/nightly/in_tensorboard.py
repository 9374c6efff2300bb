"""TensorBoard reads the event files of a run and of its continuation: the scalars of metrics.csv, the views and the map.
Prints TAP; skipped without the package (PyPI: tensorboard).

    in_tensorboard.py CLCONTRAST
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import program  # noqa: E402

try:
    from tensorboard.backend.event_processing import event_accumulator
except ImportError:
    print("1..0 # SKIP no Python package tensorboard")
    sys.exit(0)


def accumulated(folder):
    read = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
    read.Reload()
    return read


def rows(w):
    lines = [line.split(",") for line in program.read(w.path("run/metrics.csv")).decode().splitlines()[1:]]
    return [(int(line[0]), float(line[2])) for line in lines]


def scalars_and_pictures_are_read():
    with program.Workplace() as w:
        w.train("--set", "output.tensorboard=true")
        read = accumulated(w.path("run"))
        found = [(s.step, s.value) for s in read.Scalars("loss")]
        assert len(found) == 60
        for (step, value), (wanted_step, wanted) in zip(found, rows(w)):
            assert step == wanted_step and abs(value - wanted) <= 1e-6 * abs(wanted), (step, value, wanted)
        assert {"views", "map"} <= set(read.Tags()["images"])
        picture = read.Images("views")[0]
        assert picture.step == 60 and picture.width > 100 and picture.encoded_image_string[:2] == b"\xff\xd8"


def a_resumed_run_goes_on():
    with program.Workplace() as w:
        w.train("--set", "output.tensorboard=true", "--set", "training.epochs=1")
        w.train("--set", "output.tensorboard=true", "--resume", "--allow-changes")
        found = [(s.step, s.value) for s in accumulated(w.path("run")).Scalars("loss")]
        assert [step for step, _ in found] == list(range(1, 61))


program.main([scalars_and_pictures_are_read, a_resumed_run_goes_on])

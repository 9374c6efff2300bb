"""Training on a device with little of everything: narrow.py CLCONTRAST LAYER.

The layer makes PoCL's device report and enforce limits: see layer.c."""

import csv
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import MEMORY, Workplace, main

LAYER = os.path.abspath(sys.argv[2])
SHORT = ["--set", "training.epochs=1", "--set", "data.limit=160", "--set", "device.profile=gpu"]
RESIDENT = ["--set", "data.residency=device"]
ALONE = ["--set", "evaluation.baselines=false", "--set", "evaluation.linear_epochs=0"]


def narrow(**limits):
    return {"OCL_ICD_VENDORS": "pocl.icd", "OPENCL_LAYERS": LAYER, **{k: str(v) for k, v in limits.items()}}


def losses(w):
    with open(w.path("run/metrics.csv"), encoding="utf-8") as file:
        return [row["loss"] for row in csv.DictReader(file)]


def planned(err, what):
    """Bytes in the memory plan, rounded up to its 0.01 MB."""
    return int((float(re.search(rf"  {what} +([0-9.]+)", err)[1]) + 0.005) * 1e6)


def advised(w, *arguments, **limits):
    """The settings that a refusal names."""
    _, err = w.run("train.ini", *arguments, "--dry-run", status=MEMORY, **narrow(**limits))
    last = err.strip().splitlines()[-1]
    found = dict(re.findall(r"--set ([a-z_.]+)=(\d+)", last))
    assert found, last
    return found


def limits_are_reported():
    with Workplace() as w:
        out, _ = w.run("devices", "--json", **narrow(NARROW_MEMORY=10**9, NARROW_BUFFER=10**8))
        device = json.loads(out)["devices"][0]
        assert device["max_group"] == 256 and device["max_group_sizes"] == [256] * 3, device
        assert device["local_memory"] == 32768 and "fp64" not in device["extensions"], device
        assert device["memory"] == 10**9 and device["largest_buffer"] == 10**8, device


def training_is_the_same_under_narrow_limits():
    with Workplace() as w:
        w.train(*SHORT, OCL_ICD_VENDORS="pocl.icd")
        want = losses(w)
        w.train(*SHORT, "--overwrite", **narrow(NARROW_MEMORY=10**9, NARROW_BUFFER=10**8))
        assert len(want) == 10 and losses(w) == want, (want, losses(w))


def the_plan_is_enough_and_no_more():
    """5 % of the memory are left to the driver; what is planned suffices, enforced to the byte."""
    with Workplace() as w:
        _, err = w.train(*SHORT, *ALONE, "--dry-run", **narrow())
        total = planned(err, "total")
        w.train(*SHORT, "--dry-run", **narrow(NARROW_MEMORY=int(total / 0.95) + 1))
        advised(w, *SHORT, *RESIDENT, NARROW_MEMORY=int(total / 0.96))


def settings_that_are_advised_do_fit():
    large = ["--set", "encoder.width=16", "--set", "training.batch=480"]
    with Workplace() as w:
        _, err = w.run("train.ini", *large, "--dry-run", status=MEMORY, **narrow(NARROW_BUFFER=1000))
        total, largest = (int(n) * 10**6 for n in re.search(r"needs (\d+) MB in all and (\d+) MB", err).groups())
        for limits in ({"NARROW_MEMORY": total // 2}, {"NARROW_BUFFER": largest // 2}):
            found = advised(w, *large, **limits)
            assert "training.batch" in found and "training.micro_batch" in found, found
            for key, value in found.items():
                w.train(*large, "--set", f"{key}={value}", "--dry-run", **narrow(**limits))


def more_images_than_memory():
    with Workplace(images=20000) as w:
        small = ["--set", "training.batch=8", "--set", "encoder.width=4"]
        limits = {"NARROW_MEMORY": 3 * 10**6}
        _, err = w.run("train.ini", *small, *RESIDENT, "--dry-run", status=MEMORY, **narrow(**limits))
        assert "data.residency=host" in err, err
        _, err = w.train(*small, "--dry-run", **narrow(**limits))
        assert "brought a batch at a time" in err, err


def images_in_several_buffers_are_the_same():
    """Where the largest buffer is too small for all images, they lie in several."""
    arguments = ["--set", "training.epochs=1", "--set", "training.batch=25", "--set", "encoder.width=2",
                 "--set", "device.profile=gpu", "--set", "data.test_images=", "--set", "data.test_labels=", *RESIDENT]
    with Workplace(images=2400) as w: # 346 KB
        w.train(*arguments, OCL_ICD_VENDORS="pocl.icd")
        want = losses(w)
        w.train(*arguments, "--overwrite", **narrow(NARROW_BUFFER=2 * 10**5))
        assert len(want) == 96 and losses(w) == want, (want, losses(w))


def pictures_in_several_buffers_are_the_same():
    """2.88 MB of pictures: three or four buffers, or more than the device may have."""
    options = ["--set", "training.batch=8", "--set", "encoder.width=4", "--set", "training.epochs=1"]
    options += ["--set", "data.train_labels=", "--set", "data.limit=20000", "--set", "training.log_every=50"]
    with Workplace(images=20000) as w:
        w.train(*options, "--set", "data.residency=host", OCL_ICD_VENDORS="pocl.icd")
        want = losses(w)
        device = [*options, "--set", "data.residency=device", "--overwrite"]
        _, err = w.train(*device, **narrow(NARROW_BUFFER=10**6))
        assert planned(err, "data set") > 2 * 10**6, err
        assert len(want) == 50 and losses(w) == want
        _, err = w.run("train.ini", *device, status=MEMORY, **narrow(NARROW_BUFFER=5 * 10**5))
        assert "data.residency = device" in err and "4 buffers" in err, err


def features_that_do_not_fit_leave_the_others():
    """The untrained encoder has weights of its own beside the trained ones, the encoder has not."""
    with Workplace() as w:
        few = ["--set", "training.epochs=1", "--set", "data.limit=32", "--set", "encoder.width=64"]
        w.train(*few, *ALONE, "--set", "evaluation.tasks=knn", OCL_ICD_VENDORS="pocl.icd")
        arguments = ["--tasks", "knn", "--set", "evaluation.batch=4", "--set", "evaluation.baselines=true", "--set", "output.report=false"]
        err = ""
        for memory in range(9 * 10**6, 7 * 10**6, -3 * 10**5):
            if "features of untrained encoder" not in err:
                process = w.start("eval", "run", *arguments, **narrow(NARROW_MEMORY=memory))
                _, err = process.communicate(timeout=600)
        with open(w.path("run/evaluation.json"), encoding="utf-8") as file:
            rows = {row["features"]: row for row in json.load(file)}
        assert process.returncode == MEMORY and "features of untrained encoder" in err, err
        assert "knn" not in rows["untrained encoder"] and "allocating" in rows["untrained encoder"]["failed"]["features"], rows
        assert all("knn" in rows[name] for name in ("raw pixels", "colour histogram", "encoder")), rows


main(
    [
        features_that_do_not_fit_leave_the_others,
        pictures_in_several_buffers_are_the_same,
        limits_are_reported,
        training_is_the_same_under_narrow_limits,
        the_plan_is_enough_and_no_more,
        settings_that_are_advised_do_fit,
        more_images_than_memory,
        images_in_several_buffers_are_the_same,
    ]
)

"""A shipped configuration trains a good encoder on Fashion-MNIST: quality.py CLCONTRAST METHOD [EPOCHS].

Takes minutes to hours. The accuracies asked for are those that three epochs gave, less a point: more must not be
worse."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main

CONFIG = os.path.join(os.path.dirname(__file__), "../../config")
DATA = "/usr/share/datasets/fashion-mnist"

# Percent right after three epochs: kNN, linear probe.
THREE_EPOCHS = {
    "simclr": (82.6, 87.1),
    "mocov2": (79.0, 84.9),
    "byol": (79.2, 83.6),
    "swav": (81.0, 85.9),
    "barlow": (76.1, 82.9),
    "simsiam": (80.6, 85.2),
    "vicreg": (79.6, 85.1),
    "supcon": (88.6, 89.8),
}


def the_encoder_is_good():
    method, epochs = sys.argv[2], sys.argv[3:]
    if not os.path.isdir(DATA):
        raise Skip("install dataset-fashion-mnist")
    with Workplace() as w:
        settings = ["output.folder=" + w.path("out"), *("training.epochs=" + n for n in epochs)]
        overrides = [word for setting in settings for word in ("--set", setting)]
        w.run(os.path.join(CONFIG, method + ".ini"), *overrides, timeout=6 * 3600)
        with open(w.path("out/evaluation.json"), encoding="utf-8") as file:
            result = next(row for row in json.load(file) if row["features"] == "encoder")
    found = [100 * result[classifier]["accuracy"] for classifier in ("knn", "linear")]
    print(f"# {method}: kNN {found[0]:.2f}, linear {found[1]:.2f}")
    for percent, asked in zip(found, THREE_EPOCHS[method]):
        assert percent >= asked - 1, f"{percent:.2f} where {asked} was reached"


main([the_encoder_is_good])

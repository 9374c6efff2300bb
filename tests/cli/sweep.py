"""Sweeps: all combinations, one table, and going on after an interruption."""

import csv
import os
import signal

from program import INTERRUPTED, INVALID, Workplace, main, read, wait_for, wait_for_rows

PROJECTOR = ["--set", "projector.enabled=true,false", "--set", "loss.temperature=0.1,0.5"]
HIDDEN = ["--set", "projector.hidden=8;16,8", "--set", "training.epochs=1"]


def table(w):
    with open(w.path("run/sweep.csv"), encoding="utf-8") as file:
        return list(csv.DictReader(file))


def all_combinations_are_run_and_compared():
    with Workplace() as w:
        out, _ = w.run("sweep", "train.ini", *PROJECTOR)
        rows = table(w)
        assert [(r["projector.enabled"], r["loss.temperature"]) for r in rows] == [
            ("true", "0.1"), ("true", "0.5"), ("false", "0.1"), ("false", "0.5")]
        for row in rows:
            assert 0.25 < float(row["knn_accuracy"]) <= 1 and 0.25 < float(row["linear_accuracy"]) <= 1
            assert float(row["last_loss"]) > 0
        text = read(w.path("run/sweep.txt")).decode()
        assert text.strip() in out and "kNN %" in text and len(text.splitlines()) == 2 + 4
        one = w.path("run/projector.enabled=false+loss.temperature=0.5")
        assert os.path.exists(one + "/encoder.safetensors") and os.path.exists(one + "/evaluation.json")


def lists_are_separated_by_semicolons():
    with Workplace() as w:
        w.run("sweep", "train.ini", *HIDDEN)
        assert [r["projector.hidden"] for r in table(w)] == ["8", "16,8"]


def interrupt(broken, reached, *arguments):
    """Starts the sweep and interrupts its second run once `reached` says so; how many runs the table has then."""
    process = broken.start("sweep", "train.ini", *PROJECTOR, *arguments)
    second = broken.path("run/projector.enabled=true+loss.temperature=0.5")
    assert reached(second, process), process.communicate()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == INTERRUPTED, err
    return len(table(broken))


def same_as_straight(reached, *arguments):
    with Workplace() as straight, Workplace() as broken:
        straight.run("sweep", "train.ini", *PROJECTOR, *arguments)
        done = interrupt(broken, reached, *arguments)
        _, err = broken.run("sweep", "train.ini", *PROJECTOR, *arguments)
        assert err.count("it is there") == done, err
        assert read(straight.path("run/sweep.csv")) == read(broken.path("run/sweep.csv"))
        return done, err


def a_sweep_interrupted_between_steps_goes_on():
    # Enough steps that a busy machine doesn't let the run end before the signal.
    done, err = same_as_straight(lambda run, process: wait_for_rows(run + "/metrics.csv", 8, process),
                                 "--set", "training.epochs=20")
    assert done == 1 and "resumed from" in err, err


def a_sweep_interrupted_while_it_evaluates_goes_on():
    # No third run begins, though the second has no step left to stop at.
    done, _ = same_as_straight(lambda run, process: wait_for(run + "/encoder.safetensors", process),
                               "--set", "evaluation.linear_epochs=300")
    assert done in (1, 2)  # its evaluation had begun, or hadn't


def other_settings_in_the_same_place_are_refused():
    with Workplace() as w:
        w.run("sweep", "train.ini", *HIDDEN)
        w.refused("sweep", "train.ini", *HIDDEN, "--set", "training.seed=2", status=INVALID,
                  says=["another configuration", "--overwrite"])
        w.refused("sweep", "train.ini", status=INVALID, says=["several values"])
        w.refused("sweep", "train.ini", "--set", "loss.temperatur=1,2", status=INVALID,
                  says=["did you mean 'temperature'"])
        _, err = w.run("sweep", "train.ini", "--set", "loss.temperature=1,x", status=INVALID)
        assert "loss.temperature = x" in err, err


main([
    all_combinations_are_run_and_compared,
    lists_are_separated_by_semicolons,
    a_sweep_interrupted_between_steps_goes_on,
    a_sweep_interrupted_while_it_evaluates_goes_on,
    other_settings_in_the_same_place_are_refused,
])

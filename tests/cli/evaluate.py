"""Evaluation of a finished run: which tasks are done, what they leave, and what stops them."""

import gzip
import json
import signal
import struct

from program import FORMAT, INTERRUPTED, INVALID, IO, Workplace, main, read, wait_for

QUICK = ["--set", "training.epochs=1", "--set", "evaluation.baselines=false"]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Run:
    """One training run that the tests share."""

    workplace = None

    @classmethod
    def get(cls):
        if not cls.workplace:
            cls.workplace = Workplace()
            cls.workplace.train(*QUICK)
        return cls.workplace


def rows_of(w, folder):
    return json.loads(read(w.path(folder + "/evaluation.json")))


def tasks_are_chosen_by_name():
    w = Run.get()
    out, _ = w.run("eval", "run", "--tasks", "knn", "--set", "evaluation.baselines=true", "--output", "one")
    rows = rows_of(w, "one")
    assert [row["features"] for row in rows] == ["raw pixels", "colour histogram", "untrained encoder", "encoder"], rows
    assert all("knn" in row and "linear" not in row and "skipped" not in row for row in rows), rows
    assert "confusion matrix of the encoder, knn" in out, out
    assert out.encode() == read(w.path("one/evaluation.txt"))
    w.refused("eval", "run", "--tasks", "knn,nearest", status=INVALID, says=["nearest", "linear"])
    w.refused("train.ini", "--overwrite", "--set", "evaluation.tasks=nearest", status=INVALID, says=["nearest"])


def what_is_asked_for_and_impossible_is_said():
    w = Run.get()
    out, _ = w.run("eval", "run", "--tasks", "knn,retrieval", "--output", "two")
    assert "retrieval was skipped" in out, out
    assert all("two fields" in row["skipped"]["retrieval"] for row in rows_of(w, "two"))
    w.refused("eval", "run", "--tasks", "sts", "--output", "three", status=INVALID, says=["sts", "score"])


def what_is_turned_off_is_said():
    w = Run.get()
    out, _ = w.run("eval", "run", "--set", "evaluation.linear_epochs=0", "--output", "off")
    assert "linear was skipped: evaluation.linear_epochs is 0" in out and "retrieval" not in out, out
    (row,) = rows_of(w, "off")
    assert "knn" in row and "linear" not in row and list(row["skipped"]) == ["linear"], row
    w.refused("eval", "run", "--tasks", "linear", "--set", "evaluation.linear_epochs=0", "--output", "off", status=INVALID, says=["linear_epochs"])


def layers_are_compared():
    w = Run.get()
    w.train(*QUICK, "--set", "encoder.blocks=1", "--set", "training.seed=3", "--set", "evaluation.tasks=knn", "--set", f"output.folder={w.path('other')}")
    out, _ = w.run("eval", "run", "--tasks", "cka", "--output", "own")
    (row,) = rows_of(w, "own")
    own = row["cka"]
    layers = ["stage_1", "stage_2", "features"]
    for a in layers:
        assert abs(own[a]["with_" + a] - 1) < 1e-9 and len(own[a]) == 3, own
        assert all(0 < own[a]["with_" + b] <= 1 + 1e-9 and abs(own[a]["with_" + b] - own[b]["with_" + a]) < 1e-9 for b in layers), own
    # The features are the means of the last stage's map.
    assert abs(own["stage_2"]["with_features"] - 1) < 1e-6 and own["stage_1"]["with_features"] < 1, own
    assert "those of the same encoder, of 100 samples" in out and "stage 1" in out, out
    w.run("eval", "run", "--tasks", "cka", "--set", "evaluation.cka_with=other", "--output", "both")
    w.run("eval", "other", "--tasks", "cka", "--set", "evaluation.cka_with=run", "--output", "back")
    both, back = (rows_of(w, name)[0]["cka"] for name in ("both", "back"))
    assert both["run"] == "other" and sorted(both["features"]) == ["with_features", "with_stage_1"], both
    for a in layers:
        for b in ("stage_1", "features"):
            assert abs(both[a]["with_" + b] - back[b]["with_" + a]) < 1e-9 and 0 < both[a]["with_" + b] < 1, (both, back)
    w.refused("eval", "run", "--tasks", "cka", "--set", "evaluation.cka_with=data", "--output", "bad", status=IO, says=["data"])


def figures_agree_with_each_other():
    w = Run.get()
    w.run("eval", "run", "--set", "evaluation.baselines=false", "--output", "four")
    (row,) = rows_of(w, "four")
    for task in ("knn", "linear"):
        found = row[task]
        confusion = found["confusion"]
        hits = sum(confusion[i][i] for i in range(4))
        assert sum(map(sum, confusion)) == 100 and abs(found["accuracy"] - hits / 100) < 1e-12, found
        assert abs(found["weighted_recall"] - found["accuracy"]) < 1e-12
        assert abs(found["balanced_accuracy"] - found["recall"]) < 1e-12
        assert 0.5 < found["roc_auc"] <= 1 and 0 < found["average_precision"] <= 1 and 0 <= found["calibration_error"] < 1
        assert len(found["per_class"]["roc_auc"]) == 4 and "top5" not in found


def settings_are_chosen_on_training_samples():
    w = Run.get()
    out, _ = w.run("eval", "run", "--set", "evaluation.choose=true", "--set", "evaluation.linear_epochs=2", "--output", "six")
    (row,) = rows_of(w, "six")
    assert "chosen on held-out training samples" in out and row["knn"]["settings"].startswith("k ") and "decay" in row["linear"]["settings"], out
    assert row["knn"]["chosen"]["tried"] > 20 and 48 <= row["knn"]["chosen"]["samples"] <= 52, row["knn"]["chosen"]
    assert row["linear"]["chosen"]["best"] > 0.25


def write_labels(path, labels):
    """As .npy of int64."""
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': ({len(labels)},), }}"
    header = header.ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(labels)}q", *labels))


def samples_without_a_label_take_no_part():
    with Workplace() as w:
        labels = gzip.decompress(read(w.path("train-labels.gz")))[8:]
        write_labels(w.path("train.npy"), [label if i % 3 else -1 for i, label in enumerate(labels)])
        write_labels(w.path("test.npy"), [label if i < 40 else -1 for i, label in enumerate(read(w.path("test-labels"))[8:])])
        w.train(*QUICK, "--set", "data.train_labels=train.npy", "--set", "data.test_labels=test.npy")
        (row,) = rows_of(w, "run")
        for task in ("knn", "linear"):
            assert sum(map(sum, row[task]["confusion"])) == 40 and row[task]["accuracy"] > 0.5, row[task]
        write_labels(w.path("test.npy"), [-1] * 100)
        w.refused("eval", "run", "--tasks", "knn", "--output", "out", status=INVALID, says=["knn", "test set has none"])


def one_class_and_few_samples_are_evaluated():
    with Workplace(images=16) as w:
        write_labels(w.path("one.npy"), [0] * 16)
        write_labels(w.path("ones.npy"), [0] * 100)
        w.train(*QUICK, "--set", "data.train_labels=one.npy", "--set", "data.test_labels=ones.npy", "--set", "training.batch=8")
        (row,) = rows_of(w, "run")
        assert row["knn"]["accuracy"] == 1 and row["knn"]["roc_auc"] is None, row["knn"]


def a_signal_leaves_the_tasks_that_are_finished():
    w = Run.get()
    process = w.start("eval", "run", "--set", "evaluation.linear_epochs=100000", "--output", "five")
    assert wait_for(w.path("five/evaluation.json"), process), process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert process.returncode == INTERRUPTED and "interrupted" in err, (process.returncode, err)
    (row,) = rows_of(w, "five")
    assert "knn" in row and "linear" not in row and "kNN" in out, (row, out)


def runs_of_two_seeds_are_one_row():
    with Workplace() as w:
        common = ["--set", "training.epochs=1", "--set", "evaluation.linear_epochs=2"]
        for seed, name in enumerate(["a", "b"]):
            w.train(*common, "--set", f"training.seed={seed}", "--set", f"output.folder={w.path(name)}")
        w.train(*common, "--set", "method.name=byol", "--set", f"output.folder={w.path('c')}")
        out, _ = w.run("compare", "a", "b", "c", "--output", "table")
        assert out.encode() == read(w.path("table/compare.txt"))
        found = json.loads(read(w.path("table/compare.json")))
        rows = {row["name"]: row for row in found["rows"]}
        assert sorted(rows) == ["byol", "colour histogram", "raw pixels", "simclr", "untrained encoder"], sorted(rows)
        assert len(rows["raw pixels"]["runs"]) == 3 and rows["simclr"]["runs"] == ["a", "b"], rows
        each = [rows_of(w, name)[-1]["knn"]["accuracy"] for name in ("a", "b")]
        figure = rows["simclr"]["figures"]["knn.accuracy"]
        assert figure["values"] == each and abs(figure["mean"] - sum(each) / 2) < 1e-12, figure
        assert abs(figure["deviation"] - abs(each[0] - each[1]) / 2**0.5) < 1e-12, figure
        assert "deviation" not in rows["byol"]["figures"]["knn.accuracy"]
        assert "kNN accuracy: highest" in out and "the spread is not known" in out, out
        lines = read(w.path("table/compare.csv")).decode().splitlines()
        assert lines[0].startswith("name,features,figure") and any(line.startswith('"simclr","encoder",knn.accuracy,2,') for line in lines), lines
        assert b'"comparison"' in read(w.path("table/report.html"))
        before = read(w.path("c/report.html"))
        _, err = w.run("compare", "a", "b", "--output", "c")
        assert "whose report stays" in err and read(w.path("c/report.html")) == before, err
        # Rows of one method are told apart by what differs.
        w.train(*common, "--set", "loss.temperature=0.2", "--set", f"output.folder={w.path('d')}")
        out, _ = w.run("compare", "a", "d")
        assert "temperature=0.2" in out, out
        w.refused("compare", "a", "data", status=IO, says=["data", "clcontrast eval"])
        write(w.path("d/evaluation.json"), "[1,")
        w.refused("compare", "a", "d", status=FORMAT, says=["d/evaluation.json:1"])


main(
    [
        tasks_are_chosen_by_name,
        what_is_asked_for_and_impossible_is_said,
        what_is_turned_off_is_said,
        layers_are_compared,
        figures_agree_with_each_other,
        settings_are_chosen_on_training_samples,
        samples_without_a_label_take_no_part,
        one_class_and_few_samples_are_evaluated,
        a_signal_leaves_the_tasks_that_are_finished,
        runs_of_two_seeds_are_one_row,
    ]
)

"""Evaluation of a finished run: which tasks are done, what they leave, and what stops them."""

import json
import signal

from program import INTERRUPTED, INVALID, Workplace, main, read, wait_for

QUICK = ["--set", "training.epochs=1", "--set", "evaluation.baselines=false"]


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
    assert [row["features"] for row in rows] == ["raw pixels", "untrained encoder", "encoder"], rows
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


def a_signal_leaves_the_tasks_that_are_finished():
    w = Run.get()
    process = w.start("eval", "run", "--set", "evaluation.linear_epochs=100000", "--output", "five")
    assert wait_for(w.path("five/evaluation.json"), process), process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED and "interrupted" in err, (process.returncode, err)
    (row,) = rows_of(w, "five")
    assert "knn" in row and "linear" not in row and "kNN" in out, (row, out)


main(
    [
        tasks_are_chosen_by_name,
        what_is_asked_for_and_impossible_is_said,
        figures_agree_with_each_other,
        a_signal_leaves_the_tasks_that_are_finished,
    ]
)

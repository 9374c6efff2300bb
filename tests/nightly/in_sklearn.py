"""What evaluation says of a run's features, scikit-learn says of them, too: in_sklearn.py CLCONTRAST. Run by a Python
that has scikit-learn: CLC_TORCH_PYTHON names it."""

import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main, read, write_idx

TRAIN, TEST, CLASSES, SIDE = 1500, 601, 10, 12
K, T = 30, 0.1


def run_by_other_python():
    other = os.environ.pop("CLC_TORCH_PYTHON", None)
    if other:
        sys.exit(subprocess.run([other, *sys.argv], check=False).returncode)


def need_sklearn():
    try:
        import numpy, sklearn  # pylint: disable=import-outside-toplevel,unused-import,multiple-imports
    except ImportError as missing:
        raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


def write_noisy(images, labels, count, seed):
    """A bright column for the class, among noise; each fifth label is drawn, and class 9 is rare."""
    rng = random.Random(seed)
    pixels, classes = bytearray(), bytearray()
    for _ in range(count):
        label = min(rng.randrange(CLASSES), rng.randrange(CLASSES + 1))
        pixels += bytes(
            min(255, rng.randrange(160) + (60 if x in (label, label + 1) else 0)) for _ in range(SIDE) for x in range(SIDE)
        )
        classes.append(rng.randrange(CLASSES) if rng.random() < 0.2 else label)
    write_idx(images, 0x803, (count, SIDE, SIDE), bytes(pixels))
    write_idx(labels, 0x801, (count,), bytes(classes))


class Run:
    """One run, its features and its evaluation."""

    found = None

    @classmethod
    def get(cls):
        need_sklearn()
        import numpy as np

        if cls.found is None:
            w = Workplace(images=16)
            write_noisy(w.path("train-images.gz"), w.path("train-labels.gz"), TRAIN, 1)
            write_noisy(w.path("test-images"), w.path("test-labels"), TEST, 2)
            w.train("--set", "training.epochs=1", "--set", f"evaluation.knn_k={K}", "--set", f"evaluation.knn_temperature={T}",
                    "--set", "evaluation.baselines=false", "--set", "encoder.width=16")  # fmt: skip
            w.run("embed", "run")
            load = lambda name: np.load(w.path(f"run/{name}.npy"))
            row = json.loads(read(w.path("run/evaluation.json")))[-1]
            cls.found = (load("train_features"), load("train_labels"), load("test_features"), load("test_labels"), row, w)
        return cls.found


def near(got, want, what, tolerance=1e-9):
    assert abs(got - want) <= tolerance, f"{what}: {got}, scikit-learn {want}"


def votes(train, labels, test):
    """Weighted votes of the K nearest by cosine, in double."""
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute").fit(train.astype(np.float64))
    distances, rows = search.kneighbors(test.astype(np.float64))
    shares = np.zeros((len(test), CLASSES))
    for i, (d, r) in enumerate(zip(distances, rows)):
        np.add.at(shares[i], labels[r], np.exp((1 - d) / T))
    return shares / shares.sum(1, keepdims=True)


def knn_is_that_of_sklearn():
    train, labels, test, truth, row, _ = Run.get()
    from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

    shares = votes(train, labels, test)
    found = row["knn"]
    matrix = confusion_matrix(truth, shares.argmax(1), labels=range(CLASSES))
    # A neighbour at the edge of the K may change with float32's rounding, and with it a class.
    differ = sum(abs(int(a) - b) for line, other in zip(matrix, found["confusion"]) for a, b in zip(line, other))
    assert differ <= 4, (matrix, found["confusion"])
    near(found["roc_auc"], roc_auc_score(truth, shares, multi_class="ovr", average="macro"), "ROC AUC", 1e-3)
    precisions = [average_precision_score(truth == c, shares[:, c]) for c in range(CLASSES)]
    near(found["average_precision"], sum(precisions) / CLASSES, "average precision", 1e-3)
    near(found["top5"], sum(t in line.argsort()[::-1][:5] for t, line in zip(truth, shares)) / TEST, "top 5", 3 / TEST)


def figures_of_a_confusion_are_those_of_sklearn():
    *_, row, _ = Run.get()
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_recall_fscore_support

    for task in ("knn", "linear"):
        found = row[task]
        pairs = [(t, p) for t in range(CLASSES) for p in range(CLASSES) for _ in range(found["confusion"][t][p])]
        truth, predicted = zip(*pairs)
        assert len(truth) == TEST
        near(found["accuracy"], accuracy_score(truth, predicted), "accuracy")
        near(found["balanced_accuracy"], balanced_accuracy_score(truth, predicted), "balanced accuracy")
        for average, prefix in (("macro", ""), ("weighted", "weighted_")):
            want = precision_recall_fscore_support(truth, predicted, labels=range(CLASSES), average=average, zero_division=0)
            for key, value in zip(("precision", "recall", "f1"), want):
                near(found[prefix + key], value, f"{task} {average} {key}")


def logistic_regression_is_that_of_sklearn():
    train, labels, _, _, _, w = Run.get()
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    decay = 0.01
    w.run("eval", "run", "--tasks", "linear", "--set", "evaluation.linear_solver=lbfgs", "--set", "evaluation.linear_epochs=500",
          "--set", f"evaluation.linear_weight_decay={decay}", "--output", "lbfgs")  # fmt: skip
    (row,) = json.loads(read(w.path("lbfgs/evaluation.json")))
    _, _, test, truth, _, _ = Run.get()
    mean, deviation = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
    deviation[deviation == 0] = 1
    scale = lambda x: (x - mean) / deviation * min(1, (128 / train.shape[1]) ** 0.5)
    model = LogisticRegression(C=1 / (decay * len(train)), tol=1e-8, max_iter=5000).fit(scale(train), labels)
    probabilities = model.predict_proba(scale(test))
    from sklearn.metrics import confusion_matrix, roc_auc_score

    matrix = confusion_matrix(truth, probabilities.argmax(1), labels=range(CLASSES))
    assert matrix.tolist() == row["linear"]["confusion"], (matrix, row["linear"]["confusion"])
    near(row["linear"]["roc_auc"], roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"), "ROC AUC", 1e-5)
    bins = np.minimum(14, np.ceil(probabilities.max(1) * 15).astype(int) - 1)
    right = probabilities.argmax(1) == truth
    ece = sum(abs(right[bins == b].sum() - probabilities.max(1)[bins == b].sum()) for b in range(15)) / TEST
    near(row["linear"]["calibration_error"], ece, "calibration error", 2e-3)


def structure_of(tasks):
    """What the tasks say of the run's encoder."""
    *_, w = Run.get()
    w.run("eval", "run", "--tasks", tasks, "--output", "structure")
    (row,) = json.loads(read(w.path("structure/evaluation.json")))
    return row


def retrieval_is_that_of_metric_learning():
    train, labels, test, truth, _, _ = Run.get()
    try:
        from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    except ImportError as missing:
        raise Skip(f"{missing.name} is not there") from missing
    import numpy as np
    import torch
    from sklearn.metrics import average_precision_score

    unit = lambda x: torch.from_numpy(x / np.linalg.norm(x, axis=1, keepdims=True))
    names = {"precision_at_1": "recall_at_1", "r_precision": "r_precision", "mean_average_precision_at_r": "map_at_r",
             "mean_reciprocal_rank": "mrr"}  # fmt: skip
    calculator = AccuracyCalculator(include=tuple(names), k="max_bin_count")
    want = calculator.get_accuracy(unit(test), torch.from_numpy(truth), unit(train), torch.from_numpy(labels))
    found = structure_of("class_retrieval")["class_retrieval"]
    assert found["queries"] == TEST and found["among"] == TRAIN
    # Where float32's rounding exchanges two neighbours.
    for name, ours in names.items():
        near(found[ours], want[name], name, 2e-4)
    cosines = (unit(test).double() @ unit(train).double().T).numpy()
    precisions = [average_precision_score(labels == t, row) for t, row in zip(truth, cosines)]
    near(found["map"], sum(precisions) / TEST, "mean average precision", 1e-4)


def clusters_are_those_of_sklearn():
    _, _, test, truth, _, _ = Run.get()
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score

    found = structure_of("clustering")["clustering"]
    unit = (test / np.linalg.norm(test, axis=1, keepdims=True)).astype(np.float64)
    near(found["silhouette_classes"], silhouette_score(test.astype(np.float64), truth, metric="cosine"), "silhouette", 1e-5)
    # Both stop at a local minimum of the same function: ours, of 4 starts, is no worse than the middle one of 30.
    theirs = [KMeans(CLASSES, n_init=1, random_state=seed).fit(unit) for seed in range(30)]
    inertia = sorted(fit.inertia_ for fit in theirs)
    print(f"# inertia {found['inertia']:.4f}, scikit-learn {inertia[0]:.4f} to {inertia[-1]:.4f}")
    assert inertia[0] * (1 - 1e-3) <= found["inertia"] <= inertia[len(inertia) // 2] * (1 + 1e-3)
    for name, score in (("nmi", normalized_mutual_info_score), ("ari", adjusted_rand_score)):
        scores = [score(truth, fit.labels_) for fit in theirs]
        assert min(scores) - 0.05 <= found[name] <= max(scores) + 0.05, (name, found[name], scores)


def spread_is_that_of_numpy():
    *_, test, _, _, _ = Run.get()
    import numpy as np

    found = structure_of("structure")["structure"]
    values = np.linalg.svd(test.astype(np.float64), compute_uv=False)
    p = values / values.sum() + 1e-7
    near(found["rankme"], np.exp(-(p * np.log(p)).sum()), "RankMe", 1e-5)
    unit = test.astype(np.float64) / np.linalg.norm(test.astype(np.float64), axis=1, keepdims=True)
    squares = 2 - 2 * (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    near(found["uniformity"], np.log(np.exp(-2 * squares).mean()), "uniformity", 1e-8)


run_by_other_python()
main([knn_is_that_of_sklearn, figures_of_a_confusion_are_those_of_sklearn, logistic_regression_is_that_of_sklearn,
      retrieval_is_that_of_metric_learning, clusters_are_those_of_sklearn, spread_is_that_of_numpy])  # fmt: skip

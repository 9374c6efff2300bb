"""Search, kNN and retrieval beside faiss, scikit-learn and pytorch-metric-learning on the same features: equal values,
and how many times as fast, measured in turn on the same cores: search_speed.py SEARCH_CAT. Run by a Python that has
them: CLC_TORCH_PYTHON names it. CLC_SPEED_ROWS=60000 etc. make it smaller."""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.path[0] = os.path.join(os.path.dirname(__file__), "../cli")  # not this folder, which has names of packages
# pylint: disable=wrong-import-position,import-outside-toplevel
from program import Skip, main

SEARCH_CAT = sys.argv[1]
ROUNDS = int(os.environ.get("CLC_SPEED_ROUNDS", "3"))
CLASSES = 10
LARGE, ROWS, QUERIES = (int(os.environ.get(f"CLC_SPEED_{name}", count)) for name, count in
                        (("LARGE", 1_000_000), ("ROWS", 60_000), ("QUERIES", 10_000)))  # fmt: skip


def run_by_other_python():
    other = os.environ.pop("CLC_TORCH_PYTHON", None)
    if other:
        sys.exit(subprocess.run([other, *sys.argv], check=False).returncode)


def need(*modules):
    for module in ("numpy", *modules):
        try:
            __import__(module)
        except ImportError as missing:
            raise Skip(f"{missing.name} is not there: name a Python that has it by CLC_TORCH_PYTHON") from missing


class Features:
    """Rows about the centres of classes, in memory and in files."""

    def __init__(self, rows, queries, dim):
        import numpy as np

        rng = np.random.default_rng(1)
        self.folder = tempfile.TemporaryDirectory()
        self.dim = dim
        centres = rng.standard_normal((CLASSES, dim), dtype=np.float32)
        self.labels, self.truth = (rng.integers(0, CLASSES, n).astype(np.int32) for n in (rows, queries))
        self.bank = centres[self.labels] * 0.3 + rng.standard_normal((rows, dim), dtype=np.float32)
        self.queries = centres[self.truth] * 0.3 + rng.standard_normal((queries, dim), dtype=np.float32)
        for x in (self.bank, self.queries):
            x /= np.linalg.norm(x, axis=1, keepdims=True)
        for name in ("bank", "labels", "queries", "truth"):
            getattr(self, name).tofile(self.path(name))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def ours(self, work, k, rounds=2):
        files = [self.path(name) for name in ("bank", "labels", "queries", "truth")]
        numbers = map(str, (self.dim, CLASSES, k, rounds))
        done = subprocess.run([SEARCH_CAT, work, *files, *numbers, self.path("rows")], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, k):
        import numpy as np

        return np.fromfile(self.path("rows"), np.int32).reshape(-1, k)


def timed(work):
    start, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - start, time.process_time() - cpu, found


def in_turn(ours, theirs, rounds=ROUNDS):
    """The best of each, and what was found last."""
    best = [1e30] * 4
    for _ in range(rounds):
        mine = ours()
        seconds, cpu, other = timed(theirs)
        best = [min(pair) for pair in zip(best, (mine["seconds"], seconds, mine["cpu"], cpu))]
    return best, mine, other


def say(what, best):
    """The time on the clock, and on a busy machine what tells more, that of the processors."""
    print(f"# {what}: {best[0]:.3f} s, theirs {best[1]:.3f} s, {best[1] / best[0]:.2f} times as fast; processors' time "
          f"{best[2]:.3f} s, theirs {best[3]:.3f} s, {best[3] / best[2]:.2f} times", flush=True)  # fmt: skip


def search_is_as_fast_as_that_of_faiss():
    need("faiss")
    import faiss

    for queries in (64, 1024):
        f, k = Features(LARGE, queries, 128), 10
        faiss.cvar.distance_compute_blas_threshold = 20  # by default it does without BLAS here, which takes ten times as long
        index = faiss.IndexFlatIP(f.dim)
        index.add(f.bank)
        best, mine, (_, rows) = in_turn(lambda: f.ours("search", k, 5), lambda: index.search(f.queries, k))
        say(f"{queries} queries among {LARGE} x {f.dim}, k = {k}", best)
        # Where float32's rounding exchanges two.
        assert (f.rows(k) != rows).mean() < 1e-3
        assert best[0] / queries < 0.02 and best[2] < best[3], (best, mine)


def knn_is_that_of_sklearn_and_faster():
    need("sklearn")
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    for dim in (128, 512):
        f, k = Features(ROWS, QUERIES, dim), 200

        def theirs():
            distances, rows = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(f.bank).kneighbors(f.queries)
            votes = np.zeros((QUERIES, CLASSES))
            for c in range(CLASSES):
                votes[:, c] = (np.exp((1 - distances) / 0.1) * (f.labels[rows] == c)).sum(1)
            return votes.argmax(1)

        best, mine, predictions = in_turn(lambda: f.ours("knn", k), theirs)
        say(f"kNN of {QUERIES} among {ROWS} x {dim}, k = {k}", best)
        assert abs(mine["right"] - int((predictions == f.truth).sum())) <= 3, (mine, (predictions == f.truth).sum())
        assert best[3] > best[2], best


def retrieval_is_that_of_metric_learning_and_faster():
    need("torch", "pytorch_metric_learning", "faiss")
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    names = ("precision_at_1", "r_precision", "mean_average_precision_at_r", "mean_reciprocal_rank")
    for dim in (128, 512):
        f = Features(ROWS, QUERIES, dim)
        calculator = AccuracyCalculator(include=names, k="max_bin_count")
        tensors = [torch.from_numpy(x) for x in (f.queries, f.truth, f.bank, f.labels)]
        best, mine, found = in_turn(lambda: f.ours("retrieval", 1), lambda: calculator.get_accuracy(*tensors), 1)
        say(f"retrieval of {QUERIES} among {ROWS} x {dim}, and mAP over all", best)
        for name in names:
            assert abs(mine[name] - found[name]) < 2e-4, (name, mine, found)
        assert best[3] > best[2], best


run_by_other_python()
main([search_is_as_fast_as_that_of_faiss, knn_is_that_of_sklearn_and_faster,
      retrieval_is_that_of_metric_learning_and_faster])  # fmt: skip

"""A run's folder made by hand, with names as hostile as they come."""

import json
import math
import os
import shutil
import tempfile

HOSTILE = ["</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "a\"b'c&amp;`${1}`", "日本語 \u2028"]
STEPS = 1500
CONFIG = (b"[data]\ntrain = /data/\xff\xfe</script><b>bold</b>\n[encoder]\nname = resnet18\n"
          b"[method]\nname = simclr\n[training]\nepochs = 3\n")


def confusion(n, right):
    return [[right if i == j else (i * 7 + j) % 5 for j in range(n)] for i in range(n)]


def metrics():
    for step in range(1, STEPS + 1):
        row = {"step": step, "epoch": 1 + step // 501, "loss": 5 * math.exp(-step / 400) + 1 + 0.2 * math.sin(step),
               "learning_rate": 0.1 * step / STEPS, "gradient_norm": 1 + math.cos(step) ** 2, "images_per_second": 800,
               "time": 1000 + step}
        if step % 50 == 0:
            row.update(embedding_deviation=0.9, effective_rank=20 + step / 100, uniformity=-2.5)
        yield row
        if step % 500 == 0:
            yield {"event": "evaluation", "step": step, "knn_accuracy": 0.5 + step / 5000, "time": 1000 + step}
    yield {"event": "trained", "step": STEPS, "seconds": 1600, "version": "0.2.0", "device": "<b>cpu</b>", "driver": "1", "opencl": "1.2"}


def evaluation():
    def row(features, right):
        task = {"accuracy": right / 40, "precision": 0.5, "recall": 0.5, "f1": 0.5, "confusion": confusion(4, right)}
        return {"features": features, "dim": 64, "seconds": 3.5, "classes": HOSTILE, "knn": task, "linear": task}
    return [row("raw pixels", 20), row("untrained encoder", 22), row("encoder", 35)]


class RunFolder:
    def __init__(self, **files):
        """Files by name, '.' as '_'; None leaves one out."""
        self.folder = tempfile.mkdtemp(prefix="clcontrast-test-")
        self.run = os.path.join(self.folder, "run <b>&amp;")
        os.mkdir(self.run)
        contents = {"metrics_jsonl": "".join(json.dumps(line) + "\n" for line in metrics()), "config_ini": CONFIG,
                    "evaluation_json": json.dumps(evaluation()), **files}
        for name, content in contents.items():
            if content is not None:
                with open(os.path.join(self.run, name.replace("_", ".")), "wb") as file:
                    file.write(content if isinstance(content, bytes) else content.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def page(self):
        with open(os.path.join(self.run, "report.html"), "rb") as file:
            return file.read()

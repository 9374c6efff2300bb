#!/usr/bin/env python3
"""clcontrast finetune and eval --data: from a run's encoder or from scratch, with few labels, on other data."""

import json
import os
import signal
import struct

from program import FORMAT, INVALID, INTERRUPTED, IO, SIDE, Workplace, main, read, wait_for_rows, write_idx

SHORT = ("--set", "training.epochs=3", "--set", "training.batch=8", "--set", "training.log_every=1")


def header_of(path):
    data = read(path)
    return json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])


def tensor_of(data, name):
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:8 + size])[name]["data_offsets"]
    return data[8 + size + begin:8 + size + end]


def trained(w):
    w.train("--set", "training.epochs=1", "--set", "projector.keep=1", "--set", "evaluation.linear_epochs=1")


def labels_of(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    assert lines[0] == ["sample", "label", "name"], lines[0]
    return [int(line[1]) for line in lines[1:]]


def few_labels_train_encoder_and_classifier():
    with Workplace() as w:
        trained(w)
        _, said = w.run("finetune", "run", "--set", "finetune.labels=10%", "--set", "evaluation.every=1", *SHORT)
        assert "48 of 480 images" in said and "projector: weights from" in said, said
        folder = w.path("run/finetune-10-percent")
        labels = labels_of(os.path.join(folder, "labelled.tsv"))
        assert len(labels) == 48 and all(9 <= labels.count(k) <= 15 for k in range(4)), labels
        tensors = header_of(os.path.join(folder, "encoder.safetensors"))
        assert tensors["fc.weight"]["shape"] == [4, 16], tensors["fc.weight"]
        assert "conv1.weight" in tensors and "projector.0.weight" in tensors
        rows = json.loads(read(os.path.join(folder, "evaluation.json")))
        assert [row["features"] for row in rows] == ["encoder"], rows
        accuracy = rows[0]["classifier"]["accuracy"]
        with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        scores = [e["classifier_accuracy"] for e in events if "classifier_accuracy" in e]
        assert len(scores) == 2, scores  # behind each epoch but the last, which the end evaluates
        w.run("eval", "run/finetune-10-percent")
        again = json.loads(read(os.path.join(folder, "evaluation.json")))
        assert again[0]["classifier"]["accuracy"] == accuracy
        w.run("eval", "run/finetune-10-percent", "--tasks", "knn,classifier")
        assert "knn" in json.loads(read(os.path.join(folder, "evaluation.json")))[-1]


def a_runs_evaluation_shows_what_was_fine_tuned():
    with Workplace() as w:
        trained(w)
        out, err = w.run("eval", "run", "--tasks", "knn,finetune")
        assert "finetune was skipped" in out and "clcontrast finetune" in out, out
        fast = ("--set", "training.epochs=1", "--set", "training.batch=8", "--set", "evaluation.every=0")
        for labels in ("10%", "5"):
            w.run("finetune", "run", "--set", f"finetune.labels={labels}", *fast)
        w.run("finetune", "run", "--set", "finetune.labels=10%", "--set", "finetune.from=scratch", *fast)
        out, _ = w.run("eval", "run", "--tasks", "knn,finetune")
        rows = {row["features"]: row for row in json.loads(read(w.path("run/evaluation.json")))}
        accuracy = {name: json.loads(read(w.path(f"run/{name}/evaluation.json")))[-1]["classifier"]["accuracy"]
                    for name in ("finetune-5-per-class", "finetune-10-percent", "scratch-10-percent")}
        tuned = rows["encoder"]["finetune"]
        assert list(tuned) == ["5 a class", "10%"], tuned
        assert tuned["5 a class"]["accuracy"] == accuracy["finetune-5-per-class"]
        assert tuned["10%"]["accuracy"] == accuracy["finetune-10-percent"]
        assert rows["untrained encoder"]["finetune"]["10%"]["accuracy"] == accuracy["scratch-10-percent"]
        assert "finetune" not in rows["raw pixels"] and "fine-tuned" in out, out
        out, _ = w.run("compare", "run", "--output", "table")
        assert "10% fine-tuned" in out and "5 a class fine-tuned" in out, out
        # Of another encoder they say nothing.
        w.train("--overwrite", "--set", "training.epochs=1", "--set", "evaluation.tasks=knn")
        (row,) = [r for r in json.loads(read(w.path("run/evaluation.json"))) if r["features"] == "encoder"]
        assert "finetune" not in row and os.path.exists(w.path("run/finetune-10-percent/encoder.safetensors"))


def fine_tuning_begins_where_the_run_ended():
    """At a rate of 0 the weights stay, those of the projector's layers too; from scratch they are others."""
    still = ("--set", "optimizer.learning_rate=0", "--set", "encoder.norm=fixed", *SHORT)
    with Workplace() as w:
        trained(w)
        w.run("finetune", "run", "--set", "finetune.labels=5", *still)
        w.run("finetune", "run", "--set", "finetune.labels=5", "--set", "finetune.from=scratch", *still)
        encoders = [read(w.path(f"run/{name}encoder.safetensors"))
                    for name in ("", "finetune-5-per-class/", "scratch-5-per-class/")]
        for name in ("layer1.0.conv1.weight", "projector.0.weight"):
            weights = [tensor_of(data, name) for data in encoders]
            assert weights[0] == weights[1] != weights[2], name
        names = [name for name in header_of(w.path("run/encoder.safetensors")) if name.startswith("projector.")]
        assert len(names) > 1, names
        for name in names:
            if not name.endswith("num_batches_tracked"):
                assert tensor_of(encoders[0], name) == tensor_of(encoders[1], name), name


def only_layers_behind_the_frozen_ones_learn():
    with Workplace() as w:
        trained(w)
        w.run("finetune", "run", "--set", "encoder.frozen_layers=1", "--set", "finetune.labels=10%", *SHORT)
        before, after = (read(w.path(f"run/{name}encoder.safetensors")) for name in ("", "finetune-10-percent/"))
        for name in header_of(w.path("run/encoder.safetensors")):
            if name == "__metadata__" or name.endswith("num_batches_tracked"):
                continue
            frozen = name.startswith(("conv1.", "bn1.", "layer1."))
            assert (tensor_of(before, name) == tensor_of(after, name)) == frozen, name


def fewer_labels_than_a_batch_are_one():
    """A run that is resumed by the same words has the same batch."""
    words = ("finetune", "run", "--set", "finetune.labels=1%", "--set", "training.epochs=2", "--set", "evaluation.every=0",
             "--set", "output.folder=few")
    with Workplace() as w:
        trained(w)
        _, said = w.run(*words)
        assert "training.batch: 5 in place of 64, as 5 samples have a label" in said, said
        with open(w.path("few/config.ini"), encoding="utf-8") as file:
            assert "batch = 5\n" in file.read()
        _, said = w.run(*words, "--set", "training.epochs=3", "--resume")
        assert "2 steps done" in said, said


def an_interrupted_run_goes_on_bit_for_bit():
    with Workplace() as w:
        trained(w)
        words = ("finetune", "run", "--set", "finetune.labels=50%", "--set", "evaluation.linear_epochs=1",
                 "--set", "training.epochs=4", "--set", "training.log_every=1", "--set", "training.batch=8")
        w.run(*words, "--set", "output.folder=whole")
        process = w.start(*words, "--set", "output.folder=parts")
        assert wait_for_rows(w.path("parts/metrics.csv"), 20, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=600)
        assert process.returncode == INTERRUPTED, said
        w.run(*words, "--set", "output.folder=parts", "--resume")
        whole, parts = (header_of(w.path(f"{name}/encoder.safetensors")) for name in ("whole", "parts"))
        assert whole.keys() == parts.keys()
        assert read(w.path("whole/labelled.tsv")) == read(w.path("parts/labelled.tsv"))
        tensors = [read(w.path(f"{name}/encoder.safetensors")) for name in ("whole", "parts")]
        ends = [len(t) - max(v["data_offsets"][1] for k, v in h.items() if k != "__metadata__")
                for t, h in zip(tensors, (whole, parts))]
        assert tensors[0][ends[0]:] == tensors[1][ends[1]:]
        w.refused(*words, "--set", "output.folder=parts", "--resume", "--set", "finetune.labels=20%",
                  status=INVALID, says=["finetune.labels"])


def other_data_are_brought_to_the_encoders_form():
    with Workplace() as w:
        trained(w)
        for name, count in (("many", 96), ("some", 48)):
            classes = bytes(i % 3 for i in range(count))
            pixels = b"".join(bytes([80 * c + 40, 20, 90]) * (SIDE + 4) ** 2 for c in classes)
            write_idx(w.path(name), 0x804, (count, SIDE + 4, SIDE + 4, 3), pixels)
            write_idx(w.path(name + "-labels"), 0x801, (count,), classes)
        with open(w.path("colours.ini"), "w", encoding="utf-8") as file:
            file.write("[data]\ntrain = many\ntrain_labels = many-labels\ntest = some\ntest_labels = some-labels\n")
        before = read(w.path("run/evaluation.json"))
        _, said = w.run("eval", "run", "--data", "colours.ini", "--tasks", "knn,linear")
        assert "1 channel" in said, said
        assert read(w.path("run/evaluation.json")) == before
        rows = json.loads(read(w.path("run/colours/evaluation.json")))
        assert len(rows[-1]["knn"]["confusion"]) == 3, rows[-1]
        w.run("finetune", "run", "--data", "colours.ini", "--set", "output.folder=moved", *SHORT)
        rows = json.loads(read(w.path("moved/evaluation.json")))
        assert len(rows[-1]["classifier"]["confusion"]) == 3, rows[-1]
        # Elsewhere its classes mean nothing.
        w.refused("eval", "moved", "--data", "train.ini", "--tasks", "classifier", status=INVALID,
                  says=["no classifier"])


def what_can_not_be_is_refused():
    with Workplace() as w:
        trained(w)
        w.refused("finetune", "nosuch", status=IO, says=["nosuch"])
        w.refused("finetune", "run", "--set", "finetune.labels=0", status=INVALID, says=["finetune.labels", "1%"])
        w.refused("finetune", "run", "--set", "finetune.labels=1%", "--set", "finetune.lower_batch=false",
                  status=INVALID, says=["training.batch is 64", "5 of 480"])
        w.refused("finetune", "run", "--set", "encoder.frozen_layers=9", status=INVALID,
                  says=["encoder.frozen_layers = 9", "the network has"])
        w.refused("finetune", "run", "--set", "encoder.frozen_layers=1", "--set", "finetune.from=scratch",
                  status=INVALID, says=["encoder.frozen_layers = 1", "from = scratch"])
        w.refused("finetune", "run", "--set", "data.train_labels=", status=INVALID, says=["needs labels"])
        w.refused("finetune", "run", "--set", "encoder.width=16", status=FORMAT, says=["conv1.weight", "another shape"])
        w.refused("eval", "run", "--tasks", "classifier", status=INVALID, says=["finetune"])
        w.refused("eval", "run", "--data", "nosuch.ini", status=IO, says=["nosuch.ini"])


if __name__ == "__main__":
    main([
        few_labels_train_encoder_and_classifier,
        a_runs_evaluation_shows_what_was_fine_tuned,
        fine_tuning_begins_where_the_run_ended,
        only_layers_behind_the_frozen_ones_learn,
        fewer_labels_than_a_batch_are_one,
        an_interrupted_run_goes_on_bit_for_bit,
        other_data_are_brought_to_the_encoders_form,
        what_can_not_be_is_refused,
    ])

#!/usr/bin/env python3
"""clcontrast distill: a student learns a fine-tuned run's scores, of samples without a label, too."""

import json
import os
import signal
import struct

from program import INTERRUPTED, INVALID, IO, Workplace, main, read, wait_for_rows

# Mirrored, a picture is of another class.
STILL = ("--set", "augmentation.horizontal_flip=0", "--set", "augmentation.crop_scale=0.8,1")
FAST = ("--set", "training.batch=16", "--set", "training.log_every=1")


def tensors_of(path):
    data = read(path)
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return {name: data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]
            for name, t in header.items() if name != "__metadata__"}


def accuracy_of(w, folder):
    return json.loads(read(w.path(folder + "/evaluation.json")))[-1]["classifier"]["accuracy"]


class Teacher:
    """Fine-tuned by labels of 12 samples a class; the tests share it."""

    workplace = None

    @classmethod
    def get(cls):
        if not cls.workplace:
            cls.workplace = w = Workplace()
            w.train("--set", "training.epochs=1", "--set", "evaluation.tasks=knn", "--set", "evaluation.baselines=false", *STILL)
            w.run("finetune", "run", "--set", "finetune.labels=12", "--set", "output.folder=teacher", "--set", "training.epochs=60",
                  "--set", "training.batch=16", "--set", "optimizer.learning_rate=0.5", "--set", "evaluation.every=0")
        return cls.workplace


def a_smaller_student_learns_of_all_samples():
    w = Teacher.get()
    with open(w.path("student.ini"), "w", encoding="utf-8") as file:
        file.write("[encoder]\nblocks = 1\nwidth = 6\n[training]\nepochs = 6\n")
    _, said = w.run("distill", "teacher", "student.ini", *FAST, "--set", "loss.temperature=0.3", "--set", "evaluation.every=0")
    assert "teacher: weights from teacher/encoder.safetensors" in said, said
    with open(w.path("teacher/distilled/metrics.csv"), encoding="utf-8") as file:
        assert len(file.readlines()) == 1 + 6 * (480 // 16)  # not of the 48 labelled ones alone
    student, teacher = accuracy_of(w, "teacher/distilled"), accuracy_of(w, "teacher")
    assert student > 0.8 * teacher > 0.6, (student, teacher)
    tensors = tensors_of(w.path("teacher/distilled/encoder.safetensors"))
    assert len(tensors["conv1.weight"]) == 6 * 9 * 4 and not any(name.startswith("teacher") for name in tensors)
    out, _ = w.run("compare", "teacher", "teacher/distilled", "--output", "table")
    assert "fine-tuned" in out and "distilled" in out, out


def an_interrupted_run_goes_on_bit_for_bit():
    w = Teacher.get()
    words = ("distill", "teacher", *FAST, "--set", "training.epochs=5", "--set", "evaluation.every=0",
             "--set", "loss.label_weight=0.5", "--set", "training.micro_batch=8")
    w.run(*words, "--set", "output.folder=whole")
    process = w.start(*words, "--set", "output.folder=parts")
    assert wait_for_rows(w.path("parts/metrics.csv"), 40, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == INTERRUPTED, said
    w.run(*words, "--set", "output.folder=parts", "--resume")
    assert tensors_of(w.path("whole/encoder.safetensors")) == tensors_of(w.path("parts/encoder.safetensors"))
    w.refused(*words, "--set", "output.folder=parts", "--resume", "--set", "loss.label_weight=0.4", status=INVALID,
              says=["loss.label_weight"])


def the_teacher_stays_as_it_is():
    """Its weights are in the checkpoint, and those are its file's."""
    w = Teacher.get()
    w.run("distill", "teacher", *FAST, "--set", "training.epochs=1", "--set", "output.folder=still", "--set", "evaluation.every=0")
    teacher = tensors_of(w.path("teacher/encoder.safetensors"))
    (name,) = [n for n in os.listdir(w.path("still")) if n.startswith("checkpoint-")]
    kept = tensors_of(w.path("still/" + name))
    assert kept["teacher.classifier.weight"] == teacher["fc.weight"]
    assert kept["teacher.encoder.bn1.running_mean"] == teacher["bn1.running_mean"]


def what_can_not_be_is_refused():
    w = Teacher.get()
    w.refused("distill", "nosuch", status=IO, says=["nosuch"])
    w.refused("distill", "run", status=INVALID, says=["run", "no classifier", "finetune"])
    w.refused("distill", "teacher", "--set", "augmentation.size=16", status=INVALID, says=["augmentation.size", "the same views"])
    w.refused("distill", "teacher", "--set", "method.classes=7", status=INVALID, says=["4 classes", "7"])
    w.refused("train.ini", "--overwrite", "--set", "finetune.teacher=teacher", status=INVALID, says=["finetune.teacher", "method.name = simclr"])
    w.refused("distill", "teacher", "--set", "loss.name=crossentropy", status=INVALID, says=["loss.name"])


if __name__ == "__main__":
    main([
        a_smaller_student_learns_of_all_samples,
        an_interrupted_run_goes_on_bit_for_bit,
        the_teacher_stays_as_it_is,
        what_can_not_be_is_refused,
    ])

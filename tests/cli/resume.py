"""Interruption and resumption: the same bits as a run that nothing disturbed."""

import json
import os
import shutil
import signal
import struct

from program import FORMAT, INTERRUPTED, INVALID, Workplace, main, read, wait_for, wait_for_rows, write_images

STEPS = 60  # two epochs of 480 images in batches of 16
LEAN = ["--set", "evaluation.baselines=false", "--set", "evaluation.linear_epochs=1"]


def tensors(path):
    """Names to bytes, without metadata, which tells where the run was resumed."""
    data = read(path)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    start = 8 + length
    return {
        name: data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]]
        for name, entry in header.items()
    }


def interrupt(w, sent, rows, *arguments):
    """Starts training, sends the signal once there are `rows` rows; returns the step it stopped at."""
    process = w.start("train.ini", *arguments)
    assert wait_for_rows(w.path("run/metrics.csv"), rows, process), process.communicate()
    process.send_signal(sent)
    _, err = process.communicate(timeout=600)
    assert process.returncode == INTERRUPTED, (process.returncode, err)
    assert "--resume" in err, err
    return len(read(w.path("run/metrics.csv")).splitlines()) - 1


def same_as_straight(*options):
    with Workplace() as straight, Workplace() as broken:
        straight.train(*options)
        stopped = interrupt(broken, signal.SIGINT, 8, *options)
        assert 0 < stopped < STEPS and stopped % (STEPS // 2), f"stopped at step {stopped}"
        broken.train("--resume", *options)
        for name in (f"checkpoint-{STEPS:08}.safetensors", "encoder.safetensors"):
            one, other = (tensors(w.path("run/" + name)) for w in (straight, broken))
            assert one.keys() == other.keys()
            assert len(one) > 10
            for tensor in one:
                assert one[tensor] == other[tensor], f"{name}: {tensor} differs"
        assert read(straight.path("run/metrics.csv")) == read(broken.path("run/metrics.csv"))


def resuming_in_the_middle_of_an_epoch_gives_the_same_bits_with_sgd():
    same_as_straight()


def resuming_in_the_middle_of_an_epoch_gives_the_same_bits_with_adamw():
    same_as_straight("--set", "optimizer.name=adamw", "--set", "optimizer.learning_rate=0.001")


def tuning_in_between_does_not_change_a_resumed_run():
    """The checkpoint holds what the run was built with; a run begun afterwards takes what was measured."""
    with Workplace() as straight, Workplace() as broken, Workplace() as tuned:
        straight.train()
        interrupt(broken, signal.SIGINT, 8)
        # No leak report: PoCL 3.1 keeps 16 bytes of its compiler, which LeakSanitizer finds in one run of three.
        out, _ = broken.run("tune", "train.ini", ASAN_OPTIONS="detect_leaks=0:use_sigaltstack=0")
        assert "conv2d_backward_weights 32x12x12x8 3x3x8 s1 p1" in out, out
        assert "stored in" in out, out
        (name,) = os.listdir(broken.path("data/clcontrast"))
        path = broken.path("data/clcontrast/" + name)
        # Another choice than any rule's: it changes the order of sums.
        lines = [line.split(" = ")[0] + " = im2col/1" for line in read(path).decode().splitlines() if "conv2d" in line]
        assert len(lines) > 6
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        shutil.copytree(broken.path("data"), tuned.path("data"))
        broken.train("--resume")
        tuned.train()
        last = f"run/checkpoint-{STEPS:08}.safetensors"
        assert tensors(straight.path(last)) == tensors(broken.path(last))
        assert tensors(straight.path(last)) != tensors(tuned.path(last))
        tuned.train("--overwrite", "--set", "device.tuned=false")
        assert tensors(straight.path(last)) == tensors(tuned.path(last))


def two_runs_give_the_same_bits():
    with Workplace() as one, Workplace() as other:
        for w in (one, other):
            w.train("--set", "training.epochs=1", "--set", "evaluation.baselines=false")
        assert read(one.path("run/metrics.csv")) == read(other.path("run/metrics.csv"))
        assert tensors(one.path("run/encoder.safetensors")) == tensors(
            other.path("run/encoder.safetensors"))


def sigterm_saves_too():
    with Workplace() as w:
        stopped = interrupt(w, signal.SIGTERM, 5)
        assert os.path.exists(w.path(f"run/checkpoint-{stopped:08}.safetensors"))


def a_signal_during_the_evaluation_stops_it():
    with Workplace() as w:
        process = w.start("train.ini", "--set", "evaluation.linear_epochs=1000")
        assert wait_for(w.path("run/encoder.safetensors"), process), process.communicate()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
        assert process.returncode == INTERRUPTED and "clcontrast eval" in err, (process.returncode, err)
        if os.path.exists(w.path("run/evaluation.json")):  # with tasks that were finished
            rows = json.loads(read(w.path("run/evaluation.json")))
            assert not any("linear" in row for row in rows[1:]), rows
        out, _ = w.train("--resume")
        assert "raw pixels" in out, out


def a_second_signal_exits_at_once():
    with Workplace() as w:
        # One step of this takes seconds, so the first signal is still being honoured.
        slow = ["--set", "augmentation.size=96", "--set", "training.batch=96", "--set",
                "encoder.width=16"]
        process = w.start("train.ini", *slow)
        while "ready after" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert "once more" in process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130, process.returncode


def a_damaged_checkpoint_is_refused_and_the_one_before_offered():
    for damage in ("truncated", "flipped"):
        with Workplace() as w:
            w.train("--set", "evaluation.baselines=false")
            newest, before = (w.path(f"run/checkpoint-{n:08}.safetensors") for n in (STEPS, 30))
            data = bytearray(read(newest))
            if damage == "truncated":
                del data[len(data) // 2 :]
            else:
                data[-9] ^= 1
            with open(newest, "wb") as file:
                file.write(data)
            _, err = w.run("train.ini", "--resume", status=FORMAT)
            assert before.split("/")[-1] in err.splitlines()[-1], err
            w.train("--resume=" + before, "--set", "evaluation.baselines=false")


def rows(w):
    """Steps and epochs of the metrics."""
    lines = read(w.path("run/metrics.csv")).decode().splitlines()[1:]
    return [tuple(int(part) for part in line.split(",")[:2]) for line in lines]


def another_training_is_refused_by_name_and_nothing_written():
    with Workplace() as w:
        w.train(*LEAN)
        before = {name: read(w.path("run/" + name)) for name in os.listdir(w.path("run"))}
        for change, was in (("training.batch=32", "(was 16)"), ("loss.temperature=0.2", "(was 0.5)"),
                            ("training.seed=2", "(was 1)"), ("data.limit=400", "(was 0)"),
                            ("augmentation.blur=0.5", "(was 0)"), ("training.epochs=1", "(was 2)")):
            said = change.replace("=", " = ") + " " + was
            w.refused("train.ini", "--resume", *LEAN, "--set", change, status=INVALID,
                      says=[said, "--allow-changes"])
        w.refused("train.ini", "--allow-changes", *LEAN, status=INVALID, says=["--resume"])
        assert before == {name: read(w.path("run/" + name)) for name in os.listdir(w.path("run"))}


def harmless_changes_are_said_and_allowed():
    """The pictures lie elsewhere, which gives the same bits; the run is lengthened."""
    with Workplace() as straight, Workplace() as broken:
        straight.train(*LEAN)
        interrupt(broken, signal.SIGINT, 8, *LEAN)
        os.rename(broken.path("train-images.gz"), broken.path("moved.gz"))
        moved = ["--set", "data.train_images=" + broken.path("moved.gz"), "--set", "evaluation.knn_k=7"]
        _, err = broken.train("--resume", *LEAN, *moved)
        assert "moved.gz (was " in err and "evaluation.knn_k = 7 (was 20)" in err, err
        last = f"run/checkpoint-{STEPS:08}.safetensors"
        assert tensors(straight.path(last)) == tensors(broken.path(last))
        assert read(straight.path("run/metrics.csv")) == read(broken.path("run/metrics.csv"))
        _, err = broken.train("--resume", *LEAN, *moved, "--set", "training.epochs=3")
        assert "training.epochs = 3 (was 2; schedules stretch" in err, err
        assert rows(broken)[-1] == (90, 3), rows(broken)[-1]
        assert b"epochs = 3" in read(broken.path("run/config.ini"))


def allowed_changes_go_on_in_the_same_epoch():
    """Another batch has epochs of another length: metrics and checkpoints go on counting."""
    with Workplace() as w:
        stopped = interrupt(w, signal.SIGINT, 8, *LEAN)
        other = [*LEAN, "--set", "training.batch=32", "--set", "training.seed=2"]
        _, err = w.train("--resume", "--allow-changes", *other)
        assert "training.batch = 32 (was 16), training.seed = 2 (was 1)" in err, err
        # The share of an epoch that was done counts, to a whole batch.
        steps = stopped + 2 * 15 - (stopped // 30 * 15 + stopped % 30 * 15 // 30)
        assert [step for step, _ in rows(w)] == list(range(1, steps + 1)), (stopped, rows(w))
        assert [epoch for _, epoch in rows(w)] == sorted(epoch for _, epoch in rows(w))
        assert rows(w)[-1][1] == 2
        assert os.path.exists(w.path(f"run/checkpoint-{steps:08}.safetensors")), os.listdir(w.path("run"))
        w.train("--resume", *other, "--set", "training.epochs=3")
        assert rows(w)[-1] == (steps + 15, 3), (steps, rows(w)[-1])
        # Fewer epochs than were done: no step follows, and no second warm-up.
        w.train("--resume", "--allow-changes", *other, "--set", "training.epochs=1")
        assert rows(w)[-1] == (steps + 15, 3), (steps, rows(w)[-1])


def other_data_of_the_same_name_is_refused():
    with Workplace() as w:
        w.train(*LEAN)
        write_images(w.path("train-images.gz"), 300, 1, w.path("train-labels.gz"))
        w.refused("train.ini", "--resume", *LEAN, status=INVALID, says=["480 images", "300"])


def a_checkpoint_of_another_network_is_named_so():
    with Workplace() as w:
        w.train(*LEAN)
        for allow in ([], ["--allow-changes"]):
            _, err = w.run("train.ini", "--resume", *allow, *LEAN, "--set", "encoder.width=16",
                           status=INVALID)
            last = err.splitlines()[-1]
            assert "another network: encoder.width = 16 (was 8)" in last, last
            assert "--resume=" not in last and "--allow-changes" not in last, last
        # An optimizer with other states is seen by its tensors only.
        _, err = w.run("train.ini", "--resume", "--allow-changes", *LEAN, "--set",
                       "optimizer.name=adamw", status=INVALID)
        last = err.splitlines()[-1]
        assert "optimizer.name = adamw (was sgd)" in last and "--resume=" not in last, last


def only_the_last_checkpoints_and_the_best_are_kept():
    with Workplace() as w:
        w.train("--set", "training.epochs=5", "--set", "training.keep=2", "--set",
                "evaluation.baselines=false")
        kept = sorted(name for name in os.listdir(w.path("run")) if name.endswith("safetensors"))
        assert kept == ["best.safetensors", "checkpoint-00000120.safetensors",
                        "checkpoint-00000150.safetensors", "encoder.safetensors"], kept


main([
    resuming_in_the_middle_of_an_epoch_gives_the_same_bits_with_sgd,
    resuming_in_the_middle_of_an_epoch_gives_the_same_bits_with_adamw,
    tuning_in_between_does_not_change_a_resumed_run,
    two_runs_give_the_same_bits,
    sigterm_saves_too,
    a_signal_during_the_evaluation_stops_it,
    a_second_signal_exits_at_once,
    a_damaged_checkpoint_is_refused_and_the_one_before_offered,
    another_training_is_refused_by_name_and_nothing_written,
    harmless_changes_are_said_and_allowed,
    allowed_changes_go_on_in_the_same_epoch,
    other_data_of_the_same_name_is_refused,
    a_checkpoint_of_another_network_is_named_so,
    only_the_last_checkpoints_and_the_best_are_kept,
])

"""Interruption and resumption: the same bits as a run that nothing disturbed."""

import json
import os
import shutil
import signal
import struct

from program import FORMAT, INTERRUPTED, Workplace, main, read, wait_for, wait_for_rows

STEPS = 60  # two epochs of 480 images in batches of 16


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
    _, err = process.communicate(timeout=120)
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
        _, err = process.communicate(timeout=120)
        assert process.returncode == INTERRUPTED and "clcontrast eval" in err, (process.returncode, err)
        assert not os.path.exists(w.path("run/evaluation.json"))
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
    only_the_last_checkpoints_and_the_best_are_kept,
])

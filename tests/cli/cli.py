"""The real program: a good run, its commands, and every kind of bad input."""

import json
import os
import shutil
import struct
import subprocess

from program import (BUILD, COLLAPSED, FORMAT, INVALID, IO, MEMORY, NO_DEVICE, NONFINITE, Skip,
                     Workplace, main, read, write_idx, write_images)


def safetensors_header(path):
    data = read(path)
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length])


def a_good_run_trains_evaluates_and_leaves_its_files():
    with Workplace() as w:
        out, err = w.train()
        assert "raw pixels" in out and "untrained encoder" in out and "memory plan" in err
        for name in ("config.ini", "metrics.csv", "metrics.jsonl", "encoder.safetensors",
                     "best.safetensors", "evaluation.txt", "evaluation.json"):
            assert os.path.exists(w.path("run/" + name)), name
        names = safetensors_header(w.path("run/encoder.safetensors"))
        assert names["conv1.weight"]["shape"] == [8, 1, 3, 3]
        assert names["layer2.0.downsample.1.num_batches_tracked"]["shape"] == []
        rows = read(w.path("run/metrics.csv")).decode().splitlines()
        assert len(rows) == 1 + 60 and rows[0].startswith("step,epoch,loss")
        events = [json.loads(line) for line in read(w.path("run/metrics.jsonl")).splitlines()]
        assert events[0]["step"] == 1 and events[0]["images_per_second"] > 0


def eval_embed_and_bench_work_on_a_run():
    with Workplace() as w:
        w.train("--set", "training.epochs=1")
        out, _ = w.run("eval", "run")
        assert "encoder" in out and "raw pixels" in out
        out, _ = w.run("eval", "run", "--tasks", "class_retrieval,clustering,structure,robustness,cost")
        assert "MAP@R" in out and "NMI" in out
        row = json.loads(read(w.path("run/evaluation.json")))[-1]
        assert row["robustness"]["images"] == 100 and -1 <= row["robustness"]["mean"]["knn_drop"] <= 1
        assert row["cost"]["parameters"] > 1000 and row["cost"]["train_seconds"] > 0
        assert row["clustering"]["clusters"] == 4 and 0 <= row["clustering"]["nmi"] <= 1
        assert 1 <= row["structure"]["rankme"] <= 16 and 0 < row["structure"]["alignment"] < 2
        found = row["class_retrieval"]
        assert found["queries"] == 100 and found["among"] == 480 and 0.25 < found["map"] <= 1
        w.run("embed", "run", "--output", "features")
        features = read(w.path("features/test_features.npy"))
        assert features[:6] == b"\x93NUMPY" and b"(100, 16)" in features[:128]
        assert b"<i8" in read(w.path("features/train_labels.npy"))[:128]
        out, _ = w.run("bench", "train.ini", "--json")
        result = json.loads(out)
        for key in ("device", "step_seconds", "views_per_second", "images_per_second",
                    "cold_start_seconds", "ops"):
            assert key in result, key
        assert all(op["seconds"] >= 0 for op in result["ops"]) and len(result["ops"]) > 8


def the_product_benchmark_compares_kernels():
    with Workplace() as w:
        out, _ = w.run("bench", "gemm", "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        assert len(rows) > 10
        assert all(row["own_gflops"] > 0 and row["clblast_gflops"] >= 0 for row in rows), rows


def the_loss_benchmark_prints_time_and_memory_by_views():
    with Workplace() as w:
        out, _ = w.run("bench", "loss", "--most", "2048", "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        assert [row["views"] for row in rows] == [1024, 2048]
        assert all(row["workspace_bytes"] < row["dense_bytes"] for row in rows)


def preview_draws_a_png():
    with Workplace() as w:
        w.run("preview", "train.ini", "sheet.png")
        assert read(w.path("sheet.png"))[:8] == b"\x89PNG\r\n\x1a\n"


def preview_writes_texts():
    with Workplace() as w:
        with open(w.path("texts.csv"), "w", encoding="utf-8") as file:
            file.write("id,title,split\n" + "".join(f'{i},"Text {i}, the same\nof all",train\n' for i in range(20)) + "x, ,train\n")
        with open(w.path("words"), "w", encoding="utf-8") as file:
            file.write("same, all\n")
        settings = ["data.train=" + w.path("texts.csv"), "data.train_images=", "data.train_labels=", "tokens.tokenizer=words", "tokens.mask=1",
                    "tokens.synonym=1", "tokens.synonym_range=1, 1", "tokens.synonyms=" + w.path("words"), "data.text_columns=title"]
        _, said = w.run("preview", "train.ini", "views.txt", *[word for s in settings for word in ("--set", s)])
        assert "12 texts, 6 views of each" in said, said
        assert "1 empty texts" in said and "no text in title" in said, said
        with open(w.path("views.txt"), encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file if line.strip()]
        assert len(lines) == 12 * 7 and lines[0][1:] == ["9 tokens", "text 0 , the same of all"], lines[:2]
        views = "\n".join(line[2] for line in lines if line[0].startswith("view"))
        assert "<unk>" in views and "the all of same" in views, views
        settings[-1] = "data.text_columns=name"
        w.refused("preview", "train.ini", "views.txt", *[word for s in settings for word in ("--set", s)], status=FORMAT,
                  says=["no column name", "id, title, split"])


def preview_draws_series():
    with Workplace() as w:
        w.run("preview", "train.ini", "rows.png", "--set", "data.as=series", "--set", "series.crop=1", "--set", "series.jitter=1")
        with open(w.path("curves.csv"), "w", encoding="utf-8") as file:
            file.write("id,time,x,y\n" + "".join(f"{i},{t},{t % 7},{t + i}\n" for i in range(5) for t in range(20 + i)))
        settings = ["data.train=" + w.path("curves.csv"), "data.train_images=", "data.train_labels="]
        _, said = w.run("preview", "train.ini", "curves.png", *[word for s in settings for word in ("--set", s)])
        assert "5 series, 10 views of each" in said and "2 channels" in said and "at most 24" in said, said
        for name in ("rows.png", "curves.png"):
            assert read(w.path(name))[:8] == b"\x89PNG\r\n\x1a\n", name


def preview_of_texts_without_tokens():
    """White space that only Unicode knows is no word."""
    with Workplace() as w:
        with open(w.path("blank.txt"), "w", encoding="utf-8") as file:
            file.write("\u3000\n" * 12 + "word\n")
        settings = ["data.train=" + w.path("blank.txt"), "data.train_images=", "data.train_labels=", "tokens.tokenizer=words"]
        w.run("preview", "train.ini", "views.txt", *[word for s in settings for word in ("--set", s)])
        with open(w.path("views.txt"), encoding="utf-8") as file:
            views = [line.split("\t")[1] for line in file if line.startswith("view")]
        assert views == ["2 tokens"] * (12 * 6), views


def devices_are_listed_for_people_and_programs():
    with Workplace() as w:
        out, _ = w.run("devices")
        assert "units" in out and "yes" in out
        devices = json.loads(w.run("devices", "--json")[0])["devices"]
        assert [d["number"] for d in devices] == list(range(len(devices)))
        assert any(d["can_train"] for d in devices)


def two_devices_can_each_be_chosen():
    with Workplace() as w:
        two = {"POCL_DEVICES": "pthread pthread", "POCL_MAX_PTHREAD_COUNT": "1"}
        devices = json.loads(w.run("devices", "--json", **two)[0])["devices"]
        if len(devices) < 2:
            raise Skip("this OpenCL shows one device only")
        for number in ("0", "1"):
            _, err = w.train("--device", number, "--overwrite", "--set", "training.epochs=1", **two)
            assert f"device {number}:" in err, err


def no_platform_is_a_clear_message():
    with Workplace() as w:
        for command in (("devices",), ("train.ini",)):
            _, err = w.run(*command, status=NO_DEVICE, OCL_ICD_VENDORS="/nonexistent/")
            assert "no OpenCL platform" in err, err


def an_absent_device_is_refused():
    with Workplace() as w:
        w.refused("--device", "99", "train.ini", status=NO_DEVICE, says=["99", "devices"])
        w.refused("--device", "nosuch", "train.ini", status=NO_DEVICE, says=["nosuch"])


def options_lists_every_key():
    with Workplace() as w:
        out, _ = w.run("options")
        assert "temperature" in out and "crop_scale" in out and "knn_k" in out


def help_and_version_are_there():
    with Workplace() as w:
        assert "usage" in w.run("--help")[0]
        assert "clcontrast" in w.run("--version")[0]


def bad_arguments_are_refused():
    with Workplace() as w:
        w.refused(status=INVALID, says=["--help"])
        w.refused("eval", status=INVALID, says=["usage"])
        w.refused("preview", "train.ini", status=INVALID, says=["out.png"])
        w.run("--nosuch", status=INVALID)


def bad_configurations_are_refused_with_file_and_line():
    with Workplace() as w:
        w.refused("nosuch.ini", status=IO, says=["nosuch.ini"])
        with open(w.path("bad.ini"), "w", encoding="utf-8") as file:
            file.write("[training]\nbatchs = 3\n")
        w.refused("bad.ini", status=INVALID, says=["bad.ini:2", "did you mean", "batch"])
        for setting, word in (("training.batch=0", "training.batch"),
                              ("training.batch=many", "many"),
                              ("loss.temperature=-1", "temperature"),
                              ("optimizer.name=sgdd", "sgd")):
            w.refused("train.ini", "--set", setting, status=INVALID, says=[word])


def missing_data_is_refused():
    with Workplace() as w:
        w.refused("train.ini", "--set", "data.train_images=nosuch.gz", status=IO, says=["nosuch.gz"])


def a_truncated_idx_file_is_refused():
    with Workplace() as w:
        write_idx(w.path("short"), 0x803, (480, 12, 12), b"\0" * 1000)
        w.refused("train.ini", "--set", "data.train_images=short", status=FORMAT, says=["short"])


def a_wrong_magic_number_is_refused():
    with Workplace() as w:
        write_idx(w.path("odd"), 0x12345678, (1, 1, 1), b"\0")
        w.refused("train.ini", "--set", "data.format=idx", "--set", "data.train_images=odd",
                  status=FORMAT, says=["odd"])


def images_and_labels_of_different_number_are_refused():
    with Workplace() as w:
        write_images(w.path("few"), 50, 3)
        w.refused("train.ini", "--set", "data.test_images=few", status=FORMAT, says=["few"])


def fewer_images_than_a_batch_are_refused():
    with Workplace() as w:
        w.refused("train.ini", "--set", "training.batch=481", status=INVALID, says=["481", "480"])


def an_unwritable_output_is_refused():
    with Workplace() as w:
        with open(w.path("file"), "w", encoding="utf-8"):
            pass
        w.refused("train.ini", "--set", "output.folder=file/run", status=IO, says=["file"])


def a_full_disk_is_one_clear_error():
    with Workplace() as w:
        os.mkdir(w.path("small"))
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", w.path("small")]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            raise Skip("a small tmpfs can't be mounted here")
        try:
            w.refused("train.ini", "--set", "output.folder=small/run", status=IO, says=["small/run"])
            left = os.listdir(w.path("small/run"))
            assert not [name for name in left if "tmp" in name.lower() or "XXXX" in name], left
        finally:
            subprocess.run(["umount", w.path("small")], check=False)


def a_dry_run_writes_nothing():
    with Workplace() as w:
        _, err = w.train("--dry-run")
        assert "60 steps" in err and not os.path.exists(w.path("run"))


def a_former_run_is_not_lost():
    with Workplace() as w:
        w.train("--set", "training.epochs=1")
        before = read(w.path("run/encoder.safetensors"))
        w.refused("train.ini", status=INVALID, says=["--resume", "--overwrite"])
        assert read(w.path("run/encoder.safetensors")) == before
        w.train("--overwrite", "--set", "training.epochs=1")


def what_does_not_fit_is_refused_with_settings_that_would():
    with Workplace() as w:
        _, err = w.run("train.ini", "--set", "encoder.width=256", "--set", "training.batch=480",
                       "--set", "augmentation.size=96", status=MEMORY, POCL_MEMORY_LIMIT="1")
        assert "training.batch=" in err.splitlines()[-1], err


def a_diverging_run_stops_with_step_layer_and_advice():
    with Workplace() as w:
        blow_up = ["--set", "optimizer.weight_decay=100", "--set", "optimizer.learning_rate=1000"]
        _, err = w.run("train.ini", *blow_up, status=NONFINITE)
        last = err.splitlines()[-1]
        assert "step" in last and "first appear" in last and "learning_rate" in last, last
        assert not os.path.exists(w.path("run/encoder.safetensors"))


def collapse_is_recognised_and_can_stop():
    with Workplace() as w:
        method = ["--set", "method.name=simsiam", "--set", "training.watch_every=10",
                  "--set", "optimizer.learning_rate=1", "--set", "training.epochs=3"]
        w.train(*method)
        rows = read(w.path("run/metrics.csv")).decode().splitlines()
        assert rows[0].endswith(",embedding_deviation,effective_rank,alignment,uniformity"), rows[0]
        assert rows[1].endswith(",,,,") and all(rows[10].split(",")[5:]), rows[10]
        alike = [*method, "--set", "method.stop_gradient=false", "--overwrite"]
        _, err = w.train(*alike)
        warning = [line for line in err.splitlines() if "collapse" in line]
        assert len(warning) == 1 and "method.stop_gradient = true" in warning[0], err
        w.refused("train.ini", *alike, "--set", "training.on_collapse=stop", status=COLLAPSED,
                  says=["have collapsed", "method.stop_gradient = true"])


def a_broken_kernel_shows_file_options_device_and_log():
    with Workplace() as w:
        shutil.copytree(os.path.join(os.path.dirname(__file__), "../../cl"), w.path("cl"))
        with open(w.path("cl/op/pool.cl"), "a", encoding="utf-8") as file:
            file.write("this is no OpenCL C\n")
        _, err = w.run("train.ini", status=BUILD, CLCONTRAST_CL_DIR=w.path("cl"))
        for word in ("cl/op/pool.cl", "-DC=", "device: 0", "error:"):
            assert word in err, err


main([
    a_good_run_trains_evaluates_and_leaves_its_files,
    eval_embed_and_bench_work_on_a_run,
    the_product_benchmark_compares_kernels,
    the_loss_benchmark_prints_time_and_memory_by_views,
    preview_draws_a_png,
    preview_writes_texts,
    preview_draws_series,
    preview_of_texts_without_tokens,
    devices_are_listed_for_people_and_programs,
    two_devices_can_each_be_chosen,
    no_platform_is_a_clear_message,
    an_absent_device_is_refused,
    options_lists_every_key,
    help_and_version_are_there,
    bad_arguments_are_refused,
    bad_configurations_are_refused_with_file_and_line,
    missing_data_is_refused,
    a_truncated_idx_file_is_refused,
    a_wrong_magic_number_is_refused,
    images_and_labels_of_different_number_are_refused,
    fewer_images_than_a_batch_are_refused,
    an_unwritable_output_is_refused,
    a_full_disk_is_one_clear_error,
    a_dry_run_writes_nothing,
    a_former_run_is_not_lost,
    what_does_not_fit_is_refused_with_settings_that_would,
    a_diverging_run_stops_with_step_layer_and_advice,
    collapse_is_recognised_and_can_stop,
    a_broken_kernel_shows_file_options_device_and_log,
])

"""The Python module, beside the program: the same features, the same finds, its errors.

    python.py PROGRAM LIBRARY MODULES
"""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Skip, Workplace, main, read  # noqa: E402  pylint: disable=wrong-import-position

os.environ["CLC_LIBRARY"] = sys.argv[2]
sys.path.insert(0, sys.argv[3])
DEVICE = os.environ.get("CLC_TEST_DEVICE")

try:
    import numpy as np
    import clcontrast
except ImportError as missing:
    if missing.name != "numpy":
        raise
    np, clcontrast = None, None

PLACE = Workplace(images=160)


def need_numpy():
    if np is None:
        raise Skip("there is no numpy")


def encoder():
    need_numpy()
    if not os.path.exists(PLACE.path("run/encoder.safetensors")):
        PLACE.train("--set", "training.epochs=1", "--set", "evaluation.tasks=knn")
    return clcontrast.Encoder(PLACE.path("run"), DEVICE)


def write_pgm(path, array):
    with open(PLACE.path(path), "wb") as file:
        file.write(b"P5 %d %d 255\n" % array.shape[::-1] + array.tobytes())
    return PLACE.path(path)


def pictures(count, height=24, width=24):
    """Grey ones with a bright corner, another one in turn."""
    rng = np.random.default_rng(height)
    arrays = rng.integers(0, 60, (count, height, width), np.uint8)
    for i, array in enumerate(arrays):
        array[height // 2 * (i // 2 % 2) :, width // 2 * (i % 2) :] += 120
    return arrays


def embedded(run, *arguments):
    """What the program says."""
    PLACE.run("embed", run, *arguments, "--output", "features")
    return np.load(PLACE.path("features/features.npy"))


def the_library_is_found_and_has_a_version():
    need_numpy()
    assert PLACE.run("--version")[0] == f"clcontrast {clcontrast.version}\n"


def images_in_memory_and_files_have_the_features_of_the_program():
    arrays = [*pictures(3), *pictures(2, 15, 31), pictures(1, 70, 24)[0]]
    paths = [write_pgm(f"{i}.pgm", array) for i, array in enumerate(arrays)]
    with encoder() as e:
        assert e.reads == ("images",) and e.channels == 1 and e.classes == ["0", "1", "2", "3"], e.classes
        by_program = embedded("run", *paths)
        assert e.features == by_program.shape[1] and by_program.shape[0] == 6
        for what in (arrays, paths, [array[:, :, None] for array in arrays], [array.astype(np.float32) / 255 for array in arrays],
                     [array.astype(np.uint16) * 257 for array in arrays]):
            found = e.embed(what)
            assert found.dtype == np.float32 and np.array_equal(found, by_program), np.abs(found - by_program).max()
        assert np.array_equal(e.embed(arrays[4]), by_program[4]) and np.array_equal(e.embed(paths[4]), by_program[4])
        assert np.array_equal(e.embed(np.stack(arrays[:3])[:, :, :, None]), by_program[:3])
        assert e.embed([]).shape == (0, e.features)


def pictures_of_pillow_are_taken():
    need_numpy()
    try:
        from PIL import Image
    except ImportError as missing:
        raise Skip("there is no Pillow") from missing
    grey = pictures(1)[0]
    with encoder() as e:
        image = Image.fromarray(grey)
        clear = Image.merge("LA", (image, Image.new("L", image.size, 0)))
        assert np.array_equal(e.embed(image), e.embed(grey))
        assert np.array_equal(e.embed([clear])[0], e.embed(np.full_like(grey, 255)))


def errors_have_a_status_and_a_message():
    need_numpy()
    for call, status, word in (
        (lambda: clcontrast.Encoder(PLACE.path("absent")), "IO", "absent"),
        (lambda: e.embed(["absent.pgm"]), "IO", "absent.pgm"),
        (lambda: e.embed(["hello"], kind="text"), "INVALID", "no texts"),
        (lambda: e.embed(np.zeros((4, 4, 4), np.uint8)), "FORMAT", "4 channels"),
        (lambda: clcontrast.Index(PLACE.path("train.ini")), "FORMAT", "train.ini"),
    ):
        with encoder() as e:
            try:
                call()
            except clcontrast.Error as why:
                assert why.status == status and word in str(why) and why.message == str(why), why
            else:
                raise AssertionError(word)
    for call in (lambda: e.embed(pictures(1)[0]), lambda: e.features):
        try:
            call()
        except clcontrast.Error as why:
            assert "closed" in str(why)
        else:
            raise AssertionError("a closed encoder was used")
    with encoder() as e:
        for wrong in (np.zeros((4, 4), np.int64), [np.zeros(4, np.uint8)], ["a.pgm", np.zeros((4, 4), np.uint8)]):
            try:
                e.embed(wrong)
            except TypeError:
                pass
            else:
                raise AssertionError(wrong)


def rows_of_bad_files_are_nan_if_asked_for():
    good = write_pgm("good.pgm", pictures(1)[0])
    with open(PLACE.path("bad.pgm"), "wb") as file:
        file.write(b"P5 30 30 255\nshort")
    with encoder() as e:
        found = e.embed([PLACE.path("bad.pgm"), good], bad="nan")
        assert np.isnan(found[0]).all() and np.array_equal(found[1], e.embed(good))


def an_index_finds_what_the_program_finds():
    need_numpy()
    os.makedirs(PLACE.path("blobs"), exist_ok=True)
    arrays = pictures(12, 26, 26)
    paths = [write_pgm(f"blobs/{i:02}.pgm", array) for i, array in enumerate(arrays)]
    encoder().close()
    with clcontrast.index(PLACE.path("run"), [PLACE.path("blobs")], PLACE.path("b.index"), DEVICE) as found:
        assert len(found) == 12 and sorted(found.name(i) for i in range(12)) == paths
        lines = [line.split("\t") for line in PLACE.run("search", "b.index", paths[7], "-k", "4")[0].splitlines()]
        for query in (paths[7], arrays[7], encoder().embed(paths[7])):
            assert [[f"{value:.4f}", name] for name, value in found.search(query, 4)] == lines, found.search(query, 4)
        assert [rows[0][0] for rows in found.search(paths, 1)] == paths
        assert len(found.search(paths[0], 100)) == 12
        try:
            found.search(paths[0], 0)
        except clcontrast.Error as why:
            assert why.status == "INVALID", why
        else:
            raise AssertionError("none was asked for")


def texts_and_series_are_embedded():
    need_numpy()
    words = ["a cat", "the quick brown fox", "x", "hello world", "a longer line than that", "zz", "one", "two"]
    with open(PLACE.path("lines.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(words) + "\n")
    small = ["--set", "encoder.width=8", "--set", "training.batch=4", "--set", "training.epochs=1", "--set", "training.watch_every=0",
             "--set", "data.train_labels=", "--set", "data.test_images=", "--set", "data.test_labels=", "--set", "encoder.block=auto",
             "--set", "encoder.blocks=", "--set", "data.train_images="]
    PLACE.train(*small, "--set", "data.train=" + PLACE.path("lines.txt"), "--set", "encoder.name=gru", "--set", "output.folder=texts")
    with clcontrast.Encoder(PLACE.path("texts"), DEVICE) as e:
        assert e.reads == ("texts",)
        assert np.array_equal(e.embed(words), embedded("texts", "lines.txt"))
        assert np.array_equal(e.embed("x"), e.embed(words)[2])
    values = np.random.default_rng(1).normal(size=(8, 9, 2)).astype(np.float32)
    lengths = [9, 3, 9, 1, 5, 9, 2, 9]
    for i, length in enumerate(lengths):
        values[i, length:] = np.nan
    np.save(PLACE.path("series.npy"), values)
    PLACE.train(*small, "--set", "data.as=series", "--set", "data.train=" + PLACE.path("series.npy"), "--set", "encoder.name=gru", "--set", "output.folder=series")
    with clcontrast.Encoder(PLACE.path("series"), DEVICE) as e:
        assert e.reads == ("series",) and e.channels == 2
        rows = [one[:length] for one, length in zip(values, lengths)]
        assert np.array_equal(e.embed(rows), embedded("series", "series.npy"))
        assert np.array_equal(e.embed(rows[1]), e.embed(rows)[1])
        try:
            e.embed(values)
        except clcontrast.Error as why:
            assert why.status == "INVALID" and "nan" in str(why), why
        else:
            raise AssertionError("values that are no numbers were taken")


def pictures_and_texts_of_an_encoder_of_both_meet():
    need_numpy()
    os.makedirs(PLACE.path("pairs"), exist_ok=True)
    words = [f"a corner, number {i % 4}, of {i}" for i in range(16)]
    arrays = pictures(16, 12, 12)
    paths = [write_pgm(f"pairs/{i:02}.pgm", array) for i, array in enumerate(arrays)]
    for path, text in zip(paths, words):
        with open(path[:-3] + "txt", "w", encoding="utf-8") as file:
            file.write(text)
    with open(PLACE.path("words.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(words) + "\n")
    keys = ("data.train_images=", "data.train_labels=", "data.test_images=", "data.test_labels=", "data.train=" + PLACE.path("pairs"),
            "method.name=clip", "tokens.tokenizer=bytes", "text_encoder.width=16", "text_encoder.depth=1", "text_encoder.heads=2",
            "projector.hidden=", "text_projector.output=8", "optimizer.name=adamw", "optimizer.learning_rate=0.001",
            "training.batch=8", "training.epochs=1", "training.watch_every=0", "output.folder=clip")
    PLACE.train(*(word for key in keys for word in ("--set", key)))
    with clcontrast.Encoder(PLACE.path("clip"), DEVICE) as e:
        assert e.reads == ("images", "texts") and e.features == 8
        assert np.array_equal(e.embed(arrays), embedded("clip", *paths)) and np.array_equal(e.embed(paths), e.embed(arrays))
        assert np.array_equal(e.embed(words), embedded("clip", "words.txt", "--tower", "text"))
        assert np.array_equal(e.embed(paths[0], kind="text"), e.embed([paths[0]], kind="text")[0])
        assert not np.array_equal(e.embed(paths[0], kind="text"), e.embed(paths[0]))
        try:
            e.embed([paths[0], "no such file"])
        except clcontrast.Error as why:
            assert "no such file" in str(why), why
        else:
            raise AssertionError("files and texts were mixed")
    with clcontrast.index(PLACE.path("clip"), paths, PLACE.path("c.index"), DEVICE, tower="image") as found:
        lines = [line.split("\t") for line in PLACE.run("search", "c.index", words[3], "-k", "3")[0].splitlines()]
        assert [[f"{value:.4f}", name] for name, value in found.search(words[3], 3)] == lines, lines


def training_tells_its_steps_and_ends_when_told():
    need_numpy()
    steps = []

    def tell(progress):
        steps.append(progress["step"])
        if progress["step"] == 3:
            raise RuntimeError("enough")

    settings = {"output.folder": PLACE.path("told"), "training.epochs": 1, "evaluation.tasks": "knn"}
    try:
        clcontrast.train(PLACE.path("train.ini"), settings, DEVICE, tell)
    except RuntimeError as why:
        assert str(why) == "enough" and len(steps) >= 3, why
    else:
        raise AssertionError("training went on")
    clcontrast.train(PLACE.path("train.ini"), settings, DEVICE, lambda progress: steps.append(progress["step"]), resume=True)
    assert steps[-1] == 10, steps
    rows = clcontrast.evaluate(PLACE.path("told"), ["knn"], output=PLACE.path("told-again"), device=DEVICE)
    assert 0 < rows["encoder"]["knn"]["accuracy"] <= 100 and "linear" not in rows["encoder"], rows


def control_c_ends_training_and_comes_out():
    need_numpy()
    settings = {"output.folder": PLACE.path("long"), "training.epochs": 100000}

    def send():
        while not os.path.exists(PLACE.path("long/metrics.csv")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        clcontrast.train(PLACE.path("train.ini"), settings, DEVICE)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("training ended by itself")
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert any(name.startswith("checkpoint") for name in os.listdir(PLACE.path("long")))


with PLACE:
    main([the_library_is_found_and_has_a_version, images_in_memory_and_files_have_the_features_of_the_program,
          pictures_of_pillow_are_taken, errors_have_a_status_and_a_message, rows_of_bad_files_are_nan_if_asked_for,
          an_index_finds_what_the_program_finds, texts_and_series_are_embedded, pictures_and_texts_of_an_encoder_of_both_meet,
          training_tells_its_steps_and_ends_when_told,
          control_c_ends_training_and_comes_out])

"""The library as others meet it: from an installed prefix, by pkg-config, in C and C++.

    installed.py PROGRAM BUILD SYMBOLS
"""

import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Skip, Workplace, main, read  # noqa: E402  pylint: disable=wrong-import-position

BUILD, SYMBOLS = sys.argv[2], sys.argv[3]
HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = Workplace()
PREFIX = PLACE.path("prefix")


def run(*command, **environment):
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=PLACE.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def library():
    return os.path.dirname(glob.glob(PREFIX + "/**/libclcontrast.so", recursive=True)[0])


def package(*options):
    """What pkg-config says of a library that was moved to another prefix."""
    return run("pkg-config", "--define-variable=prefix=" + PREFIX, *options, "clcontrast", PKG_CONFIG_PATH=library() + "/pkgconfig").split()


def compiled(name, compiler):
    if not shutil.which(compiler):
        raise Skip("there is no " + compiler)
    run(compiler, "-Wall", "-Wextra", "-Werror", "-pthread", os.path.join(HERE, name), "-o", PLACE.path(name + ".out"),
        *package("--cflags", "--libs"))
    return PLACE.path(name + ".out")


def everything_is_installed():
    run("meson", "install", "--no-rebuild", "--quiet", "-C", BUILD, "--destdir", PLACE.path("root"))
    program = glob.glob(PLACE.path("root") + "/**/bin/clcontrast", recursive=True)[0]
    os.rename(os.path.dirname(os.path.dirname(program)), PREFIX)
    version = package("--modversion")[0]
    for name in ("bin/clcontrast", "libexec/clcontrast/clcontrast-check", "include/clcontrast/encoder.h", "share/man/man1/clcontrast.1",
                 "share/bash-completion/completions/clcontrast.bash", "share/zsh/site-functions/_clcontrast",
                 "share/fish/vendor_completions.d/clcontrast.fish", "share/clcontrast/config/simclr.ini",
                 "share/clcontrast/python/clcontrast.py", "include/clcontrast/search.h", "include/clcontrast/evaluate.h"):
        assert os.path.getsize(os.path.join(PREFIX, name)) > 0, name
    for name in ("libclcontrast.so." + version, "libclcontrast.so.0", "libclcontrast.a", "pkgconfig/clcontrast.pc"):
        assert os.path.exists(os.path.join(library(), name)), name
    assert version in run(os.path.join(PREFIX, "bin/clcontrast"), "--version")


def the_installed_program_checks_kernels():
    done = subprocess.run([PREFIX + "/bin/clcontrast", "check", "--quick", "gelu"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 passed, 0 failed" in done.stdout, done


def the_soname_is_the_major_version():
    dynamic = run("readelf", "-d", library() + "/libclcontrast.so")
    assert "soname: [libclcontrast.so.0]" in dynamic, dynamic


def symbols_are_those_of_the_list():
    names = sorted(line.split()[-1] for line in run("nm", "-D", "--defined-only", library() + "/libclcontrast.so").splitlines())
    expected = read(SYMBOLS).decode().split()
    names = [name for name in names if not name.startswith("__")]  # of sanitizers
    assert names == expected, f"added: {set(names) - set(expected)}, gone: {set(expected) - set(names)}"


def the_static_library_has_our_names_only():
    """And those of the messages of ONNX, which protoc-c gives it."""
    lines = run("nm", "-g", "--defined-only", library() + "/libclcontrast.a").splitlines()
    names = {line.split()[-1] for line in lines if len(line.split()) == 3}
    alien = {name for name in names if not name.startswith(("clc_", "onnx__", "__", ".", "DW."))}
    assert not alien, alien


def headers_are_cplusplus():
    run(compiled("headers.cc", "c++"), LD_LIBRARY_PATH=library())


def examples_train_and_embed():
    train, embed = compiled("train.c", "cc"), compiled("embed.c", "cc")
    run(train, "train.ini", LD_LIBRARY_PATH=library())
    run(embed, "run/encoder.safetensors", LD_LIBRARY_PATH=library())
    by_library = run(embed, "run", LD_LIBRARY_PATH=library())
    with open(PLACE.path("x.pgm"), "wb") as file:
        file.write(b"P5 16 16 255\n" + bytes(7 * i % 256 for i in range(256)))
    PLACE.run("embed", "run/encoder.safetensors", "x.pgm", "--output", "features")
    data = memoryview(read(PLACE.path("features/features.npy")))
    length = 10 + int.from_bytes(data[8:10], "little")
    by_program = data[length:].cast("f")
    assert [f"{x:.6g}" for x in by_program] == by_library.split()


def another_program_follows_training_and_ends_it():
    done = subprocess.run([compiled("callbacks.c", "cc"), "train.ini", "followed"], cwd=PLACE.folder, capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": library()}, timeout=600, check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done


def threads_share_an_encoder():
    os.mkdir(PLACE.path("folder"))
    for path in ("one.pgm", "folder/1.pgm", "folder/2.pgm"):
        with open(PLACE.path(path), "wb") as file:
            file.write(b"P5 30 18 255\n" + bytes(11 * i % 256 for i in range(30 * 18)))
    with open(PLACE.path("broken.png"), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n and no more")
    said = subprocess.run([compiled("threads.c", "cc"), "run", "one.pgm", "broken.png", "folder"], cwd=PLACE.folder,
                          capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": library()}, timeout=600, check=False)
    assert said.returncode == 0 and not said.stdout and not said.stderr, said


def write_blobs(folder, count):
    """Grey pictures with a bright corner, another one in turn."""
    os.makedirs(PLACE.path(folder))
    for i in range(count):
        y0, x0 = 12 * (i // 2 % 2), 12 * (i % 2)
        pixels = bytes((7 * i + 5 * y + 3 * x) % 50 + 180 * (y0 <= y < y0 + 12 and x0 <= x < x0 + 12) for y in range(24) for x in range(24))
        with open(PLACE.path(f"{folder}/{i:02}.pgm"), "wb") as file:
            file.write(b"P5 24 24 255\n" + pixels)


def another_program_searches():
    write_blobs("blobs", 12)
    search = compiled("search.c", "cc")
    by_library = run(search, "run", "blobs", "b.index", "blobs/07.pgm", LD_LIBRARY_PATH=library())
    by_program = PLACE.run("search", "b.index", "blobs/07.pgm", "-k", "3")[0]
    assert by_library == by_program and by_library.startswith("1.0000\tblobs/07.pgm\n"), (by_library, by_program)
    absent = subprocess.run([search, "run", "blobs", "b.index", "absent.pgm"], env={**os.environ, "LD_LIBRARY_PATH": library()},
                            cwd=PLACE.folder, capture_output=True, text=True, check=False)
    assert absent.returncode == 1 and "absent.pgm" in absent.stderr and not absent.stdout, absent


def another_program_evaluates():
    done = subprocess.run([compiled("evaluate.c", "cc"), "run", "evaluated"], env={**os.environ, "LD_LIBRARY_PATH": library()},
                          cwd=PLACE.folder, capture_output=True, text=True, check=False)
    rows = {row["features"]: row for row in json.loads(read(PLACE.path("evaluated/evaluation.json")))}
    figures = [f"{rows[name]['knn']['accuracy']:.6f}" for name in ("untrained encoder", "encoder")]
    assert done.returncode == 0 and done.stdout.split() == figures, done
    assert "knn.beauty" in done.stderr and "accuracy" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def python_finds_the_library():
    """Of the prefix that the module is installed in, beside it, or where it is said."""
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    if subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode:
        raise Skip("there is no numpy")
    folder, show = PREFIX + "/share/clcontrast/python", "import clcontrast; print(clcontrast.version, clcontrast._c._name)"
    expected = package("--modversion")[0]
    so = library() + "/libclcontrast.so.0"
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "CLC_LIBRARY": ""}
    assert run(python, "-c", show, PYTHONPATH=folder, **environment).split() == [expected, so]
    os.mkdir(PLACE.path("beside"))
    shutil.copy(folder + "/clcontrast.py", PLACE.path("beside"))
    os.symlink(so, PLACE.path("beside/libclcontrast.so.0"))
    said = run(python, "-c", show, PYTHONPATH=PLACE.path("beside"), **environment)
    assert said.split() == [expected, PLACE.path("beside/libclcontrast.so.0")], said
    environment["CLC_LIBRARY"] = "/absent.so"
    done = subprocess.run([python, "-c", show], env={**os.environ, "PYTHONPATH": folder, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "/absent.so" in done.stderr and "ImportError" in done.stderr, done


def an_error_is_a_message_and_a_status():
    embed = compiled("embed.c", "cc")
    done = subprocess.run([embed, "absent"], env={**os.environ, "LD_LIBRARY_PATH": library()}, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "absent" in done.stderr, done


with PLACE:
    main([everything_is_installed, the_installed_program_checks_kernels, the_soname_is_the_major_version, symbols_are_those_of_the_list,
          the_static_library_has_our_names_only, headers_are_cplusplus, examples_train_and_embed,
          another_program_follows_training_and_ends_it, threads_share_an_encoder, another_program_searches, another_program_evaluates, python_finds_the_library,
          an_error_is_a_message_and_a_status])

#!/usr/bin/env python3
"""Builds the targets of libFuzzer in a folder of their own and runs each for a time or a number of inputs. Prints TAP.

    run.py SOURCE FOLDER (--seconds N | --runs N) TARGET...

Skipped without a clang that has libFuzzer. A finding fails: the input is FOLDER/crashes/<target>-..., and
FOLDER/tests/fuzz/fuzz_<target> <that file> shows it again. FOLDER/corpus/<target> grows from run to run.
"""
import argparse
import concurrent.futures
import glob
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

# What data/image.h states for pictures of 65,536 pixels is 14 MB and 64 MiB; AddressSanitizer takes three times that.
LIMITS = ["-malloc_limit_mb=96", "-rss_limit_mb=768", "-timeout=10", "-max_len=12288"]
SEED_BYTES = 8192
# These warn of most inputs, on a stderr that libFuzzer closes.
LOUD = {"pack": ["-close_fd_mask=2"]}
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="allocator_may_return_null=1", UBSAN_OPTIONS="print_stacktrace=1")


def find_clang():
    probe = "#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *b, size_t n) { return !b && n; }\n"
    for name in (os.environ.get("CLC_FUZZ_CC"), "clang", "clang-15"):
        if name and shutil.which(name):
            with tempfile.TemporaryDirectory() as folder:
                command = [name, "-fsanitize=fuzzer,address,undefined", "-x", "c", "-", "-o", os.path.join(folder, "probe")]
                if not subprocess.run(command, input=probe, text=True, capture_output=True).returncode:
                    return name
    return None


def build(clang, source, folder):
    """None, or what went wrong."""
    commands = [["ninja", "-C", folder, "fuzz"]]
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        arguments = "-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -O1"
        commands.insert(0, ["meson", "setup", folder, source, "--buildtype=debug", "-Db_sanitize=address,undefined",
                            "-Db_lundef=false", "-Dc_args=" + arguments, "-Dc_link_args=-fsanitize=address,undefined"])
    for command in commands:
        done = subprocess.run(command, env=dict(os.environ, CC=clang), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            return done.stdout[-3000:]
    return None


def make_seeds(source, folder, targets):
    seeds = os.path.join(folder, "seeds")
    for name in targets:
        os.makedirs(os.path.join(seeds, name), exist_ok=True)
    command = [os.path.join(folder, "tests/fuzz/seeds"), seeds]
    done = subprocess.run(command, env=dict(ENVIRONMENT, ASAN_OPTIONS="detect_leaks=0"), capture_output=True, text=True)
    for path in glob.glob(os.path.join(source, "config/*.ini")):
        shutil.copy(path, os.path.join(seeds, "ini"))
    add_archives(os.path.join(seeds, "tar"))
    add_odd_images(source, seeds)
    return None if done.returncode == 0 else done.stdout + done.stderr


def add_archives(folder):
    members = {"a/x.png": b"\x89PNG", "a/x.cls": b"3", "b.pnm": b"P5 1 1 255\n\0", "b.json": b'{"label": "dog"}'}
    os.makedirs(folder, exist_ok=True)
    for kind in ("", "gz", "bz2", "xz"):
        with tarfile.open(os.path.join(folder, "tar" + kind), "w:" + kind) as archive:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(os.path.join(folder, f"zip{kind}"), "w", kind) as archive:
            for name, data in members.items():
                archive.writestr(name, data)


def add_odd_images(source, seeds):
    """A collection of odd files, where there is one: see tests/data/judge_decoders.py."""
    maker = os.path.join(os.environ.get("CLC_ODD_IMAGES") or os.path.join(source, "..", "shared", "odd_images"), "make.py")
    if not os.path.exists(maker) or os.path.exists(os.path.join(seeds, "odd")):
        return
    with tempfile.TemporaryDirectory() as out:
        for python in (sys.executable, "/usr/bin/python3"):
            subprocess.run([python, maker, os.path.join(out, "odd")], capture_output=True)
        os.makedirs(os.path.join(seeds, "odd"))
        for number, path in enumerate(sorted(glob.glob(os.path.join(out, "odd/images/*/*")))):
            kind = os.path.basename(os.path.dirname(path))
            if os.path.isfile(path) and os.access(path, os.R_OK) and 0 < os.path.getsize(path) <= SEED_BYTES:
                for name in {"image", kind}:
                    if os.path.isdir(os.path.join(seeds, name)):
                        shutil.copy(path, os.path.join(seeds, name, f"odd{number}"))
        subprocess.run(["chmod", "-R", "u+rwX", out], stderr=subprocess.DEVNULL)


def run(folder, name, how_long):
    corpus, crashes = os.path.join(folder, "corpus", name), os.path.join(folder, "crashes")
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(crashes, exist_ok=True)
    command = [os.path.join(folder, "tests/fuzz/fuzz_" + name), how_long, *LIMITS, *LOUD.get(name, []), "-seed=1", "-print_final_stats=1",
               f"-artifact_prefix={crashes}/{name}-", corpus, os.path.join(folder, "seeds", name)]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "0")
    return done.returncode == 0 and int(runs) > 0, runs, done.stderr[-4000:]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("source")
    options.add_argument("folder")
    length = options.add_mutually_exclusive_group(required=True)
    length.add_argument("--seconds", type=int)
    length.add_argument("--runs", type=int)
    options.add_argument("targets", nargs="+")
    options = options.parse_args()
    folder = os.path.abspath(options.folder)
    clang = find_clang()
    if not clang:
        print("1..0 # SKIP no clang with libFuzzer")
        return
    wrong = build(clang, os.path.abspath(options.source), folder) or make_seeds(options.source, folder, options.targets)
    if wrong:
        print("1..1\nnot ok 1 - the targets are built and seeded\n# " + wrong.replace("\n", "\n# "))
        return
    how_long = f"-max_total_time={options.seconds}" if options.seconds else f"-runs={options.runs}"
    print(f"1..{len(options.targets)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda name: (name, *run(folder, name, how_long)), options.targets)
        for number, (name, right, runs, words) in enumerate(results, 1):
            print(f"{'ok' if right else 'not ok'} {number} - {name}: {runs} inputs", flush=True)
            if not right:
                print("# " + words.replace("\n", "\n# "), flush=True)


if __name__ == "__main__":
    main()

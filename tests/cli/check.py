"""Kernels against their references on the user's device: what is right passes, and what isn't is told with all that a
report needs.

    check.py PROGRAM KERNELS [all]
"""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys

from program import INTERRUPTED, INVALID, IO, OPENCL, PROGRAM, Skip, Workplace, main, read

KERNELS = sys.argv[2]
PLACE = Workplace(images=64)
# Of GPUs alone, but for the last, which is a measurement.
OTHERS = {"op/attention_group.cl", "op/conv2d_implicit_gemm.cl", "op/conv2d_winograd_gemm.cl", "roofline.cl"}
TESTS = os.path.join(os.path.dirname(PROGRAM), "../tests/check/clcontrast-check")


def broken(name, path, old, new):
    """A folder of kernels of which one is another."""
    folder = PLACE.path(name)
    shutil.copytree(KERNELS, folder)
    with open(os.path.join(folder, path), encoding="utf-8") as file:
        text = file.read()
    assert old in text, old
    with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
        file.write(text.replace(old, new, 1))
    return folder


def lines_of(out):
    """Family: its line."""
    found = [re.match(r"(.*?) +(passed|failed|crashed|hangs|races|ended early) +[0-9]+ tests ", line) for line in out.splitlines()]
    return {match[1]: match.string for match in found if match}


def tensors(run):
    data = read(PLACE.path(run + "/encoder.safetensors"))
    return data[8 + int.from_bytes(data[:8], "little"):]


def families_that_are_right_pass():
    """Each line says how many tests there were, and most how far they were from the reference."""
    out, err = PLACE.run("check", "gelu", "histogram")
    lines = lines_of(out)
    assert set(lines) == {"gelu", "histogram"} and "clcontrast: " not in err, out + err
    assert re.search(r"passed +[1-9][0-9]* tests .*greatest error [0-9.e-]+ of [0-9.e-]+ allowed: ", lines["gelu"]), lines
    assert "2 families of kernels: 2 passed, 0 failed" in out and out.startswith("clcontrast "), out


def a_wrong_sign_is_found_and_told():
    folder = broken("wrong", "op/gelu.cl", "1.0f - tail : tail", "1.0f - tail : -tail")
    out, err = PLACE.run("check", "--quick", "gelu", "histogram", status=OPENCL, CLCONTRAST_CL_DIR=folder)
    lines = lines_of(out)
    assert "failed" in lines["gelu"] and "passed" in lines["histogram"], out
    report = out.split("please report what follows")[1]
    for word in ("driver ", "platform ", folder, "gelu: element ", "expected", "kernel op/gelu.cl gelu_forward -D", "seed "):
        assert word in report, f"{word} is not in {report}"
    assert "1 of 2 families" in err.strip().splitlines()[-1], err


def a_kernel_that_does_not_build_shows_its_build_log():
    folder = broken("unbuildable", "op/gelu.cl", "#define QUICK_SLOPE 1.702f", "#define QUICK_SLOPE 1.702f +")
    out, _ = PLACE.run("check", "--quick", "gelu", status=OPENCL, CLCONTRAST_CL_DIR=folder)
    assert "error" in out and "options: " in out and "don't build" in out, out


def a_crash_is_told_and_the_others_are_checked():
    if not re.search(r"^ *[0-9]+ +cpu ", PLACE.run("devices")[0], re.M):
        raise Skip("only a CPU's kernels crash as programs do")
    folder = broken("crashing", "op/elementwise.cl", "MY_VECTORS(j, n) {", "MY_VECTORS(j, n) { VSTORE((vec)(1.0f), j + (1 << 28), to);")
    out, _ = PLACE.run("check", "--quick", "--device", "cpu", "consumers", "gelu", status=OPENCL, CLCONTRAST_CL_DIR=folder)
    lines = lines_of(out)
    assert "crashed" in lines["consumers"] and "passed" in lines["gelu"], out
    assert "crashed by signal 11" in out and "kernel op/" in out, out


def all_kernels_are_right_and_none_is_left_out():
    out, _ = PLACE.run("check", timeout=3000)
    families = subprocess.run([TESTS], capture_output=True, text=True, check=True).stdout.splitlines()
    assert list(lines_of(out)) == families and f"{len(families)} passed, 0 failed" in out, out
    ran = set()
    for family in families:
        said = subprocess.run([TESTS, "0", "cpu", family], capture_output=True, text=True, check=False).stdout
        ran |= {line.split()[1] for line in said.splitlines() if line.startswith("source ")}
    sources = {os.path.relpath(path, KERNELS) for path in glob.glob(KERNELS + "/**/*.cl", recursive=True)}
    assert sources - ran <= OTHERS, sources - ran - OTHERS


def ctrl_c_ends_it():
    process = PLACE.start("check")
    line = process.stdout.readline()
    assert line.startswith("clcontrast "), line
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=600) == INTERRUPTED


def what_is_not_there_is_refused():
    PLACE.refused("check", "absent", status=INVALID, says=["absent"])
    PLACE.refused("check", "gelu", "--set", "device.profile=x", status=INVALID, says=["device.profile"])
    os.makedirs(PLACE.path("alone/bin"))
    alone = shutil.copy(PROGRAM, PLACE.path("alone/bin/clcontrast"))
    done = subprocess.run([alone, "check"], capture_output=True, text=True, check=False)
    assert done.returncode in (IO, 0) if os.path.exists("/usr/local/libexec/clcontrast") else done.returncode == IO, done
    assert "clcontrast-check" in done.stderr, done


def training_launch_by_launch_gives_the_same_bits():
    PLACE.train("--set", "training.epochs=1", "--set", "output.folder=row")
    PLACE.train("--set", "training.epochs=1", "--set", "output.folder=one", "--set", "device.sync=every")
    assert tensors("row") == tensors("one")


with PLACE:
    main([all_kernels_are_right_and_none_is_left_out] if len(sys.argv) > 3 else
         [families_that_are_right_pass, a_wrong_sign_is_found_and_told, a_kernel_that_does_not_build_shows_its_build_log,
          a_crash_is_told_and_the_others_are_checked, ctrl_c_ends_it, what_is_not_there_is_refused,
          training_launch_by_launch_gives_the_same_bits])

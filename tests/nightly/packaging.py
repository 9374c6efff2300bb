"""What is given away: the tarball of `meson dist` builds and passes its quick tests in an empty folder, with nothing of this
user's environment, and the program that is linked statically needs libc and OpenCL's loader only.

    packaging.py PROGRAM BUILD
"""

import glob
import os
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Skip, Workplace, main  # noqa: E402  pylint: disable=wrong-import-position

BUILD = sys.argv[2]
QUICK = ["config", "half", "rng", "text", "safetensors", "decode", "decode_kinds", "tokenizer", "linear", "folder"]
SHARED = {"libOpenCL.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
PLACE = Workplace(images=4)


def run(*command, environment=None, folder=None):
    done = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
    return done.stdout


def in_the_open(*command, **keywords):
    """With nothing of this user's environment."""
    return run(*command, environment={"PATH": "/usr/bin:/bin", "HOME": PLACE.path("home"), "LANG": "C.UTF-8"}, folder=PLACE.folder, **keywords)


class Tarball:
    tree = None

    @classmethod
    def get(cls):
        """The folder that it is unpacked to; `meson dist` is of what is committed."""
        if not cls.tree:
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
            if subprocess.run(["git", "-C", source, "rev-parse"], capture_output=True, check=False).returncode:
                raise Skip("this is no repository, from which alone `meson dist` makes a tarball")
            run("meson", "dist", "-C", BUILD, "--no-tests", "--allow-dirty", "--formats", "gztar")
            (path,) = glob.glob(BUILD + "/meson-dist/*.tar.gz")
            with tarfile.open(path) as archive:
                names = archive.getnames()
                archive.extractall(PLACE.folder)
            os.mkdir(PLACE.path("home"))
            cls.tree = PLACE.path(os.path.commonpath(names))
            for name in ("meson.build", "README.md", "LICENSE", "config/quickstart.sh", "tests/cli/program.py"):
                assert os.path.exists(os.path.join(cls.tree, name)), name
            in_the_open("meson", "setup", "built", cls.tree)
        return cls.tree


def the_tarball_builds_and_passes_its_quick_tests():
    Tarball.get()
    in_the_open("ninja", "-C", "built", "src/clcontrast")
    said = in_the_open("meson", "test", "-C", "built", "--timeout-multiplier", "4", *QUICK)
    assert re.search(r"Ok: +%d\b" % len(QUICK), said), said


def the_static_program_needs_libc_and_the_loader_only():
    tree = Tarball.get()
    in_the_open("meson", "configure", "built", "-Dprefer_static=true")
    in_the_open("ninja", "-C", "built", "src/clcontrast")
    program = PLACE.path("built/src/clcontrast")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program)))
    print("# needs " + ", ".join(sorted(needed)))
    assert "libOpenCL.so.1" in needed and needed <= SHARED, needed - SHARED
    in_the_open("python3", os.path.join(tree, "tests/cli/folder.py"), program)


with PLACE:
    main([the_tarball_builds_and_passes_its_quick_tests, the_static_program_needs_libc_and_the_loader_only])

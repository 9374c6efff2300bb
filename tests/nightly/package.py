"""What is given away: the tarball of `meson dist` builds and passes its quick tests in an empty folder, with nothing of this
user's environment, and the program that is linked statically needs libc and OpenCL's loader only.

    package.py PROGRAM BUILD

CLC_CHROOT names the root of another Debian in which that is done in place of this one's, by root:

    debootstrap --variant=minbase bookworm ROOT && cp config/install.sh ROOT/root
    mount --bind /proc ROOT/proc && mount --bind /sys ROOT/sys
    chroot ROOT sh /root/install.sh libacl1-dev libbz2-dev liblz4-dev libxml2-dev nettle-dev
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Skip, main  # noqa: E402  pylint: disable=wrong-import-position

BUILD = sys.argv[2]
ROOT = os.environ.get("CLC_CHROOT", "")
QUICK = ["config", "half", "rng", "text", "safetensors", "decode", "decode_kinds", "tokenizer", "linear"]
SHARED = {"libOpenCL.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
PLACE = tempfile.mkdtemp(prefix="clcontrast-test-", dir=ROOT + "/tmp")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
    return done.stdout


def in_the_open(command):
    """In the folder, with nothing of this user's environment."""
    folder = PLACE[len(ROOT) :]
    bare = ["env", "-i", "PATH=/usr/bin:/bin", f"HOME={folder}/home", "LANG=C.UTF-8", "sh", "-c", f"cd {folder} && {command}"]
    return run(*(["chroot", ROOT] if ROOT else []), *bare)


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
                cls.tree = os.path.commonpath(archive.getnames())
                archive.extractall(PLACE)
            os.mkdir(PLACE + "/home")
            for name in ("meson.build", "README.md", "LICENSE", "config/quickstart.sh", "tests/cli/program.py"):
                assert os.path.exists(os.path.join(PLACE, cls.tree, name)), name
            in_the_open("meson setup built " + cls.tree)
        return cls.tree


def the_tarball_builds_and_passes_its_quick_tests():
    Tarball.get()
    in_the_open("ninja -C built src/clcontrast")
    said = in_the_open("meson test -C built --timeout-multiplier 4 " + " ".join(QUICK))
    assert re.search(r"Ok: +%d\b" % len(QUICK), said), said


def the_static_program_needs_libc_and_the_loader_only():
    tree = Tarball.get()
    in_the_open("meson configure built -Dprefer_static=true && ninja -C built src/clcontrast")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", PLACE + "/built/src/clcontrast")))
    print("# needs " + ", ".join(sorted(needed)))
    assert "libOpenCL.so.1" in needed and needed <= SHARED, needed - SHARED
    in_the_open(f"python3 {tree}/tests/cli/folder.py built/src/clcontrast")


try:
    main([the_tarball_builds_and_passes_its_quick_tests, the_static_program_needs_libc_and_the_loader_only])
finally:
    shutil.rmtree(PLACE, ignore_errors=True)

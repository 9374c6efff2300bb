"""Every kernel of real training runs through the compilers of real GPUs: gate.py CLCONTRAST.

The programs that training a ResNet-18 on small and a ResNet-50 on large images builds with a GPU's kernels must
compile for AMD, NVIDIA and Intel and as SPIR-V 1.0 without warning, spill or scratch memory, in groups of at most 256
work-items and 32 KB of local memory. Kernels of one work-item are for CPU devices: they must compile, no more. The
CPU's programs are linted. Compilers that are not installed are skipped. Prints what each kernel takes on each GPU."""

import atexit
import concurrent.futures
import glob
import hashlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main, write_idx
from compilers import TARGETS, Program

INI = """
[data]
train_images = images
[augmentation]
blur = 0.5
rotation = 10
"""
RUNS = [
    ["encoder.name=resnet18", "encoder.stem=small", "training.batch=32", "optimizer.name=lars"],
    ["encoder.name=resnet50", "encoder.stem=large", "training.batch=8", "augmentation.size=224"],
]


def settings(run, profile):
    for setting in [*run, f"device.profile={profile}"]:
        yield from ("--set", setting)


def collect(workplace, profile):
    """The different programs of all runs."""
    programs = {}
    with open(workplace.path("gate.ini"), "w", encoding="utf-8") as file:
        file.write(INI)
    write_idx(workplace.path("images"), 0x804, (256, 32, 32, 3), bytes(256 * 32 * 32 * 3))
    for number, run in enumerate(RUNS):
        folder = workplace.path(f"{profile}-{number}")
        workplace.run("programs", "gate.ini", folder, *settings(run, profile), OCL_ICD_VENDORS="pocl.icd")
        for path in sorted(glob.glob(folder + "/*.cl")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            programs.setdefault(hashlib.sha256(text.encode()).digest(), Program(path, text))
    return list(programs.values())


class Gate:
    """Programs, made once, and what the compilers said of them."""

    def __init__(self):
        self.workplace = Workplace(images=16)
        atexit.register(self.workplace.__exit__)
        self.programs = {profile: collect(self.workplace, profile) for profile in ("gpu", "cpu")}
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        self.usage = {}  # kernel: target: what it takes at most

    def check(self, target, profile):
        """Compiles all programs; fails with every complaint."""
        reason = target.missing()
        if reason:
            raise Skip(reason)
        with tempfile.TemporaryDirectory() as folder:
            jobs = [
                self.pool.submit(target.compile, program, os.path.join(folder, str(i)))
                for i, program in enumerate(self.programs[profile])
            ]
            complaints = {}
            for program, job in zip(self.programs[profile], jobs):
                result = job.result()
                lines = result.complaints
                for usage in result.usages:
                    lines = lines + [f"{usage.kernel}: {line}" for line in usage.complaints()]
                    self.remember(target.name, usage)
                for line in lines:
                    complaints.setdefault(line.replace(program.path, program.source), program)
        for line, program in list(complaints.items())[:40]:
            print(f"# {line}\n#     {program.name}: {program.options}")
        assert not complaints, f"{len(complaints)} complaints"

    def remember(self, target, usage):
        row = self.usage.setdefault(usage.kernel, {})
        row[target] = usage.worse_of(row.get(target))

    def print_table(self):
        """A line a kernel: registers, bytes of local memory and share of the threads that fit, at worst."""
        targets = [t.name for t in TARGETS if any(t.name in row for row in self.usage.values())]
        print("# registers / local bytes / occupancy in percent, of all variants the worst")
        print("# " + "kernel".ljust(34) + "".join(name.rjust(17) for name in targets))
        for kernel, row in sorted(self.usage.items()):
            cells = (str(row[name]) if name in row else "-" for name in targets)
            print("# " + kernel.ljust(34) + "".join(cell.rjust(17) for cell in cells))


gate = Gate()


def test_of(target, profile):
    def test():
        gate.check(target, profile)

    test.__name__ = f"{profile}_programs_pass_{target.name}"
    return test


def the_table_is_printed():
    gate.print_table()


main([test_of(TARGETS[0], "cpu")] + [test_of(target, "gpu") for target in TARGETS] + [the_table_is_printed])

"""Every kernel of real training runs through the compilers of real GPUs: gate.py CLCONTRAST.

The programs that training builds with a GPU's kernels (a ResNet-18 on small and a ResNet-50 on large images, each
loss and method, evaluation) must
compile for AMD, NVIDIA and Intel and as SPIR-V 1.0 without warning, spill or scratch memory, in groups of at most 256
work-items and 32 KB of local memory. Kernels of one work-item are for CPU devices: they must compile, no more. The
CPU's programs are linted. Compilers that are not installed are skipped. Prints what each kernel takes on each GPU.
Bad kernels come first: each must be refused, or the gate itself is faulty."""

import atexit
import concurrent.futures
import glob
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../cli"))
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main
from compilers import TARGETS, Nvidia, Program
from runs import RUNS, prepare, settings


def collect(workplace, profile):
    """The different programs of all runs."""
    programs = {}
    prepare(workplace)
    for number, run in enumerate(RUNS):
        folder = workplace.path(f"{profile}-{number}")
        arguments = settings(run, f"device.profile={profile}")
        workplace.run("programs", "gate.ini", folder, *arguments, OCL_ICD_VENDORS="pocl.icd")
        for path in sorted(glob.glob(folder + "/*.cl")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if text not in programs:
                programs[text] = Program(path, text)
    return list(programs.values())


class Gate:
    """Programs, made once, and what the compilers said of them."""

    def __init__(self):
        self.workplace = Workplace(images=16)
        atexit.register(self.workplace.__exit__)
        self.programs = {profile: collect(self.workplace, profile) for profile in ("gpu", "cpu")}
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        self.usage = {}  # kernel: target: what it takes at most

    def compile(self, target, programs):
        """What the compiler says of each program."""
        reason = target.missing()
        if reason:
            raise Skip(reason)
        with tempfile.TemporaryDirectory() as folder:
            jobs = [
                self.pool.submit(target.compile, program, os.path.join(folder, str(i)))
                for i, program in enumerate(programs)
            ]
            return [job.result() for job in jobs]

    def check(self, target, profile):
        """Compiles all programs; fails with every complaint."""
        start, complaints = time.monotonic(), {}
        for program, result in zip(self.programs[profile], self.compile(target, self.programs[profile])):
            for line in result.all_complaints():
                complaints.setdefault(line.replace(program.path, program.source), program)
            for usage in result.usages:
                self.remember(target.name, usage)
        print(f"# {len(self.programs[profile])} programs in {time.monotonic() - start:.0f} s")
        for line, program in list(complaints.items())[:40]:
            print(f"# {line}\n#     {program.name}: {program.options}")
        assert not complaints, f"{len(complaints)} complaints"

    def remember(self, target, usage):
        row = self.usage.setdefault(usage.kernel, {})
        row[target] = usage.worse_of(row.get(target))

    def print_table(self):
        """A line a kernel: registers, bytes of local memory and share of the threads that fit, at worst."""
        single = sorted(k for k, row in self.usage.items() if all(u.items == 1 for u in row.values()))
        table = {k: row for k, row in sorted(self.usage.items()) if k not in single}
        targets = [t.name for t in TARGETS if any(t.name in row for row in table.values())]
        print("# registers of an item / local bytes of a group / occupancy in percent; of all variants the worst")
        print("# " + "kernel".ljust(34) + "".join(name.rjust(14) for name in targets))
        for kernel, row in table.items():
            cells = (str(row[name]) if name in row else "-" for name in targets)
            print("# " + kernel.ljust(34) + "".join(cell.rjust(14) for cell in cells))
        for name in targets:
            column = [row[name] for row in table.values() if name in row]
            most = max(column, key=lambda u: u.registers)
            least = min(column, key=lambda u: u.occupancy)
            print(f"# {name}: at most {most.registers} registers ({most.kernel}), {max(u.local for u in column)} "
                  f"local bytes; at least {100 * least.occupancy:.0f} % occupancy ({least.kernel})")
        print("# one work-item a group, for CPUs: " + (", ".join(single) or "none"))


gate = Gate()


def test_of(target, profile):
    def test():
        gate.check(target, profile)

    test.__name__ = f"{profile}_programs_pass_{target.name}"
    return test


def the_table_is_printed():
    gate.print_table()


# Kernels that must be refused: the body, and a part of what each compiler has to say.
HEAD = "// options: -cl-std=CL1.2\nkernel __attribute__((reqd_work_group_size({items}, 1, 1)))\n"
HEAD += "void bad(global float *x) {{\n    const size_t i = get_global_id(0);\n    {body}\n}}\n"
MANY = range(24)
BAD = {
    "unused variable": (64, "int n = 0; x[i] = 1.0f;", {"lint": "unused variable 'n'"}),
    "fp64": (64, "x[i] = (float)((double)x[i] * x[i + 1]);", {"spirv": "capability Float64", "lint": "double"}),
    "memory of an item": (
        64,
        "float a[512]; for (int k = 0; k < 512; k++) a[(k * 7 + (int)x[k]) & 511] = x[i + k]; x[i] = a[(int)x[i] & 511];",
        {"gfx906": "ScratchSize", "sm_80": "bytes of stack", "skl": "private memory"},
    ),
    "spills": (
        256,
        " ".join(f"float16 a{k} = vload16({k}, x + i);" for k in MANY)
        + " for (int n = 0; n < (int)x[0]; n++) {"
        + " ".join(f"a{k} = fma(a{k}, a{(k + 5) % 24}, vload16(n, x + {k}));" for k in MANY)
        + "} "
        + " ".join(f"vstore16(a{k}, {k}, x + i);" for k in MANY),
        {"gfx906": "VGPRs Spill", "sm_80": "spill", "skl": "spill"},
    ),
    "large group": (512, "x[i] = 1.0f;", {"gfx906": "512 work-items", "sm_80": "512 work-items"}),
    "local memory": (
        64,
        "local float all[10000]; all[i] = x[i]; barrier(CLK_LOCAL_MEM_FENCE); x[i] = all[(i * 7) % 10000];",
        {"gfx906": "40000 bytes of local", "sm_80": "40000 bytes of local", "skl": "40000 bytes of local"},
    ),
}


def bad_kernels_are_refused_by(target):
    def test():
        for what, (items, body, wanted) in BAD.items():
            if target.name not in wanted:
                continue
            path, text = gate.workplace.path(what.replace(" ", "_") + ".cl"), HEAD.format(items=items, body=body)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = gate.compile(target, [Program(path, text)])[0]
            if isinstance(target, Nvidia) and not target.ptxas():
                raise Skip("CUDA's ptxas is not installed")
            said = "; ".join(result.all_complaints())
            assert wanted[target.name] in said, f"{what}: '{wanted[target.name]}' is not in '{said}'"

    test.__name__ = f"bad_kernels_are_refused_by_{target.name}"
    return test


judges = [target for target in TARGETS if any(target.name in wanted for _, _, wanted in BAD.values())]
main(
    [bad_kernels_are_refused_by(target) for target in judges]
    + [test_of(TARGETS[0], "cpu")]
    + [test_of(target, "gpu") for target in TARGETS]
    + [the_table_is_printed]
)

"""The compilers of the gate, one class each: what they are called with, and what their reports say."""

import os
import re
import shutil
import subprocess

MOST_ITEMS, MOST_LOCAL = 256, 32768  # of a work-group, on the smallest GPUs


class Program:
    """A program as it was written: build options in the first line."""

    def __init__(self, path, text):
        self.path = path
        self.name = os.path.basename(path)
        self.source = self.name.split("-", 1)[-1]
        self.options = text.splitlines()[0].removeprefix("// options: ")
        self.groups = group_sizes(self)


def run(*command):
    """Exit status and everything printed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode, result.stdout


def clang(program, *flags):
    common = ["-x", "cl", "-Xclang", "-finclude-default-header", "-fno-caret-diagnostics"]
    return run("clang-15", *common, *program.options.split(), *flags, program.path)


def group_sizes(program):
    """Of each kernel: work-items of a group; the most there are if any number will do."""
    status, text = clang(program, "-target", "spir64", "-S", "-emit-llvm", "-o", "-", "-w")
    if status:
        return {}
    nodes = dict(re.findall(r"^(![0-9]+) = !\{i32 ([0-9]+, i32 [0-9]+, i32 [0-9]+)\}", text, re.M))
    sizes = {}
    for name, rest in re.findall(r"^define .*spir_kernel void @(\w+)\((.*)", text, re.M):
        node = re.search(r"!reqd_work_group_size (![0-9]+)", rest)
        numbers = [int(n) for n in nodes[node[1]].split(", i32 ")] if node else [0, 0, 0]
        sizes[name] = numbers[0] * numbers[1] * numbers[2] or MOST_ITEMS
    return sizes


class Usage:
    """What one kernel takes on one GPU; occupancy from 0 to 1."""

    def __init__(self, kernel, items, registers, local, occupancy, faults=()):
        self.kernel, self.items, self.registers = kernel, items, registers
        self.local, self.occupancy, self.faults = local, occupancy, list(faults)

    def complaints(self):
        if self.items == 1:
            return []
        wrong = list(self.faults)
        if self.items > MOST_ITEMS:
            wrong.append(f"groups of {self.items} work-items")
        if self.local > MOST_LOCAL:
            wrong.append(f"{self.local} bytes of local memory")
        return wrong

    def worse_of(self, other):
        if other is None or self.items == 1:
            return self
        return Usage(
            self.kernel,
            max(self.items, other.items),
            max(self.registers, other.registers),
            max(self.local, other.local),
            min(self.occupancy, other.occupancy),
        )

    def __str__(self):
        if self.items == 1:
            return "one item"
        return f"{self.registers}/{self.local}/{100 * self.occupancy:.0f}"


class Result:
    """Complaints on a whole program, usages of its kernels."""

    def __init__(self, complaints=(), usages=()):
        self.complaints, self.usages = list(complaints), list(usages)

    def all_complaints(self):
        return self.complaints + [f"{u.kernel}: {line}" for u in self.usages for line in u.complaints()]


def lines_of(status, text):
    """A compiler's complaints: whatever it said, or that it failed."""
    said = [line for line in text.splitlines() if line.strip()]
    said = [line for line in said if not line.startswith("Command was: ")]
    return said[:12] or (["it failed without a word"] if status else [])


class Target:
    """A compiler for one GPU."""

    tools = ("clang-15",)

    def __init__(self, name):
        self.name = name

    def missing(self):
        for tool in self.tools:
            if not (os.path.exists(tool) if "/" in tool else shutil.which(tool)):
                return f"{tool} is not installed; see config/install.sh all"
        return None


class Lint(Target):
    """All warnings that make sense in OpenCL C. Sources hold helpers for all their kernels and variants, of which a
    program takes some: functions and parameters may be unused, variables may not. Built-in indices are unsigned."""

    FLAGS = (
        "-Werror -pedantic-errors -Wall -Wextra -Wconversion -Wdouble-promotion -Wshadow -Wvla -Wcast-align "
        "-Wconditional-uninitialized -Wundef -Wno-sign-conversion -Wno-unused-parameter -Wno-unused-function"
    ).split()

    def compile(self, program, _):
        return Result(lines_of(*clang(program, "-fsyntax-only", "-target", "spir64", *self.FLAGS)))


class SpirV(Target):
    """SPIR-V 1.0 of an OpenCL 1.2 device without options: no fp64, no 64-bit atomics, no images."""

    tools = ("clang-15", "llvm-spirv-15", "spirv-val", "spirv-dis")
    ALLOWED = {"Addresses", "Linkage", "Kernel", "Int8", "Int16", "Int64", "Vector16"}

    def compile(self, program, path):
        bitcode, binary = path + ".bc", path + ".spv"
        flags = ["-target", "spir64-unknown-unknown", "-O1", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"]
        for command in (
            lambda: clang(program, *flags, "-o", bitcode),
            lambda: run("llvm-spirv-15", "--spirv-max-version=1.0", bitcode, "-o", binary),
            lambda: run("spirv-val", "--target-env", "opencl1.2", binary),
        ):
            said = lines_of(*command())
            if said:
                return Result(said)
        used = set(re.findall(r"OpCapability (\w+)", run("spirv-dis", binary)[1]))
        return Result([f"needs capability {name}" for name in sorted(used - self.ALLOWED)])


class Amd(Target):
    """LLVM's back end and libclc; its remarks tell what a kernel takes."""

    LIBRARY = "/usr/lib/clc/amdgcn--amdhsa.bc"
    tools = ("clang-15", "llvm-nm-15", LIBRARY)

    def compile(self, program, path):
        status, text = clang(
            program, "-target", "amdgcn-amd-amdhsa", f"-mcpu={self.name}", "-nogpulib", "-Wno-linker-warnings",
            "-Xclang", "-mlink-builtin-bitcode", "-Xclang", self.LIBRARY, "-O3", "-c", "-o", path,
            "-Rpass-analysis=kernel-resource-usage",
        )
        remarks = re.findall(r"remark: +([^:\n]*): (\S+) \[-Rpass-analysis", text)
        others = [line for line in text.splitlines() if "remark:" not in line]
        if status or others:
            return Result(lines_of(status, "\n".join(others)))
        undefined = run("llvm-nm-15", "-u", path)[1].split()[1::2]
        return Result([f"undefined: {name}" for name in undefined], self.usages(program, remarks))

    def usages(self, program, remarks):
        kernels = {}
        for what, value in remarks:
            if what == "Function Name":
                values = kernels.setdefault(value, {})
            else:
                values[what.split(" [")[0]] = int(value)
        most = 16 if self.name.startswith("gfx10") or self.name.startswith("gfx11") else 8
        most = 10 if self.name == "gfx906" else most
        for name, items in program.groups.items():
            v = kernels[name]
            # Scalar registers are spilled to lanes of vector registers: no memory is touched.
            faults = [f"{v[what]} of {what}" for what in ("ScratchSize", "VGPRs Spill") if v[what]]
            registers = v["VGPRs"] + v.get("AGPRs", 0)
            yield Usage(name, items, registers, v.get("LDS Size", 0), min(1, v["Occupancy"] / most), faults)


class Nvidia(Target):
    """LLVM's PTX and libclc; ptxas, where CUDA has one for the GPU, tells what a kernel takes."""

    LIBRARY = "/usr/lib/clc/nvptx64--nvidiacl.bc"
    tools = ("clang-15", LIBRARY)
    # Threads and groups that a multiprocessor holds, and its shared memory.
    LIMITS = {"sm_70": (2048, 32, 98304), "sm_75": (1024, 16, 65536), "sm_80": (2048, 32, 167936),
              "sm_90": (2048, 32, 233472)}
    # Compiled once, assembled for more: ptxas takes PTX of an older GPU, and clang 15 doesn't know sm_90.
    OLDER = {"sm_75": "sm_70", "sm_90": "sm_80"}
    written = {}  # program's path, GPU: PTX

    @staticmethod
    def ptxas():
        return shutil.which("ptxas") or shutil.which("/usr/local/cuda/bin/ptxas")

    def ptx(self, program, path):
        """Writes PTX; what the compiler says."""
        name = self.OLDER.get(self.name, self.name)
        known = self.written.get((program.path, name))
        if known:
            with open(path, "w", encoding="utf-8") as file:
                file.write(known)
            return []
        said = lines_of(*clang(
            program, "-target", "nvptx64-unknown-nvidiacl", "-Xclang", "-target-cpu", "-Xclang", name, "-nogpulib",
            "-Xclang", "-mlink-builtin-bitcode", "-Xclang", self.LIBRARY, "-O3", "-S", "-o", path,
            "-Wno-linker-warnings",
        ))
        if not said:
            with open(path, encoding="utf-8") as file:
                self.written[program.path, name] = file.read()
        return said

    def compile(self, program, path):
        said = self.ptx(program, path + ".ptx")
        if said:
            return Result(said)
        ptxas = self.ptxas()
        if not ptxas or f"'{self.name}'" not in run(ptxas, "--help")[1]:
            return Result()
        status, text = run(ptxas, f"-arch={self.name}", "-v", "-o", path, path + ".ptx")
        if status or "ptxas warning" in text:
            return Result(lines_of(status, "\n".join(re.findall(".*warning.*|.*error.*", text))))
        return Result((), self.usages(program, text))

    def usages(self, program, text):
        pattern = (r"Function properties for (\w+)\n +(\d+) bytes stack frame, (\d+) bytes spill stores, "
                   r"(\d+) bytes spill loads\n.*Used (\d+) registers(?:.*?(\d+) bytes smem)?")
        for name, stack, stores, loads, registers, shared in re.findall(pattern, text):
            if name not in program.groups:
                continue
            items, registers, shared = program.groups[name], int(registers), int(shared or 0)
            faults = [f"{n} bytes of {what}" for n, what in
                      ((stack, "stack"), (stores, "spill stores"), (loads, "spill loads")) if n != "0"]
            if registers * items > 65536:
                faults.append(f"{registers} registers in groups of {items}")
            yield Usage(name, items, registers, shared, self.occupancy(items, registers, shared), faults)

    def occupancy(self, items, registers, shared):
        threads, groups, memory = self.LIMITS[self.name]
        warps = max(1, (items + 31) // 32)
        by_registers = 65536 // (warps * 32 * ((registers + 7) // 8 * 8))
        by_memory = memory // shared if shared else groups
        return min(groups, by_registers, by_memory, threads // (warps * 32)) * warps * 32 / threads


class Intel(Target):
    """Intel's own compiler."""

    tools = ("ocloc", "readelf")
    # It may keep a structure of some bytes in memory that others keep in registers.
    MOST_PRIVATE = 64  # bytes of an item
    THREADS = {"skl": 7, "dg1": 7, "dg2-g10": 8}  # of an execution unit, with 128 registers each

    def compile(self, program, path):
        os.mkdir(path)
        options = f"{program.options} -Werror"
        status, text = run("ocloc", "compile", "-file", program.path, "-device", self.name, "-options", options,
                           "-out_dir", path, "-output", "k", "--format", "zebin")
        said = [line for line in text.splitlines() if line.strip() and not line.startswith("Build succeeded")]
        if status or said:
            return Result(lines_of(status, "\n".join(said)))
        binaries = [os.path.join(path, name) for name in os.listdir(path) if name.endswith(".bin")]
        info = run("readelf", "-p", ".ze_info", binaries[0])[1].replace("\\n", "")
        return Result((), self.usages(program, info))

    def usages(self, program, info):
        for kernel in re.split(r"- name: +", info.split("kernels_misc_info")[0])[1:]:
            name = kernel.split()[0]
            if name not in program.groups:
                continue
            number = lambda key: sum(int(n) for n in re.findall(rf"{key}: +(\d+)", kernel))
            items, simd, local = program.groups[name], number("simd_size"), number("slm_size")
            faults = [f"{number('spill_size')} bytes of spills"] if number("spill_size") else []
            private = sum(int(n) for n in re.findall(r"type: +scratch\n.*usage:.*\n.*size: +(\d+)", kernel))
            if private > self.MOST_PRIVATE * simd:
                faults.append(f"{private} bytes of private memory in {simd} lanes")
            threads = self.THREADS[self.name]
            occupancy = (threads if number("grf_count") <= 128 else threads // 2) / threads
            yield Usage(name, items, number("grf_count") * 32 // (4 * max(1, simd)), local, occupancy, faults)


TARGETS = [Lint("lint"), SpirV("spirv")]
TARGETS += [Amd(name) for name in ("gfx906", "gfx90a", "gfx1030", "gfx1101")]
TARGETS += [Nvidia(name) for name in ("sm_70", "sm_75", "sm_80", "sm_90")]
TARGETS += [Intel(name) for name in ("skl", "dg1", "dg2-g10")]

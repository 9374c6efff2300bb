"""Intel's real driver and compiler on a GPU that isn't there: it has a GPU's limits and computes nothing of use.

How the device is seen, which kernels are chosen for it, and that all of them are built by it."""

import glob
import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), folder) for folder in ("../cli", "../gate")]
# pylint: disable=wrong-import-position
from program import Skip, Workplace, main, read
from runs import ENCODER, NETWORKS, VARIANTS, prepare, settings

GPUS = {
    # What the driver is told, and the work-items that a group may have then.
    "skl": ({"ProductFamilyOverride": "skl"}, 256),
    "dg2": ({"ProductFamilyOverride": "dg2", "HardwareInfoOverride": "2x4x16", "ForceDeviceId": "0x5690"}, 512),
}
VIRTUAL = {
    "OCL_ICD_VENDORS": "intel.icd",
    "NEOReadDebugKeys": "1",
    "SetCommandStreamReceiver": "1",
    "AUBDumpCaptureFileName": os.devnull,
}


class Place(Workplace):
    """Programs compiled there are kept there alone: each is compiled once, and really."""

    def __init__(self, gpu):
        super().__init__(images=16)
        prepare(self)
        self.variables = {**VIRTUAL, **GPUS[gpu][0], "XDG_CACHE_HOME": self.folder}
        out, _ = self.start("devices", "--json", **self.variables).communicate()
        self.devices = json.loads(out)["devices"] if out else []
        if not self.devices:
            self.__exit__()
            raise Skip("Intel's driver has no such device; install intel-opencl-icd")

    def build(self, run):
        """Everything up to the first step."""
        self.run("gate.ini", "--dry-run", *settings(run), timeout=400, **self.variables)

    def built(self):
        return len(glob.glob(self.path("clcontrast/*.bin")))


def is_seen_as_a_gpu(gpu):
    def test():
        with Place(gpu) as w:
            for device in w.devices:
                assert device["type"] == "gpu" and device["can_train"], device
                assert device["max_group"] == GPUS[gpu][1] and device["local_memory"] == 65536, device
                assert device["float_width"] == 1 and device["largest_buffer"] < 2**32, device

    test.__name__ = f"{gpu}_is_seen_as_a_gpu"
    return test


def gets_kernels_for_gpus(gpu):
    def test():
        with Place(gpu) as w:
            w.run("programs", "gate.ini", "programs", *settings(ENCODER), **w.variables)
            options = [read(path).split(b"\n")[0] for path in glob.glob(w.path("programs/*.cl"))]
            assert options and all(b"-DCPU_KERNELS=0" in line for line in options), options

    test.__name__ = f"{gpu}_gets_kernels_for_gpus"
    return test


def builds_every_kernel(gpu, runs):
    def test():
        with Place(gpu) as w:
            for run in runs:
                before = w.built()
                w.build(run)
                print(f"# {w.built() - before} programs for {' '.join(run)}")
            assert w.built() > 20

    test.__name__ = f"{gpu}_builds_every_kernel"
    return test


def two_of_them_can_each_be_chosen():
    with Place("skl") as w:
        two = {**w.variables, "CreateMultipleRootDevices": "2"}
        assert len(json.loads(w.run("devices", "--json", **two)[0])["devices"]) == 2
        for number in ("0", "1"):
            w.run("programs", "gate.ini", "programs" + number, "--device", number, *settings(ENCODER), **two)


NARROW = ["encoder.width=16"]
main(
    [is_seen_as_a_gpu(gpu) for gpu in GPUS]
    + [gets_kernels_for_gpus(gpu) for gpu in GPUS]
    + [two_of_them_can_each_be_chosen]
    + [builds_every_kernel("skl", [NETWORKS[0]] + [ENCODER + variant for variant in VARIANTS])]
    + [builds_every_kernel("dg2", [NETWORKS[1] + NARROW])]
)

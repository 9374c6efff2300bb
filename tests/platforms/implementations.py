"""OpenCL implementations that tests run on: how to choose each, and whether it is there."""

import json
import os
import subprocess

OCLGRIND = "/usr/lib/oclgrind/liboclgrind-rt-icd.so"

# Name: what CL_PLATFORM_NAME begins with, what to do without it, the environment.
PLATFORMS = {
    "pocl": ("Portable Computing Language", None, {"OCL_ICD_VENDORS": "pocl.icd"}),
    "rusticl": (
        "rusticl",
        "install mesa-opencl-icd",
        {"OCL_ICD_VENDORS": "rusticl.icd", "RUSTICL_ENABLE": "llvmpipe", "CLC_TEST_WORK": "1000000"},
    ),
    # Unoptimised programs keep every access to look at; optimised ones have operations that it gets wrong.
    "oclgrind": (
        "Oclgrind",
        "install oclgrind",
        {
            "OCL_ICD_VENDORS": OCLGRIND,
            "OCLGRIND_DATA_RACES": "1",
            "OCLGRIND_CHECK_API": "1",
            "OCLGRIND_BUILD_OPTIONS": "-cl-opt-disable",
            "OCLGRIND_NUM_THREADS": "1",
            "CLC_TEST_WORK": "40000",
        },
    ),
    "intel-cpu": (
        "Intel(R) OpenCL",
        "set CLC_INTEL_CPU_RUNTIME to the virtual environment with the packages intel-opencl-rt and "
        "intel-cmplr-lib-rt",
        {},
    ),
}


def intel_environment(folder):
    """The loader takes a folder of .icd files; the runtime finds its other libraries beside itself."""
    library = os.path.join(os.environ.get("CLC_INTEL_CPU_RUNTIME", ""), "lib")
    with open(os.path.join(folder, "intelcpu.icd"), "w", encoding="utf-8") as icd:
        icd.write(os.path.join(library, "libintelocl.so") + "\n")
    return {"OCL_ICD_VENDORS": folder + "/", "LD_LIBRARY_PATH": library}


def environment(name, profile, folder):
    """All variables of a test on the platform; programs compiled there are not kept."""
    settings = dict(PLATFORMS[name][2])
    if name == "intel-cpu":
        settings.update(intel_environment(folder))
    if name == "oclgrind":
        settings.update(OCLGRIND_LOG=os.path.join(folder, "log"), XDG_CACHE_HOME=folder)
    if profile != "auto":
        settings["CLC_TEST_PROFILE"] = profile
    return {**os.environ, **settings}


def is_there(name, program, variables):
    """Whether the program sees a device of the platform that can train."""
    command = [program, "devices", "--json"]
    result = subprocess.run(command, env=variables, capture_output=True, check=False)
    if result.returncode != 0:
        return False
    devices = json.loads(result.stdout)["devices"]
    return any(d["can_train"] and d["platform"].startswith(PLATFORMS[name][0]) for d in devices)

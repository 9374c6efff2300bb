#!/usr/bin/env python3
"""Run a TAP test on one OpenCL implementation: run_on.py NAME PROFILE CLCONTRAST TEST [ARGUMENT..].

An implementation that is not installed is a skipped test, PoCL's absence a failed one. On the simulator Oclgrind
the cases are small, and any data race or invalid access it reports fails the test."""

import os
import subprocess
import sys
import tempfile

from implementations import PLATFORMS, environment, is_there


def main():
    name, profile, program, *test = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="clcontrast-platform-") as folder:
        variables = environment(name, profile, folder)
        if not is_there(name, program, variables):
            advice = PLATFORMS[name][1]
            if advice is None:
                sys.exit(f"{name}: there is no device of this platform, and it is needed")
            print(f"1..0 # SKIP {name} is not there; {advice}")
            return
        status = subprocess.run(test, env=variables, check=False).returncode
        log = variables.get("OCLGRIND_LOG")
        if name == "oclgrind" and os.path.exists(log) and os.path.getsize(log):
            with open(log, encoding="utf-8", errors="replace") as file:
                print("\n".join("# " + line for line in file.read().splitlines()[:60]))
            status = status or 1
    sys.exit(status)


main()

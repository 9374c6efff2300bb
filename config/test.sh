#!/bin/sh
# Installs packages, builds with gcc and clang, debug and release, none with a warning, and runs all tests, then once
# more under AddressSanitizer and UBSan (but for those of other OpenCL implementations, and fuzzing, which has them
# anyway). The last line counts the single tests of both runs.
set -u
cd "$(dirname "$0")/.."

sh config/install.sh || exit 1
sh config/install.sh all || echo "tests that need the packages named above are skipped" >&2

build() { # folder, with setup options in $setup and the compiler in $CC
    [ -f "$1/build.ninja" ] || meson setup "$1" -Dwerror=true $setup || exit 1
    ninja -C "$1" || exit 1
}

# Each compiler and optimisation level sees other things to warn of.
clang=$(command -v clang || command -v clang-15 || true)
for type in debug release; do
    setup="--buildtype=$type"
    CC=gcc build "build-gcc-$type"
    if [ -n "$clang" ]; then
        CC=$clang build "build-clang-$type"
    else
        echo "there is no clang: not built with it" >&2
    fi
done

failed=0
logs=""
run() { # folder, options of meson test..., with setup options in $setup
    folder=$1
    shift
    build "$folder"
    # The time limits stand for hangs on a free machine; they are no measure of one that is busy.
    meson test -C "$folder" --print-errorlogs --timeout-multiplier 3 "$@" || failed=1
    logs="$logs $folder/meson-logs/testlog.txt"
}

setup="--buildtype=release"
run build-gcc-release
# Leak reports need a warm kernel cache (compilers leak): the first run has warmed it.
setup="-Db_sanitize=address,undefined -Db_lundef=false"
# PoCL alone: other drivers load libraries in ways that sanitizers refuse.
OCL_ICD_VENDORS=pocl.icd
export OCL_ICD_VENDORS
# LLVM gives the thread in which a signal met a compilation another stack, which AddressSanitizer would unmap as its own.
# GCC 12's LeakSanitizer takes a block of thread-local storage at byte 16 of a page for one of glibc 2.19 and follows
# what stands before it, and crashes, once in some 100 runs: it is to leave the blocks of shared libraries alone.
ASAN_OPTIONS=use_sigaltstack=0:intercept_tls_get_addr=0
export ASAN_OPTIONS
# References take ten times as long here: what only large cases reach is left to the plain run.
CLC_TEST_WORK=1000000
export CLC_TEST_WORK
run build-sanitize --no-suite platforms --no-suite gate --no-suite fuzz

# shellcheck disable=SC2086
awk -v failed="$failed" '
    /^(not )?ok [0-9]+/ { if (/# SKIP/) skips++; else if (/^not/) fails++; else passes++ }
    END {
        # A test that crashed or ran out of time prints no line of its own.
        if (failed && !fails) fails = 1
        printf "%d passed, %d failed, %d skipped\n", passes, fails, skips
        exit fails != 0
    }' $logs

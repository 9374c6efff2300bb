#!/bin/sh
# Installs what building, training on Fashion-MNIST and testing need, on Debian 12; as root or with sudo.
# install.sh all: also other OpenCL implementations and compilers, and archives for a static program, which tests use
# where they are installed.
# install.sh PACKAGE...: also these, such as a data set.
set -eu

packages="build-essential meson ninja-build pkg-config python3
  ocl-icd-opencl-dev opencl-c-headers pocl-opencl-icd libclblast-dev
  libinih-dev libstb-dev libjpeg62-turbo-dev libpng-dev libgif-dev libwebp-dev libtiff-dev
  libarchive-dev libjansson-dev libexpat1-dev libutf8proc-dev zlib1g-dev libxxhash-dev libprotobuf-c-dev
  protobuf-c-compiler libonnx-dev libcmocka-dev
  dataset-fashion-mnist"
if [ "${1:-}" = all ]; then
    packages="$packages
  mesa-opencl-icd oclgrind intel-opencl-icd
  clang-15 llvm-15 libclc-15 llvm-spirv-15 spirv-tools
  groff-base zsh fish chromium-headless-shell python3-numpy python3-pil"
else
    packages="$packages $*"
fi

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
else
    echo "these packages are needed, but this is neither root nor is there sudo:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null

#!/bin/sh
# The main job from nothing: installs packages, builds, trains on Fashion-MNIST, prints the evaluation.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
build/src/clcontrast --overwrite config/quickstart.ini "$@"

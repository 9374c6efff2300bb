#!/bin/sh
# Trains on a folder of pictures as it lies there: Debian's openclipart-png, 8,121 files, without labels.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh openclipart-png
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
build/src/clcontrast --overwrite config/folder.ini "$@"

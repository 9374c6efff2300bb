#!/bin/sh
# Trains CLIP on Debian's clip art and what its authors called it.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh openclipart-png openclipart-svg
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
mkdir -p runs
[ -s runs/openclipart.tsv ] || python3 config/openclipart_pairs.py >runs/openclipart.tsv
build/src/clcontrast --overwrite config/clip-openclipart.ini "$@"

#!/bin/sh
# Trains CLIP, as config/clip-openclipart.ini has it, on Debian's stamps for Tux Paint and what is said of them.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh tuxpaint-stamps-default
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
mkdir -p runs
[ -s runs/tuxpaint.tsv ] || python3 config/tuxpaint_pairs.py >runs/tuxpaint.tsv
build/src/clcontrast --overwrite config/clip-openclipart.ini --set data.train=runs/tuxpaint.tsv \
    --set augmentation.size=32 --set training.epochs=30 --set training.batch=64 --set optimizer.warmup_epochs=3 \
    --set evaluation.knn_k=10 --set output.folder=runs/clip-tuxpaint "$@"

#!/bin/sh
# Trains SimCSE on the nouns of WordNet and what they mean.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh wordnet-base
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
mkdir -p runs
[ -s runs/wordnet-pairs.tsv ] || python3 config/wordnet.py --pairs >runs/wordnet-pairs.tsv
build/src/clcontrast --overwrite config/simcse.ini "$@"

#!/bin/sh
# Trains SimCSE on what the nouns of WordNet mean.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh wordnet-base
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
mkdir -p runs
[ -s runs/wordnet.tsv ] || python3 config/wordnet.py >runs/wordnet.tsv
build/src/clcontrast --overwrite config/simcse.ini "$@"

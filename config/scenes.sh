#!/bin/sh
# Makes scenes of stamps on photographs, trains an encoder on them without labels, and shows what its feature maps are
# worth for segmentation and detection, beside those of an untrained one.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh python3-pil tuxpaint-stamps-default lomiri-wallpapers-16.04
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
[ -f runs/scene-data/test.json ] || /usr/bin/python3 config/scenes.py runs/scene-data --train 3000 --one-class
build/src/clcontrast --overwrite config/scenes.ini "$@"

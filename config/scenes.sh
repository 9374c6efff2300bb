#!/bin/sh
# Makes scenes of stamps on photographs, trains an encoder on them without labels, and shows what its feature maps are
# worth for segmentation and detection, beside those of an untrained one.
set -eu
cd "$(dirname "$0")/.."

sh config/install.sh python3-pil tuxpaint-stamps-default lomiri-wallpapers-16.04
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
[ -f scenes/test.json ] || python3 config/scenes.py scenes
build/src/clcontrast --overwrite config/scenes.ini "$@"

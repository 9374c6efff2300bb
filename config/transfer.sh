#!/bin/sh
# What an encoder is worth on other pictures: SimCLR on Debian's clip art, evaluated on the folders of Tux Paint's stamps,
# and the reverse; beside raw pixels, an untrained encoder, and networks trained with the labels, from the encoder and from
# scratch.
#
#   transfer.sh [--seeds "1 2 3"] [--epochs N] [--finetune N] [--limit N] [--folder F] [--device D]
#
# Started again by the same words it goes on where it was interrupted. The tables and their pages are below the folder, by
# default runs/transfer: on-stamps and on-clip-art, compare.txt, .csv, .json, report.html.
set -eu
cd "$(dirname "$0")/.."

seeds="1 2 3" epochs=40 finetune=60 limit=0 folder=runs/transfer device=""
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || { echo "transfer.sh: '$1' is no option, or its value is missing; see the first lines of it" >&2; exit 2; }
    case $1 in
    --seeds) seeds=$2 ;;
    --epochs) epochs=$2 ;;
    --finetune) finetune=$2 ;;
    --limit) limit=$2 ;;
    --folder) folder=$2 ;;
    --device) device=$2 ;;
    *) echo "transfer.sh: there is no option '$1'; see the first lines of it" >&2; exit 2 ;;
    esac
    shift 2
done

sh config/install.sh openclipart-png openclipart-svg tuxpaint-stamps-default
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
program=build/src/clcontrast
. config/pieces.sh
mkdir -p "$folder"

# A table of pictures with classes, the folders of the first level, and an .ini file that names it.
data() { # name, script
    [ -s "$folder/$1.tsv" ] || python3 "$2" | awk -F '\t' -v OFS='\t' 'NR > 1 { sub("/.*", "", $3) } 1' >"$folder/$1.tsv"
    printf '[data]\ntrain = %s/%s.tsv\nas = images\nlimit = %s\n' "$folder" "$1" "$limit" >"$folder/$1.ini"
}
data clip-art config/openclipart_pairs.py
data stamps config/tuxpaint_pairs.py

fine_tune() { # run, data, run or scratch
    start=finetune
    [ "$3" = run ] || start=scratch
    to=$1/$2/$start-100-percent
    piece "$to" fine-tuning finetune "$1" --data "$folder/$2.ini" --set finetune.from="$3" --set training.epochs="$finetune" \
        --set evaluation.every=0 --set output.report=false --set output.folder="$to" ${device:+--device "$device"}
}

transfer() { # data to train on, data to evaluate on
    from=$1 on=$2
    runs=""
    for seed in $seeds; do
        run=$folder/$from-$seed
        piece "$run" training config/transfer.ini --set data.train="$folder/$from.tsv" --set data.as=images \
            --set data.limit="$limit" --set training.epochs="$epochs" --set training.seed="$seed" \
            --set evaluation.tasks=knn --set evaluation.baselines=false --set output.folder="$run" ${device:+--device "$device"}
        fine_tune "$run" "$on" run
        fine_tune "$run" "$on" scratch
        piece "$run/$on" evaluation eval "$run" --data "$folder/$on.ini" --tasks knn,linear,finetune \
            --set evaluation.baselines=true ${device:+--device "$device"}
        runs="$runs $run/$on"
    done
    # shellcheck disable=SC2086
    "$program" compare $runs --output "$folder/on-$on"
    echo "$folder/on-$on/report.html is its page" >&2
}

echo "trained on clip art, evaluated on stamps" >&2
transfer clip-art stamps
echo "trained on stamps, evaluated on clip art" >&2
transfer stamps clip-art

#!/bin/sh
# Methods on Fashion-MNIST in one table: raw pixels, untrained, SimCLR, MoCo v2, BYOL, SwAV, Barlow Twins, SupCon and
# supervised from scratch; kNN, linear probe, fine-tuned by 1 %, 10 % and 100 % of the labels, robustness and cost; each
# method with the loss on the projection and on the features; mean and deviation over seeds.
#
#   comparison.sh [--short] [--seeds "1 2 3"] [--limit N] [--epochs N] [--finetune "E1 E10 E100"] [--methods "A B"]
#                 [--folder F] [--device D]
#
# --short: on 10,000 pictures for a few epochs; else on all of them for longer. --finetune: epochs at 1, 10 and 100 %.
# What is fine-tuned of the untrained encoder, and of the supervised one, is training from scratch by the same recipe.
# Started again by the same words it goes on where it was interrupted. The table and its page are in the folder, by
# default runs/comparison or runs/comparison-short: compare.txt, .csv, .json, report.html.
set -eu
cd "$(dirname "$0")/.."

seeds="1 2 3" limit=0 epochs=20 finetune="100 30 10" folder=runs/comparison device=""
methods="simclr mocov2 byol swav barlow supcon"
while [ $# -gt 0 ]; do
    word=$1
    shift
    if [ "$word" = --short ]; then
        limit=10000 epochs=6 finetune="200 40 5" folder=runs/comparison-short
        continue
    fi
    [ $# -gt 0 ] || { echo "comparison.sh: '$word' is no option, or its value is missing; see the first lines of it" >&2; exit 2; }
    case $word in
    --seeds) seeds=$1 ;;
    --limit) limit=$1 ;;
    --epochs) epochs=$1 ;;
    --finetune) finetune=$1 ;;
    --methods) methods=$1 ;;
    --folder) folder=$1 ;;
    --device) device=$1 ;;
    *) echo "comparison.sh: there is no option '$word'; see the first lines of it" >&2; exit 2 ;;
    esac
    shift
done
# shellcheck disable=SC2086
set -- $finetune
[ $# = 3 ] || { echo "comparison.sh: --finetune takes epochs at 1, 10 and 100 % of the labels, such as '200 40 8'" >&2; exit 2; }
at_1=$1 at_10=$2 at_100=$3

sh config/install.sh
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja --quiet -C build src/clcontrast
program=build/src/clcontrast
. config/pieces.sh
common="--set evaluation.baselines=false --set evaluation.tasks=knn --set output.report=false"
common="$common --set data.limit=$limit${device:+ --device $device}"
# A queue holds no more than the other pictures of an epoch.
queue=4096
[ "$limit" = 0 ] || [ "$limit" -ge 4608 ] || queue=$(((limit - 256) / 256 * 256))

total=0
for seed in $seeds; do
    total=$((total + 5))
    for method in $methods; do
        total=$((total + 7))
    done
done

# Trains by config/METHOD.ini.
train() { # folder, method, seed, more
    to=$1 method=$2 seed=$3
    shift 3
    # shellcheck disable=SC2086
    piece "$to" training "config/$method.ini" $common --set training.epochs="$epochs" --set training.seed="$seed" \
        --set output.folder="$to" "$@"
}

fine_tune() { # run, labels, epochs, run or scratch
    start=finetune
    [ "$4" = run ] || start=scratch
    to=$1/$start-$2-percent
    piece "$to" fine-tuning finetune "$1" --set output.report=false --set finetune.from="$4" \
        --set finetune.labels="$2%" --set training.epochs="$3" --set evaluation.every=0 --set output.folder="$to" \
        ${device:+--device "$device"}
}

evaluate() { # run, more
    to=$1
    shift
    piece "$to" evaluation eval "$to" ${device:+--device "$device"} "$@"
}

runs=""
tasks=knn,linear,finetune,robustness,cost
for seed in $seeds; do
    run=$folder/supervised-$seed
    runs="$runs $run"
    train "$run" supervised "$seed"
    fine_tune "$run" 1 "$at_1" scratch
    fine_tune "$run" 10 "$at_10" scratch
    fine_tune "$run" 100 "$at_100" scratch
    evaluate "$run" --tasks "$tasks" --set evaluation.baselines=true
    for method in $methods; do
        run=$folder/$method-$seed
        runs="$runs $run $run-features"
        train "$run" "$method" "$seed" --set method.queue="$queue"
        fine_tune "$run" 1 "$at_1" run
        fine_tune "$run" 10 "$at_10" run
        fine_tune "$run" 100 "$at_100" run
        evaluate "$run" --tasks "$tasks"
        train "$run-features" "$method" "$seed" --set method.queue="$queue" --set projector.enabled=false
        evaluate "$run-features" --tasks knn,linear,cost
    done
done
# shellcheck disable=SC2086
"$program" compare $runs --output "$folder"
echo "$folder/report.html is its page" >&2

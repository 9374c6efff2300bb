# For scripts of several trainings and evaluations, which go on where they were interrupted: . config/pieces.sh
# They set $program, and $total if they know how many pieces there are.
# shellcheck shell=sh disable=SC2154

count=0

# Does a piece of work unless it is done: its folder, a word for it, then words of the command line.
piece() {
    to=$1 what=$2 resume=""
    shift 2
    count=$((count + 1))
    stamp=$to/$what.done
    if [ -f "$stamp" ]; then
        [ "$(cat "$stamp")" = "$*" ] && return
        echo "$stamp is of other settings: $(cat "$stamp"); use another --folder, or remove $to" >&2
        exit 1
    fi
    [ "$1" = eval ] || ! ls "$to"/checkpoint-* >/dev/null 2>&1 || resume=--resume
    printf '%s  %s: %s, %s\n' "$(date +%H:%M:%S)" "$count${total:+ of $total}" "$to" "$what" >&2
    # shellcheck disable=SC2086
    "$program" "$@" $resume --quiet >/dev/null
    printf '%s' "$*" >"$stamp"
}

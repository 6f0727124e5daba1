#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make fuzz: runs each target for some seconds, one after the other, and ends with a table. What is found new goes to
# build/libfuzzer/found/<target>, and is kept only by --merge; a crash goes to tests/fuzz/crashes/<target>, where `make test`
# finds it. Status 1 if any target crashed.
#
#   tests/fuzz/run.sh SECONDS TARGET...           run
#   tests/fuzz/run.sh --merge TARGET...           bring what was found into tests/fuzz/corpus, as few files as add to the
#                                                 coverage of tests/fuzz/seeds, which is read and never changed
set -euo pipefail
cd "$(dirname "$0")/../.."

options=(-dict=tests/fuzz/words.dict -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1)

# Files of a folder; 0 if it is not there.
count() {
    { find "$1" -type f 2>/dev/null || true; } | wc -l
}

# last LOG PATTERN: what PATTERN captured last.
last() {
    sed -nE "s/$2/\\1/p" "$1" | tail -n 1
}

run_target() {
    local target=$1 seconds=$2 program=build/libfuzzer/$1 found=build/libfuzzer/found/$1 log=build/libfuzzer/$1.log
    local crashes=tests/fuzz/crashes/$1 before status=0
    mkdir -p "$found" "$crashes" "tests/fuzz/corpus/$target" "tests/fuzz/seeds/$target"
    before=$(count "$crashes")
    # What crashed once is tried first.
    "$program" "${options[@]}" -max_total_time="$seconds" -artifact_prefix="$crashes/" "$found" "tests/fuzz/seeds/$target" \
        "tests/fuzz/corpus/$target" "$crashes" >"$log" 2>&1 || status=$?
    printf '%-18s %12s %9s %8s %8s %8s\n' "$target" "$(last "$log" 'stat::number_of_executed_units: *([0-9]+)')" \
        "$(last "$log" 'stat::average_exec_per_sec: *([0-9]+)')" "$(last "$log" '.*corp: ([0-9]+).*')" \
        "$(last "$log" '.*cov: ([0-9]+).*')" "$(($(count "$crashes") - before))" >>"$table"
    rmdir --ignore-fail-on-non-empty "$crashes"
    if [ "$status" -ne 0 ]; then
        failed+=("$target")
        grep -E 'does not hold|runtime error|ERROR|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
    fi
}

# Copies kept inputs into a folder under names that libFuzzer never gives.
copy_known() {
    local file
    for file in "$1"/*; do
        if [ -f "$file" ]; then cp "$file" "$2/known-${1//\//-}-${file##*/}"; fi
    done
}

merge() {
    local target corpus found fresh
    for target in "$@"; do
        corpus=tests/fuzz/corpus/$target found=build/libfuzzer/found/$target fresh=build/libfuzzer/merged/$target
        rm -rf "$fresh"
        mkdir -p "$fresh" "$corpus" "$found"
        # What the first folder reaches is not kept again: the target's seeds, and what is kept for the JSON reader, which
        # most targets go through.
        copy_known "tests/fuzz/seeds/$target" "$fresh"
        if [ "$target" != json ]; then
            copy_known tests/fuzz/seeds/json "$fresh"
            copy_known tests/fuzz/corpus/json "$fresh"
        fi
        "build/libfuzzer/$target" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$fresh" "$corpus" "$found" >"$fresh.log" 2>&1
        rm -f "$fresh"/known-*
        rm -rf "$corpus"
        mv "$fresh" "$corpus"
        echo "$target: $(count "$corpus") files"
    done
}

if [ "${1:-}" = --merge ]; then
    shift
    merge "$@"
    exit 0
fi

seconds=$1
shift
failed=()
table=$(mktemp)
trap 'rm -f "$table"' EXIT
for target in "$@"; do
    echo "FUZZ $target for $seconds s"
    run_target "$target" "$seconds"
done
printf '%-18s %12s %9s %8s %8s %8s\n' target executions 'exec/s' corpus coverage crashes
cat "$table"
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: crashed: ${failed[*]} (log: build/libfuzzer/<target>.log)"
    exit 1
fi
echo "fuzz: no crash"

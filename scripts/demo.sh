#!/bin/sh
# What `make demo` shows: data acquired, accounted for, checked and drawn. Everything lands in demo-out/.
set -eu
program=$(realpath "$1")
folder=${2:-demo-out}
mkdir -p "$folder"
cd "$folder"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. Acquire for ten seconds (enrgdaq run --duration 10)"
"$program" run --duration 10
say "2. What was written"
ls -l enrgdaq-demo-out
newest=$(ls -t enrgdaq-demo-out/*.csv | head -n 1)
echo "the last rows of $newest:"
head -n 1 "$newest"
tail -n +2 "$newest" | tail -n 3
say "3. Prove it (enrgdaq verify)"
"$program" verify enrgdaq-demo-out/*.arrows
say "4. Measure, two seconds a point, and draw (enrgdaq bench suite --all --duration 2)"
"$program" bench suite --all --duration 2
say "Done"
echo "data:    $PWD/enrgdaq-demo-out"
echo "figures: $PWD/results/graphs (PNG and PDF)"
echo "next:    README.md, \"Five minutes to first data\""

#!/bin/sh
# Every goal of docs/benchmark.md that a program of bench/ measures, one after the other, on a machine that should have
# nothing else to do. A goal that is missed is a line of the output, no failure.
set -eu
cd "$(dirname "$0")/.."
programs="link copies small_records wakeup saturation waveform csv_store file_store hdf5_store root_store sql_store redis_store"
folder=build/release/bench-programs

cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" >/dev/null
for program in $programs; do
	if [ -x "$folder/bench_$program" ]; then
		printf '\n=== bench_%s\n' "$program"
		options=
		[ "$program" != copies ] || options="--rounds 3" # of 28 runs each
		# shellcheck disable=SC2086
		"$folder/bench_$program" $options || true
	else
		printf '\n=== bench_%s: not built, its library is missing\n' "$program"
	fi
done
printf '\n=== bench_window --short\n'
"$folder/bench_window" --short --rounds 3 || true
printf '\n=== scripts/scale.sh\n'
scripts/scale.sh || true

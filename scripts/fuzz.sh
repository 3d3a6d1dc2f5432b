#!/bin/sh
# Each fuzz target under libFuzzer for MINUTES. Findings stay in build/fuzz/findings.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-10}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)"
mkdir -p build/fuzz/findings
for target in build/fuzz/tests/fuzz_*; do
	[ -x "$target" ] || continue
	name=$(basename "$target" | sed 's/^fuzz_//')
	mkdir -p "build/fuzz/corpus/$name"
	echo "=== $name"
	"$target" -max_total_time=$((minutes * 60)) -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$name-" \
		"build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done

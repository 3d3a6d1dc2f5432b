#!/bin/sh
# Every test: the product built with gcc (warnings are errors) and tested whole, the same sources compiled by clang with
# the address and undefined behaviour sanitizers, and the unit tests, conformance suite and fuzz corpora again under them.
# Needs nothing but a Debian machine. Says at its end which entries took longest, and what each step took.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
export JOBS="$jobs"
began=$(date +%s)
times=$(mktemp)
trap 'rm -f "$times"' EXIT

step() { # NAME COMMAND…
	name=$1
	shift
	printf '\n=== %s\n' "$name"
	start=$(date +%s)
	"$@"
	echo "$(($(date +%s) - start)) s $name" >>"$times"
}

step packages scripts/install-packages.sh test
step "formatter and shellcheck" scripts/lint.sh format shell
cmake --preset release >/dev/null
step "build with gcc" cmake --build --preset release -j "$jobs"
# Most entries wait: they get twice as many places as there are cores, and those that compute take two places each.
step tests ctest --preset release -j $((2 * jobs))
step "clang-tidy and -fanalyzer on what changed" scripts/lint.sh --changed tidy analyzer
step "sanitizers, short form" scripts/sanitize.sh short

printf '\n=== ten slowest entries\n'
scripts/slowest.sh build/release build/clang-asan build/tsan
printf '\n=== all passed in %d s\n' "$(($(date +%s) - began))"
cat "$times"

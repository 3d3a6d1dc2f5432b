#!/bin/sh
# The tests under the sanitizers. `short`: address and undefined over unit tests, conformance and fuzz corpora, thread over
# what has threads. `full`: everything under both.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
form=${1:-short}

run() { # preset, ctest selection …
	preset=$1
	shift
	cmake --preset "$preset" >/dev/null
	cmake --build --preset "$preset" -j "$jobs"
	ctest --preset "$preset" -j "$jobs" "$@"
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
case $form in
short)
	# interop.install stays: the conformance suite reads ROOT files by what it installs
	run asan -LE slow -E '^(system|operation|signals|taken_away|developing|figures|module|packages)\.|^interop\.([^i]|i[^n])'
	run tsan -R '^(bus|job|base)\.' -LE slow
	;;
full)
	run asan
	run tsan -E '^(system|fuzz)\.'
	;;
*) echo "usage: sanitize.sh [short|full]" >&2; exit 2 ;;
esac

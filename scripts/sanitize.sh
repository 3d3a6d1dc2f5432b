#!/bin/sh
# The tests under the sanitizers. `short`: address and undefined over unit tests, conformance and fuzz corpora, thread over
# what has threads. `full`: everything under both. The short form is compiled by clang, so that a second compiler sees every
# source; the full one by gcc.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
form=${1:-short}

build() { # preset, targets …
	preset=$1
	shift
	cmake --preset "$preset" >/dev/null
	cmake --build --preset "$preset" -j "$jobs" "$@"
}

run() { # preset, ctest selection …; twice as many places as cores, as scripts/test.sh says
	preset=$1
	shift
	ctest --preset "$preset" -j $((2 * jobs)) "$@"
}

begin_beside() { # COMMAND …: beside what follows; end_beside shows what it said
	beside_log=$(mktemp)
	"$@" >"$beside_log" 2>&1 &
	beside=$!
}

end_beside() { # its exit code
	code=0
	wait "$beside" || code=$?
	cat "$beside_log"
	rm -f "$beside_log"
	return "$code"
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
case $form in
short)
	build clang-asan
	build tsan --target test_plane_stream_threads tests_bus tests_handover tests_job_file tests_job_process tests_job_source tests_job_store tests_job_processor tests_job tests_base
	# What runs under thread lasts as long as its longest entry waits, and computes little: it runs beside the rest.
	begin_beside run tsan -R '^((bus|handover|job|base)\.|plane\.stream_threads$)' -LE slow -j "$jobs"
	failed=0
	# interop.install stays: the conformance suite reads ROOT files by what it installs
	# left out: families of whole systems that gcc has run a moment before (`make sanitize` runs all); what links a library of ours without the sanitizer, what measures memory or rates, and what kills for long
	run clang-asan -LE slow \
		-E '^(system|operation|signals|taken_away|developing|figures|module|packages|lint|watching|proof|replay|web_storm|metrics|databases|trouble|tank|histogram|history|web_child|panel)\.|^interop\.([^i]|i[^n])|^client\.(follow|symbols|ask)$|^commands\.flood$|^changing\.storm$|^web\.fuzz$|^processors\.(graph|kills)$' ||
		failed=1
	end_beside || failed=1
	exit $failed
	;;
full)
	build asan
	run asan
	build tsan
	run tsan -E '^(system|fuzz)\.'
	;;
*) echo "usage: sanitize.sh [short|full]" >&2; exit 2 ;;
esac

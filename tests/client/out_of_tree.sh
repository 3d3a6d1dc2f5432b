#!/bin/bash
# The program of docs/client-library.md, built against an installed tree by pkg-config alone, beside a real system whose
# supervisor and source are killed and started again: out_of_tree.sh CASE. Needs ENRGDAQ_BIN, BUILD, CMAKE, CC, CXX.
# shellcheck source=tests/system/harness.sh
. "$(dirname "$0")/../system/harness.sh"

write_config() {
	mkdir -p "$work/c"
	printf 'restart_delay_seconds = 0.1\n[info]\nsupervisor_id = "lab"\n' >"$work/c/supervisor.toml"
	cat >"$work/c/dice.toml" <<-END
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.05
		[store_config.csv]
		file_path = "dice.csv"
	END
}

# Builds the example with nothing of this tree but what DESTDIR got.
build() {
	local strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror" pc flags language compiler
	DESTDIR=$work/dest "$CMAKE" --install "$BUILD" >install.out || fail "install"
	pc=$(find dest -name enrgdaq.pc)
	flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags --libs enrgdaq)
	[ "$(readlink "$(find dest -name libenrgdaq.so)")" = libenrgdaq.so.0 ] || fail "no link libenrgdaq.so"
	LD_LIBRARY_PATH=$(realpath "$(dirname "$(find dest -name libenrgdaq.so.0)")")
	export LD_LIBRARY_PATH
	cp "$here/../../docs/examples/follow.c" follow.c
	[ "$(wc -l <follow.c)" -lt 60 ] || fail "the example is long"
	sed -n '/^```c$/,/^```$/p' "$here/../../docs/client-library.md" | sed '1d;$d' | diff - follow.c ||
		fail "docs/client-library.md shows another program"
	for language in c17 c++17 c++20; do
		case $language in c17) compiler="$CC -x c" ;; *) compiler="$CXX -x c++" ;; esac
		# shellcheck disable=SC2086
		$compiler -std=$language $strict -D_GNU_SOURCE ${SANITIZE:+-fsanitize=$SANITIZE} follow.c $flags \
			-o "follow_$language" || fail "$language"
	done
	readelf -d follow_c17 | grep -q 'NEEDED.*libenrgdaq.so.0' || fail "it is not linked with libenrgdaq.so.0"
}

count() { grep -c "$1" follow.log; }

# grows TEXT: lines with it come
grows() {
	local before
	before=$(count "$1")
	await 30 eval "[ \$(count '$1') -gt $((before + 2)) ]" || fail "no more lines with \"$1\""
}

only_follower_here() { [ "$(jobs_here)" = "$follower" ]; }

kill_supervisor() {
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	await 30 only_follower_here || fail "jobs of a killed supervisor stay"
}

case_follow() {
	build
	write_config
	./follow_c17 dice 2>none.log && fail "no system runs"
	grep -q "no system.* is running" none.log || fail "no clear words"
	start run.log run c
	await 20 test -s out/dice.csv || fail "no data"
	./follow_c17 nobody >/dev/null 2>none.log && fail "there is no such source"
	grep -q "no source named \"nobody\" has a stream; there are: dice" none.log || fail "it does not say which there are"
	timeout 20 ./follow_c++20 dice | head -n 5 >cxx.log
	grep -q "^found: lab, process $run, run .* running" cxx.log || fail "the program in C++"
	stdbuf -oL ./follow_c17 dice >follow.log 2>&1 &
	follower=$!
	local first second
	started+=("$follower")
	grows "^batch .*: 1 rows, skipped "
	grows "^status: lab, run .*, running: 2 of 2 jobs run"
	grep -q "^ledger: dice to DAQJobStoreCSV: [1-9][0-9]* batches made, [1-9][0-9]* stored" follow.log || fail "no ledger"
	kill -KILL "$(pid_of dice)" || fail "dice is not there"
	grows "^batch "
	first=$(sed -n 's/^batch .* of run \([^:]*\):.*/\1/p' follow.log | tail -n 1)
	kill_supervisor
	grows "^status: that system does not run now"
	start again.log run c
	grows "^batch "
	grows "^status: lab, run .*, running: 2 of 2"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
	start third.log run c
	grows "^batch "
	second=$(sed -n 's/^batch .* of run \([^:]*\):.*/\1/p' follow.log | tail -n 1)
	[ "$first" != "$second" ] || fail "a new run was not noticed"
	grep -q "NOT ACCOUNTED" follow.log && fail "the ledger does not close"
	kill -TERM "$follower"
	kill -INT "$run"
	wait "$run" || fail "exit code of the last run"
	return 0
}

# Commands, alerts, the log and the end, called from Python.
case_ask() {
	is_sanitized && exit 77 # the library needs the sanitizer's, and would come before it
	write_config
	start run.log run c
	await 20 test -s out/dice.csv || fail "no data"
	python3 "$here/ask.py" "$BUILD/libenrgdaq.so.0" "$(pid_of dice)" || fail "ask.py"
	wait "$run"
	grep -q "run .* of lab:" run.log || fail "the run did not end in order"
}

run_case "$@"

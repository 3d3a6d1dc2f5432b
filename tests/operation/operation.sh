#!/bin/bash
# What an operator meets beside the data: operation.sh CASE. Needs ENRGDAQ_BIN; each case has a folder and a runtime folder
# of its own. 77: the case needs something that is missing here.
. "$(dirname "$0")/../system/harness.sh"

# stop_run CODE: in order, with that exit code
stop_run() {
	local code
	kill -INT "$run"
	wait "$run"
	code=$?
	[ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# A source of ten rows a second over a link, so that all sockets are there.
write_dice() { # FOLDER
	mkdir -p "$1"
	printf '[info]\nsupervisor_id = "lab"\n' >"$1/supervisor.toml"
	cat >"$1/dice.toml" <<-END
		daq_job_type = "DAQJobTest"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.1
		${2:-}
		[store_config.csv]
		file_path = "dice.csv"
	END
}

has_rows() { # FILE COUNT
	[ "$(wc -l <"$1")" -gt "$2" ]
}

# A copy of the program and of its modules that this case may replace, and that other users reach wherever the tree stands
# (root's home is closed to them). It is $bin from then on.
use_copy() {
	mkdir -p prefix/modules
	cp "$bin" prefix/enrgdaq
	cp "${ENRGDAQ_MODULE_PATH:-$(dirname "$bin")/modules}"/{csv,test}.so prefix/modules
	chmod -R a+rX prefix
	unset ENRGDAQ_MODULE_PATH
	bin=$work/prefix/enrgdaq
}

# Whatever the umask, only the user who runs it can speak to a run, read it or hold its lock.
case_umask() {
	write_dice lab 'use_shm_when_possible = false'
	umask 000
	start run.log run lab
	await 20 has_rows out/dice.csv 3 || fail "no data"
	local runtime=$ENRGDAQ_RUNTIME_DIR/lab
	[ "$(stat -c %a "$runtime")" = 700 ] || fail "the runtime folder is $(stat -c %a "$runtime")"
	[ "$(find "$runtime" -type s | wc -l)" -ge 3 ] || fail "fewer sockets than a bus and a link have"
	find "$runtime" -mindepth 1 ! -type d ! -perm 0600 | grep . && fail "others could open these"
	find "$runtime" -mindepth 1 -type d ! -perm 0700 | grep . && fail "others could enter these"
	stop_run 0
	find "$runtime" -type f ! -perm 0600 | grep . && fail "others could open these after the end"
	find out -type f -perm /022 | grep . && fail "others could write these"
	[ "$(stat -c %a out/dice.csv)" = 644 ] || fail "data follows the umask of old: $(stat -c %a out/dice.csv)"
}

# Two users: neither disturbs the other, and each is told who is there.
case_other_user() {
	[ "$(id -u)" = 0 ] && getent passwd nobody >/dev/null && [ -x "$(command -v setpriv)" ] || exit 77
	chmod 755 "$work"
	use_copy
	write_dice lab
	start run.log run lab
	await 20 has_rows out/dice.csv 1 || fail "no data"
	as_nobody() {
		(cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "$@")
	}
	mkdir -m 755 theirs
	chown nobody theirs
	as_nobody env ENRGDAQ_RUNTIME_DIR="$work/theirs" "$bin" status >status.log 2>&1 && fail "nobody has a run"
	grep -q "no system of yours is running" status.log || fail "what is said without a run"
	grep -q "^root (uid 0) runs \"lab\" in $ENRGDAQ_RUNTIME_DIR/lab: \`sudo -u root enrgdaq status lab\`" status.log ||
		fail "root's run is not named"
	chmod 755 "$ENRGDAQ_RUNTIME_DIR"
	as_nobody env ENRGDAQ_RUNTIME_DIR="$ENRGDAQ_RUNTIME_DIR" "$bin" status lab >theirs.log 2>&1 && fail "it is closed"
	grep -q "belongs to root (uid 0)" theirs.log || fail "the owner of a closed folder is not named"
	as_nobody env ENRGDAQ_RUNTIME_DIR="$ENRGDAQ_RUNTIME_DIR" "$bin" run "$work/lab" >second.log 2>&1
	[ $? -eq 1 ] || fail "a run in the folder of another user"
	grep -q "$ENRGDAQ_RUNTIME_DIR/lab belongs to root (uid 0)" second.log || fail "the owner of the run is not named"
	mkdir -m 777 shared
	ENRGDAQ_RUNTIME_DIR=$work/shared "$bin" run lab --duration 1 >shared.log 2>&1
	[ $? -eq 1 ] || fail "a folder in which everybody may rename was taken"
	grep -q "shared can be written to by everybody" shared.log || fail "a shared folder is not explained"
	stop_run 0
}

# Months ahead for a moment: files are still rotated, under the right time, as soon as the clock is right again.
case_clock() {
	is_sanitized && exit 77 # libfaketime would come before it
	local fake
	fake=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
	[ -n "$fake" ] || exit 77
	write_dice lab
	printf 'daq_job_type = "DAQJobStoreCSV"\nrotate_seconds = 1\n' >lab/csv.toml
	set_clock() { echo "$1" >stamp.new && mv stamp.new stamp; }
	count_from() { find out -name "dice_$1*.csv" | wc -l; }
	set_clock +0
	LD_PRELOAD=$fake DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 \
		FAKETIME_TIMESTAMP_FILE=$work/stamp "$bin" run lab >run.log 2>&1 &
	run=$!
	started+=("$run")
	local right ahead before # await expands them at each try
	# shellcheck disable=SC2034
	right=$(date -u +%Y) ahead=$(date -u -d "+400 days" +%Y%m)
	await 20 test -e out || fail "nothing was written"
	set_clock +400d
	await 20 eval '[ "$(count_from "$ahead")" -ge 1 ]' || fail "no file of the wrong time"
	set_clock +0
	# shellcheck disable=SC2034
	before=$(count_from "$right")
	await 20 eval '[ "$(count_from "$right")" -ge $((before + 2)) ]' || fail "no rotation after the clock was right again"
	stop_run 0
}

# What was loaded at the start stays in use: program and modules are replaced and removed, and jobs that die then are
# started again as they were.
case_upgrade() {
	local new=$bin rows pid
	use_copy
	write_dice lab 'restart_delay_seconds = 0.1'
	sed -i '/restart_delay/d' lab/dice.toml
	sed -i '1i restart_delay_seconds = 0.1' lab/supervisor.toml
	start run.log run lab
	await 20 has_rows out/dice.csv 2 || fail "no data"
	"$new" status >status.log || fail "no status"
	grep -q "replaced\|removed" status.log && fail "nothing was replaced yet"
	echo "another version" >prefix/modules/csv.so.new && mv prefix/modules/csv.so.new prefix/modules/csv.so
	rm prefix/modules/test.so
	cp "$new" prefix/enrgdaq.new && mv prefix/enrgdaq.new prefix/enrgdaq
	"$work/prefix/enrgdaq" status >status.log || fail "no status"
	grep -q "prefix/enrgdaq was replaced since this run began" status.log || fail "a new program is not told"
	rm prefix/enrgdaq
	for pid in $("$new" status --json | grep -o '"pid": [0-9]*' | cut -d' ' -f2); do kill -KILL "$pid"; done
	rows=$(wc -l <out/dice.csv)
	await 20 has_rows out/dice.csv $((rows + 5)) || fail "the jobs did not come back"
	"$new" status >status.log || fail "no status"
	grep -q "prefix/enrgdaq was removed since this run began" status.log || fail "a removed program is not told"
	stop_run 0
	grep -q "left out\|invalid ELF" run.log && fail "another module was tried"
	return 0
}

# Files with size and age, the disk, ticks that were missed, and a supervisor that stands still.
case_status() {
	write_dice lab
	start run.log run lab
	await 20 has_rows out/dice.csv 3 || fail "no data"
	shows() { "$bin" status >status.log && grep -qE "$1" status.log; }
	await 20 shows "^DAQJobStoreCSV: $work/out/dice.csv, [0-9.]+ k?B, last written [0-9.]+ (ms|s) ago$" || fail "no file"
	await 20 shows "^disk of $work/out: [0-9.]+ [kMGT]B free, full in .* at the present" || fail "no disk"
	mv out/dice.csv out/dice.away && rm out/dice.away
	await 20 shows "dice.*REMOVED" || fail "a removed file is not told"
	kill -STOP "$run"
	await 20 shows "^OLD: the supervisor has reported nothing for" || fail "a hung supervisor is not told"
	kill -CONT "$run"
	await 20 eval '! shows "^OLD"' || fail "it is not told that it goes on"
	kill -INT "$run"
	wait "$run" # a removed file may be what the run ends with
	return 0
}

# The demo never writes among files of the user, and a configuration that lies here is not overlooked.
case_demo() {
	write_dice lab
	"$bin" run --duration 1 >run.log 2>&1
	[ $? -eq 2 ] || fail "a folder with a supervisor.toml below was overlooked"
	grep -q "\`enrgdaq run lab\` runs it" run.log || fail "the folder is not named"
	(cd lab && "$bin" run --duration 1) >run.log 2>&1
	[ $? -eq 2 ] || fail "a supervisor.toml here was overlooked"
	"$bin" run --demo --duration 1 >run.log 2>&1 || fail "exit code $? of the demo"
	[ -s enrgdaq-demo-out/tank.arrows ] || fail "the demo wrote nothing"
	[ -e out ] && fail "the demo wrote into out"
	"$bin" run --demo lab >run.log 2>&1
	[ $? -eq 2 ] || fail "--demo with a folder"
}

# The command line that users of earlier versions know.
case_earlier_names() {
	write_dice lab
	mkdir elsewhere
	sed 's/"lab"/"other"/' lab/supervisor.toml >elsewhere/main.toml
	"$bin" run --daq-job-config-path lab --supervisor-config elsewhere/main.toml --duration 1 >run.log 2>&1 ||
		fail "exit code $?"
	grep -q "run .* of other" run.log || fail "not the supervisor of the other file"
	mv lab/supervisor.toml lab/main.toml
	"$bin" run --supervisor-config lab/main.toml --duration 1 >run.log 2>&1 || fail "exit code $? with the file alone"
	grep -q "run .* of lab" run.log || fail "not the supervisor of the file in the folder"
	"$bin" run --supervisor-config lab/none.toml >run.log 2>&1
	[ $? -eq 2 ] || fail "a file that is not there"
	"$bin" run --daq-job-config-path lab lab >run.log 2>&1
	[ $? -eq 2 ] || fail "two folders"
}

# What describe gives as an example runs as it is; so do the five minutes of the README, without a warning.
case_examples_run() {
	local type
	mkdir c
	printf '[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
	for type in DAQJobTest DAQJobPCMetrics DAQJobBenchmark DAQJobHandleAlerts DAQJobFilter DAQJobStoreCSV DAQJobSimulatedDigitizer; do
		"$bin" describe $type --example >"c/$type.toml" || fail "$type: no example"
	done
	sed -i 's/^rate_hz = .*/rate_hz = 10.0/; s/^interval_seconds = .*/interval_seconds = 0.1/' c/*.toml
	sed -i 's/^job = "example"/job = "DAQJobTest"/' c/DAQJobFilter.toml
	for type in DAQJobTest DAQJobPCMetrics DAQJobBenchmark DAQJobHandleAlerts DAQJobFilter; do sed -i "s/example/$type/" "c/$type.toml"; done
	"$bin" run c --duration 2 >run.log 2>&1 || fail "exit code $?"
	grep -q WARNING run.log && fail "a warning"
	[ -s out/DAQJobTest.csv ] || fail "no file"
	# its groups have columns of their own, so each a file
	for group in waveform stats truth; do [ -s out/$group.csv ] || fail "no file of $group"; done
	cmp out/DAQJobTest.csv out/DAQJobFilter.csv || fail "a filter without stages does not pass all"
	rm -rf out
	sed -n "/^mkdir -p lab/,/^enrgdaq check/p" "$here/../../README.md" | sed 's/^enrgdaq check.*//' >five.sh
	bash -e five.sh || fail "the README's folder"
	"$bin" check lab >run.log 2>&1 || fail "check: exit code $?"
	"$bin" run lab --duration 1 >>run.log 2>&1 || fail "run: exit code $?"
	grep -i warning run.log && fail "a warning in the first five minutes"
	has_rows out/dice.csv 2 || fail "no rows"
}

run_case "$@"

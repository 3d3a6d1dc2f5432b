#!/bin/bash
# Drives the real program through trouble: trouble.sh CASE. Needs ENRGDAQ_BIN, and module trouble.so on ENRGDAQ_MODULE_PATH.
# Exit code 77: this machine can't do what the case needs.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-trouble.XXXXXX)
runtime=$ENRGDAQ_RUNTIME_DIR/trouble
started=()

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; cut -c1-400 "$file" | tail -n 40 >&2; done
	exit 1
}

finish() {
	for pid in "${started[@]}"; do kill -CONT "$pid" 2>/dev/null; kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	# jobs whose supervisor was killed end by themselves, if they aren't stopped
	for _ in $(seq 100); do
		[ -z "$(jobs_here)" ] && break
		kill -CONT $(jobs_here) 2>/dev/null
		sleep 0.1
	done
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}
trap finish EXIT

jobs_here() { # processes that have a file of our runtime folder mapped
	grep -l -s -F "$ENRGDAQ_RUNTIME_DIR" /proc/[0-9]*/maps 2>/dev/null | cut -d/ -f3
}

await() { # SECONDS COMMAND...: until the command succeeds; a slow machine gets three times as long
	local end=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.05
	done
}

start() { # in the background; pid in $run
	"$bin" run config >"$work/run.log" 2>&1 &
	run=$!
	started+=("$run")
}

is_running() { kill -0 "$run"; }
has_ended() { ! kill -0 "$run" 2>/dev/null; }
is_flowing() { [ -s out/data.csv ] && [ -s out/data.arrows ]; }

stop() { # EXIT_CODE: an ordered end with it
	kill -INT "$run" || fail "the supervisor is gone"
	await 60 has_ended || fail "the supervisor does not end"
	wait "$run"
	local code=$?
	[ $code -eq "$1" ] || fail "exit code $1 was expected, not $code"
}

said() { # PATTERN
	grep -qE -- "$1" "$work/run.log"
}

must_say() { said "$1" || fail "it does not say \"$1\""; }

supervisor_toml() { # MORE SLOT_KB
	mkdir -p config
	printf 'ring_buffer_size_mb = 16\nring_buffer_slot_size_kb = %d\nrestart_delay_seconds = 0.1\n%s\n[info]\nsupervisor_id = "trouble"\n' \
		"${2:-256}" "${1:-}" >config/supervisor.toml
}

stores() { # OUT_DIR
	printf 'daq_job_type = "DAQJobStoreArrow"\ndaq_job_unique_id = "arrow"\nout_dir = "%s"\n' "${1:-out}" >config/arrow.toml
	printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "csv"\nout_dir = "%s"\n' "${1:-out}" >config/csv.toml
}

both='[store_config.arrow]
file_path = "data.arrows"
[store_config.csv]
file_path = "data.csv"'

flow() { # RATE: 100 rows a batch
	supervisor_toml "${2:-}"
	stores
	printf 'daq_job_type = "DAQJobBenchmark"\ndaq_job_unique_id = "source"\npayload_size = 100\nrate_hz = %s\n%s\n' \
		"$1" "$both" >config/source.toml
}

trouble() { # KEYS STORES
	printf 'daq_job_type = "DAQJobTrouble"\ndaq_job_unique_id = "source"\n%s\n%s\n' "$1" "${2:-$both}" >config/source.toml
}

# The ledger says that all is stored, verify says that the file is whole, and the CSV has as many rows.
check_data() {
	must_say "accounted"
	said "MISSING|TWICE|SET ASIDE|NOT KNOWN|not all stored" && fail "the ledger is not settled"
	"$bin" verify out/data.arrows >"$work/verify.log" 2>&1 || fail "the .arrows file is not whole"
	local produced rows
	produced=$(cat out/ledger_*.json | grep -o '"produced_rows": [0-9]*' | awk '{s += $2} END {print s}')
	rows=$(($(wc -l <out/data.csv) - 1))
	[ "$produced" -eq "$rows" ] || fail "$produced rows were produced, the CSV has $rows"
	echo "$rows rows"
}

pid_of() {
	"$bin" status --json 2>/dev/null | python3 -c "import json, sys
print(next(j['pid'] for j in json.load(sys.stdin)['jobs'] if j['name'] == '$1'))"
}

restarts_of() {
	"$bin" status --json 2>/dev/null | python3 -c "import json, sys
print(next(j['restarts'] for j in json.load(sys.stdin)['jobs'] if j['name'] == '$1'))"
}

is_restarted() { [ "$(restarts_of "$1")" -ge "$2" ]; }

# --- standing still ---

stand_still() { # PID SECONDS
	kill -STOP "$1" || fail "process $1 is not there"
	sleep "$2"
	kill -CONT "$1"
}

case_stopped_store() {
	flow 500
	start
	await 20 is_flowing || fail "no data"
	stand_still "$(pid_of csv)" 3
	stop 0
	check_data
}

case_stopped_source() {
	flow 500
	start
	await 20 is_flowing || fail "no data"
	stand_still "$(pid_of source)" 3
	is_restarted source 1 && fail "the source was restarted"
	stop 0
	check_data
}

# Nobody waits for the supervisor: sources and stores continue without it.
case_stopped_supervisor() {
	flow 500
	start
	await 20 is_flowing || fail "no data"
	kill -STOP "$run"
	local before after
	before=$(wc -l <out/data.csv)
	goes_on() { after=$(wc -l <out/data.csv); [ "$after" -gt $((before + 10000)) ]; }
	await 20 goes_on || fail "the data stand still with the supervisor"
	kill -CONT "$run"
	stop 0
	check_data
	[ "$(grep -c 'started again' "$work/run.log")" -eq 0 ] || fail "a job was restarted"
}

# --- no room ---

# Runs in a runtime folder of its own, a tmpfs of the size $1; the exit code is $2.
run_small() {
	unshare -m true 2>/dev/null || exit 77
	mkdir -p small
	unshare -m sh -c 'mount -t tmpfs -o size='"$1"' none small || exit 77
		ENRGDAQ_RUNTIME_DIR=$PWD/small "$0" run config --duration 1; code=$?
		[ $code -eq 0 ] || ! ls small/*/*.stream 2>/dev/null || exit 78
		exit $code' "$bin" >"$work/run.log" 2>&1
	local code=$?
	[ $code -eq 77 ] && exit 77
	[ $code -eq "$2" ] || fail "exit code $2 was expected, not $code"
	must_say "ring_buffer_size_mb"
	must_say "MB are free|MB free"
}

# The rings are to have 16 MB. In 8 they run, as deep as there is room; where there is none, nothing starts.
case_full_tmpfs() {
	flow 100
	run_small 32k 1
	find out -type f ! -name 'runs_*' 2>/dev/null | grep . && fail "it has begun to store"
	run_small 8m 0
	must_say "waits for its stores"
	check_data
}

# Somebody fills the tmpfs while a run is on, and its store stands still: the source waits, says so, and continues.
case_tmpfs_fills() {
	unshare -m true 2>/dev/null || exit 77
	flow 100
	mkdir -p small
	unshare -m bash -c 'mount -t tmpfs -o size=8m none small || exit 77
		export ENRGDAQ_RUNTIME_DIR=$PWD/small
		"$0" run config & run=$!
		await() { for _ in $(seq 300); do "$@" && return; sleep 0.1; done; kill -KILL $run; exit 79; }
		stored() { [ "$(stat -c %s out/data.arrows 2>/dev/null || echo 0)" -gt "$1" ]; }
		await stored 100000
		dd if=/dev/zero of=small/rest bs=64k status=none 2>/dev/null
		store=$(pgrep -P $run -f "enrgdaq-job DAQJobStoreArrow")
		kill -STOP $store
		await grep -q "shared memory is full" "$1"
		rm small/rest
		kill -CONT $store
		await grep -q "shared memory has room again" "$1"
		await stored $(($(stat -c %s out/data.arrows) + 100000))
		kill -INT $run
		wait $run' "$bin" "$work/run.log" >"$work/run.log" 2>&1
	local code=$?
	[ $code -eq 77 ] && exit 77
	[ $code -eq 0 ] || fail "exit code 0 was expected, not $code"
	check_data
}

# The folder would lie behind a link to nowhere, which nothing finds before the start. When the way is free, all that has
# waited is stored.
case_unwritable_folder() {
	flow 200
	ln -s nowhere/at/all blocked
	stores blocked/out
	start
	tells() { said "ERROR.*blocked.*nothing is lost"; }
	await 20 tells || fail "no clear words"
	must_say "the folder blocked"
	sleep 1
	rm blocked
	ln -s . blocked
	await 20 is_flowing || fail "it does not try again"
	stop 0
	check_data
}

# A section that leads out of out_dir: nothing starts, and nothing is written there.
case_path_outside() {
	flow 200
	sed -i 's,"data.csv","../data.csv",' config/source.toml
	mkdir inside
	cd inside && cp -r ../config . || fail "no folder"
	"$bin" run config --duration 1 >"$work/run.log" 2>&1
	[ $? -eq 2 ] || fail "exit code 2 was expected"
	must_say 'config/source.toml:[0-9]+: store_config.csv.file_path: expected a name below out_dir.*found "../data.csv"'
	[ ! -e out ] && [ ! -e data.csv ] && [ ! -e ../data.csv ] || fail "something was written"
	sed -i 's,"../data.csv","data.csv",' config/source.toml
	"$bin" run config --duration 1 >"$work/run.log" 2>&1 || fail "exit code $?"
	check_data
}

case_taken_port() {
	python3 - "$bin" >"$work/run.log" 2>&1 <<-'END'
		import socket, subprocess, sys
		taken = socket.socket()
		try:
		    taken.bind(("127.0.0.1", 16382))
		    taken.listen()
		except OSError:
		    pass  # somebody else has it: as good
		sys.exit(subprocess.run([sys.argv[1], "doctor"]).returncode)
	END
	must_say "^note +ports +.*16382: Address already in use"
}

# --- odd tables ---

case_too_many_columns() {
	supervisor_toml
	stores
	trouble 'kind = "wide"
columns = 10000'
	start
	tells() { said "10000 columns are too many: at most 4096.*"; }
	await 20 tells || fail "no clear words"
	await 20 said "source ended.*started again" || fail "it is not started again"
	stop 1
	must_say "source never became ready"
}

case_many_columns() {
	supervisor_toml "" 1024
	stores
	trouble 'kind = "wide"
columns = 4096
rows = 3'
	"$bin" run config >"$work/run.log" 2>&1 || fail "exit code $?"
	check_data
	python3 - <<-'END' || fail "the CSV is not what was made"
		lines = [line.rstrip("\n").split(",") for line in open("out/data.csv")]
		assert lines[0] == ["c%d" % i for i in range(4096)], lines[0][:3]
		assert len(lines) == 10
		assert all(set(line) == {str(i)} and len(line) == 4096 for i, line in enumerate(lines[1:]))
	END
}

case_zero_rows() {
	supervisor_toml
	stores
	trouble 'kind = "empty"
batches = 5'
	"$bin" run config >"$work/run.log" 2>&1 || fail "exit code $?"
	must_say "produced 5 batches, 0 rows.*stored 5 batches, 0 rows.*: accounted"
	"$bin" verify out/data.arrows >"$work/verify.log" 2>&1 || fail "verify"
	grep -q "whole: 5 batches, 0 rows" "$work/verify.log" || fail "the empty batches are not in the file"
}

# 800 kB a table where the largest batch has 256: split by rows.
case_large_table() {
	supervisor_toml
	stores
	trouble 'kind = "large_table"
rows = 50000'
	"$bin" run config >"$work/run.log" 2>&1 || fail "exit code $?"
	check_data
	tail -n +2 out/data.csv | cut -d, -f1 | cmp - <(seq 0 149999) || fail "the rows are not those that were made"
}

case_large_blob() {
	supervisor_toml
	stores
	sed -i 's/restart_delay_seconds = 0.1/restart_delay_seconds = 5/' config/supervisor.toml
	trouble 'kind = "large_blob"
bytes = 300000' '[store_config.raw]
file_path = "data.raw"'
	# after one failure, and while it waits for its next start
	"$bin" run config --duration 1 >"$work/run.log" 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	must_say "source had failed, and had not recovered when the run ended: exit 1.*ring_buffer_slot_size_kb"
	must_say "ring_buffer_slot_size_kb"
	must_say "a batch of 300[0-9]{3} bytes is larger"
	[ ! -s out/data.raw ] || fail "something was stored"
}

case_two_jobs_of_one_name() {
	flow 10
	cp config/source.toml config/other.toml
	"$bin" run config --duration 1 >"$work/run.log" 2>&1
	[ $? -eq 2 ] || fail "exit code 2 was expected"
	must_say 'config/(other|source).toml:2: daq_job_unique_id: "source" is taken'
	[ ! -e out ] || fail "it has started"
}

# --- jobs that hang and crash ---

case_hang() {
	supervisor_toml 'watchdog_seconds = 1'
	stores
	trouble 'kind = "hang"'
	start
	await 30 is_restarted source 2 || fail "it was not killed twice"
	must_say "source \(process [0-9]+\) has given no sign of life for .*: killed"
	must_say "source ended: hung, killed by the watchdog; it is started again"
	kill -INT "$run"
	wait "$run" # the source may hang just now, and be killed: 0 or 1
	check_data
}

case_crash() {
	supervisor_toml
	stores
	trouble 'kind = "crash"'
	start
	await 30 is_restarted source 4 || fail "it was not started again"
	for span in '100 ms' '200 ms' '400 ms' '800 ms'; do
		must_say "source ended: signal 11 \(Segmentation fault\); it is started again in $span"
	done
	await 20 grep -q 'started again in 3.2 s' "$work/run.log" || fail "it was not tried a sixth time"
	stop 1 # in that pause: a job that is down at the end is trouble, whatever it stored before
	must_say "source had failed, and had not recovered when the run ended: signal 11"
	check_data
	[ "$(grep -c "started again" "$work/run.log")" -le 8 ] || fail "the delay does not grow"
}

# The store dies of the fifth batch; after three deaths this one batch is set aside, and all others are in the file once.
case_poison() {
	supervisor_toml
	printf 'daq_job_type = "DAQJobStoreFragile"\ndaq_job_unique_id = "fragile"\nout_dir = "out"\npoison = 40\n' >config/fragile.toml
	trouble 'kind = "count_up"
rows = 10
batches = 20' '[store_config.fragile]
file_path = "data.txt"'
	"$bin" run config >"$work/run.log" 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	must_say "set aside"
	must_say "SET ASIDE"
	[ "$(grep -c 'fragile ended: signal 11' "$work/run.log")" -ge 3 ] || fail "it was set aside too soon"
	cmp out/data.txt <(seq 0 39; seq 50 199) || fail "the other batches are not in the file once"
	local file
	file=$(ls out/set_aside_source_*.arrows) || fail "no file with what was set aside"
	must_say "$file"
	"$bin" verify "$file" >"$work/verify.log" 2>&1
	grep -q "1 batch, 10 rows" "$work/verify.log" || fail "the set aside file does not hold the batch"
}

# All is stored, but the store crashes on its way out: the run says so.
case_crash_at_the_end() {
	supervisor_toml
	printf 'daq_job_type = "DAQJobStoreFragile"\ndaq_job_unique_id = "fragile"\nout_dir = "out"\ndies_last = true\n' >config/fragile.toml
	trouble 'kind = "count_up"
rows = 10
batches = 20' '[store_config.fragile]
file_path = "data.txt"'
	"$bin" run config >"$work/run.log" 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	must_say "fragile had failed, and had not recovered when the run ended: signal 11"
	cmp out/data.txt <(seq 0 199) || fail "the batches are not in the file once"
}

# --- mad processes ---

case_hostile_messages() {
	flow 200
	printf 'daq_job_type = "DAQJobTest"\ndaq_job_unique_id = "linked"\nuse_shm_when_possible = false\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.01\n[store_config.csv]\nfile_path = "linked.csv"\n' >config/linked.toml
	start
	await 20 is_flowing || fail "no data"
	for seed in 1 2 3; do
		python3 "$here/scribble.py" sockets "$runtime" $seed || fail "no attack"
		is_running || fail "the supervisor died"
	done
	[ "$(grep -c 'started again' "$work/run.log")" -eq 0 ] || fail "a job died"
	stop 0
	[ "$(wc -l <out/linked.csv)" -gt 10 ] || fail "the link does not carry"
	said "MISSING|TWICE|not all stored" && fail "the ledger is not settled"
	"$bin" verify out/data.arrows >"$work/verify.log" 2>&1 || fail "verify"
}

# Jobs may die of it, also under a sanitizer, which must not call this a finding.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:handle_sigbus=0"

survive() { # COMMAND...: the supervisor does, and ends when it is asked
	flow 200 'watchdog_seconds = 2'
	start
	await 20 is_flowing || fail "no data"
	await 20 pid_of source || fail "no status"
	"$@" || fail "$*"
	sleep 2.5
	is_running || fail "the supervisor died"
}

end_somehow() {
	kill -INT "$run"
	await 8 has_ended || kill -INT "$run" # a store that fails again and again is waited for half a minute
	await 60 has_ended || fail "the supervisor does not end"
	wait "$run"
	local code=$?
	[ $code -le 2 ] || fail "the supervisor died at the end: $code"
	[ "$1" = any ] || [ $code -eq "$1" ] || fail "exit code $1 was expected, not $code"
}

case_scribbled_page() {
	survive python3 "$here/scribble.py" file "$runtime/source.page" 1
	must_say "source: its status page .* can't be read"
	await 20 is_restarted source 1 || fail "its next life does not make the page anew"
	end_somehow any
}

case_cut_page() {
	survive truncate -s 0 "$runtime/source.page"
	await 20 is_restarted source 1 || fail "it was not started again"
	stop 0
	check_data
}

case_scribbled_stream() {
	survive python3 "$here/scribble.py" file "$runtime/source.stream" 1
	end_somehow 1
	must_say "NOT KNOWN|corrupt|not a stream|do not fit"
}

case_cut_stream() {
	survive truncate -s 0 "$runtime/source.stream"
	must_say "not a stream file"
	end_somehow 1
	must_say "NOT KNOWN"
}

# The length changes while it is looked at.
case_flickering_stream() {
	survive python3 - "$runtime/source.stream" <<-'END'
		import os, sys, time
		file = os.open(sys.argv[1], os.O_RDWR)
		head, length = os.pread(file, 4096, 0), os.fstat(file).st_size
		end = time.monotonic() + 4
		while time.monotonic() < end:
		    for _ in range(1000):
		        os.ftruncate(file, 0)
		        os.ftruncate(file, length)
		        os.pwrite(file, head, 0)
	END
	end_somehow any
}

case_scribbled_journal() {
	survive python3 "$here/scribble.py" file "$runtime/csv.journal" 1
	end_somehow 1
}

case_pipes_in_the_way() {
	survive sh -c "cd $runtime && rm source.page source.stream csv.journal && mkfifo source.page source.stream csv.journal"
	end_somehow 1
}

case_removed_runtime() {
	survive rm -rf "$runtime"
	must_say "was removed.*put right again"
	[ "$(grep -c 'put right again' "$work/run.log")" -eq 1 ] || fail "it says so again and again"
	end_somehow 1
	must_say "accounted, over an outage of the runtime folder"
	"$bin" verify out/data.arrows >"$work/verify.log" 2>&1 || fail "what was stored is not whole"
}

# What a killed system left is damaged: the next start says so, moves it away, and runs.
case_damaged_left_overs() {
	local how
	for how in "python3 $here/scribble.py file source.stream 1" "truncate -s 0 source.stream run.json" \
		"rm run.json source.page && mkfifo run.json source.page" "rm source.stream && mkfifo source.stream"; do
		rm -rf "$runtime" out
		flow 200
		start
		await 20 is_flowing || fail "no data"
		kill -KILL "$run"
		wait "$run" 2>/dev/null
		await 20 eval '[ -z "$(jobs_here)" ]' || fail "the jobs do not end"
		sh -c "cd $runtime && $how" || fail "$how"
		timeout -s KILL 30 "$bin" run config --duration 0.5 >"$work/run.log" 2>&1
		[ $? -le 1 ] || fail "after $how: no start"
		case $how in *.stream*) must_say "source.stream.*moved to" ;; esac
		must_say "source -> csv: produced [1-9].*: accounted"
	done
}

cd "$work" || exit 1
"case_$1"
grep -lE "AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error" "$work"/*.log && fail "a sanitizer found something"
exit 0
